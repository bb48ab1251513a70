"""The serving contract, against the real server in a process."""

import json
import os
import signal
import socket
import struct
from concurrent.futures import ThreadPoolExecutor

import pytest

from longspan.inference.server.handler import input_fn, model_fn, output_fn, predict_fn
from longspan.training.corpus.recordio import encode_record


def test_ping_is_healthy_once_the_model_has_answered(launch):
    server = launch()
    worker = server.event("worker started")["pid"]
    os.kill(worker, signal.SIGSTOP)  # it has not even loaded its libraries yet
    assert server.request("GET", "/ping").status == 503
    refused = server.ask({"text": "w1"})
    assert refused.status == 503
    assert int(refused.headers["retry-after"]) >= 1
    os.kill(worker, signal.SIGCONT)
    server.wait_ready()
    assert server.request("GET", "/ping").status == 200
    assert server.request("GET", "/ping").body == b""


def test_it_answers_as_the_handler_functions_do(server, base):
    model = model_fn(base / "model")
    for body in (
        {"text": "w1 w2 w3", "n_best": 2, "alignment": True},
        {"instances": [{"data": "w4 w5", "configuration": {"attention_matrix": "true"}}]},
        ["w1", {"source": "w2 w3", "beam_size": 1}],
        {"text": ["w1 w2 w3, w4 w5 w6, w7 w8", "w2"], "repair": True, "max_length": 1},
    ):
        content, media = output_fn(predict_fn(input_fn(json.dumps(body)), model))
        reply = server.ask(body)
        assert reply.status == 200
        assert reply.headers["content-type"] == media
        assert _rounded(reply.json) == _rounded(json.loads(content))


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status"),
    [
        (b"", "application/json", None, 400),
        (b"{", "application/json", None, 400),
        (b"\xff", "text/plain", None, 400),
        (b'{"text": "a", "beams": 1}', "application/json", None, 400),
        (b'{"text": 1}', "application/json", None, 400),
        (b"a,b", "text/csv", None, 400),
        (b"w1", "image/png", None, 415),
        (b"w1", "text/plain; charset=latin-1", None, 415),
        (b"w1", "text/plain", "image/png", 406),
        (b'{"text": "w1", "stream": true}', "application/json", "text/csv", 406),
    ],
)
def test_what_is_wrong_is_said_with_a_4xx(server, body, content_type, accept, status):
    reply = server.ask(body, content_type, accept)
    assert reply.status == status
    error = reply.json["error"]
    assert error["message"]
    assert error["request_id"] == reply.headers["x-request-id"]


@pytest.mark.parametrize("accept", ["application/json", "application/jsonlines", "*/*", None])
def test_a_stream_is_json_lines_also_for_a_client_that_accepts_json(server, accept):
    reply = server.ask({"text": "w1 w2", "stream": True}, "application/json", accept)
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/jsonlines"
    assert "translation" in json.loads(reply.body.splitlines()[-1])


@pytest.mark.parametrize("text", ["", "   ", "\U0001f600\U0001f680", "\x00\x01\x1b\x7f", "\u202e"])
def test_strange_text_is_translated(server, text):
    reply = server.ask({"text": text})
    assert reply.status == 200
    assert reply.json["translation"] == "" or text.strip()


def test_paths_and_methods_that_are_not_there(server):
    missing = server.request("GET", "/nothing", headers={"X-Request-Id": "mine"})
    assert missing.json["error"]["code"] == "not_found"
    assert missing.json["error"]["request_id"] == missing.headers["x-request-id"] == "mine"
    # Not led to another host by what the client said of its own.
    assert server.request("GET", "/ping/", headers={"Host": "elsewhere.example"}).status == 404
    wrong = server.request("GET", "/invocations")
    assert wrong.status == 405
    assert wrong.headers["allow"] == "POST"


def test_a_long_text_is_split_and_the_answer_says_so(server):
    sentence = "W1 w2 w3 w4 w5 w6 w7 w8 w9 w10. "
    reply = server.ask({"text": sentence * 12})
    assert len(reply.json["split"]["parts"]) == 12
    plain = server.ask((sentence * 12).encode(), "text/plain")
    assert plain.headers["x-amzn-sagemaker-custom-attributes"].startswith("split=1")


def test_a_hundred_thousand_characters_are_translated_or_refused(launch, spelling_model_directory):
    server = launch(spelling_model_directory.parent, LONGSPAN_LANGUAGE="ja").wait_ready()
    for unit in (
        "the cat sees a dog . ",
        "彼は本を読む。",
        "「a。」",
        "x",
        "the ",
        "\u3002",
        "\U0001f600",
    ):
        text = (unit * 100_000)[:100_000]
        reply = server.ask({"text": text, "profile": "fast", "max_length": 3})
        if reply.status != 200:
            assert reply.status == 413
            assert "at most 50,000 source tokens" in reply.json["error"]["message"]
        else:
            parts = reply.json["split"]["parts"]
            given = "".join(part["source"] for part in parts)
            assert "".join(given.split()) == "".join(text.split())


def test_many_at_once_each_get_their_own_answer(server):
    texts = [" ".join(f"w{(i * j) % 12}" for j in range(1, 2 + i % 30)) for i in range(120)]
    alone = [server.ask({"text": text}).json for text in texts[:20]]
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda text: server.ask({"text": text}), texts))
    assert {reply.status for reply in replies} == {200}
    for reply, one in zip(replies, alone, strict=False):
        assert reply.json["translation"] == one["translation"]
    whole = server.ask({"text": texts}).json["translations"]
    assert [t["translation"] for t in whole] == [r.json["translation"] for r in replies]


def test_batch_transform_gets_a_line_for_a_line(server):
    lines = "".join(json.dumps({"source": f"w{i % 12} w3"}) + "\n" for i in range(500))
    reply = server.ask(lines.encode(), "application/jsonlines")
    assert len(reply.body.splitlines()) == 500
    assert reply.headers["content-type"] == "application/jsonlines"
    parameters = server.request("GET", "/execution-parameters").json
    assert parameters["BatchStrategy"] == "MULTI_RECORD"


def test_records_of_the_built_ins_clients_are_answered_in_kind(server, base):
    media = "application/x-recordio-protobuf"
    rows = [[4, 9, 7], [5]]
    body = b"".join(
        struct.pack("<II", 0xCED7230A, len(payload)) + payload + bytes(-len(payload) % 4)
        for payload in (encode_record(row, []) for row in rows)
    )
    reply = server.ask(body, media)
    assert (reply.status, reply.headers["content-type"]) == (200, media)
    assert reply.body == output_fn(predict_fn(input_fn(body, media), model_fn(base / "model")))[0]
    refused = server.ask(body[:-3], media)
    assert refused.status == 400
    assert "expected a record of" in refused.json["error"]["message"]


def test_ids_of_json_lines_come_back_and_empty_lines_do_not_matter(server):
    lines = ['{"id": 7, "source": "w1"}', "", '{"text": "w2", "id": "b"}', '{"text": "w3"}']
    reply = server.ask("\n".join(lines).encode(), "application/jsonlines")
    answers = [json.loads(line) for line in reply.body.splitlines()]
    assert [answer.get("id", "none") for answer in answers] == [7, "b", "none"]
    assert ["target" in answer for answer in answers] == [True, False, False]


def test_a_compressed_body_is_refused_by_its_name(server):
    reply = server.ask({"text": "w1"}, **{"Content-Encoding": "gzip"})
    assert reply.status == 415
    assert "Content-Encoding: expected none, got gzip" in reply.json["error"]["message"]


def test_streaming_ends_with_the_whole_answer(server):
    body = {"text": ["w1 w2 w3 w4 w5. W3 w4.", "w2"], "split": "sentences", "profile": "fast"}
    reply = server.ask({**body, "stream": True})
    assert reply.headers["content-type"] == "application/jsonlines"
    lines = [json.loads(line) for line in reply.body.splitlines()]
    whole = {line["index"]: line["translation"] for line in lines if "translation" in line}
    assert [whole[0], whole[1]] == [t["translation"] for t in server.ask(body).json["translations"]]
    grown = [line["partial"] for line in lines if "partial" in line and line["index"] == 0]
    assert grown
    assert len(set(grown)) == len(grown)
    assert whole[0].startswith(grown[-1].rstrip())


def test_a_client_names_its_request_and_sees_its_time(server):
    reply = server.ask({"text": "w1"}, **{"X-Request-Id": "mine-7"})
    assert reply.headers["x-request-id"] == "mine-7"
    assert "total;dur=" in reply.headers["server-timing"]
    event = server.event("request", id="mine-7")
    assert event["status"] == 200
    assert event["source_tokens"] == 2
    assert event["milliseconds"] > 0


def test_the_log_has_no_text_of_users(server):
    server.ask({"text": "w1 secret"})
    server.ask({"text": "w1", "secret": 1})
    server.ask(b'{"text": "secret', "application/json")
    assert "secret" not in json.dumps(server.events)


def test_metrics_count(server):
    before = server.metric("longspan_texts_total")
    server.ask({"text": ["w1", "w2"]})
    assert server.metric("longspan_texts_total") == before + 2
    assert server.metric("longspan_workers_ready") == 1


def test_one_connection_serves_many_requests(server):
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=180) as connection:
        file = connection.makefile("rb")
        for _ in range(3):
            connection.sendall(head + b"Content-Length: 5\r\n\r\nw1 w2")
            assert b"200" in file.readline()
            length = 0
            while (line := file.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            assert len(file.read(length)) == length
        file.close()


def _rounded(value):
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return {k: _rounded(v) for k, v in value.items()} if isinstance(value, dict) else value
