"""Clients that do not keep to HTTP: the right refusal or a closed connection, never a 500."""

import contextlib
import json
import re
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.inference.server.conftest import ServerProcess

BODY = b'{"text": "w1"}'
HEAD = b"POST /invocations HTTP/1.1\r\nHost: x\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSE = b"Connection: close\r\n"
END = b"0\r\n\r\n"


@pytest.fixture(scope="module")
def server(base: Path) -> Iterator[ServerProcess]:
    """One server for all hostile clients."""
    running = ServerProcess(base)
    yield running.wait_ready()
    assert running.stop() == 0
    assert running.errors == ""
    assert not [event for event in running.events if event["level"] == "error"]


def post(body: bytes, more: bytes = CLOSE, head: bytes = HEAD) -> bytes:
    return head + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


def received(server, sent: bytes) -> bytes:
    """All that comes until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=180) as connection:
        connection.sendall(sent)
        answers = b""
        try:
            while chunk := connection.recv(1 << 16):
                answers += chunk
        except ConnectionResetError:
            pass  # closed before it had read all that was sent
    return answers


def statuses(server, sent: bytes) -> Sequence[int]:
    """Of each answer until the server closes."""
    return [int(one) for one in re.findall(rb"HTTP/1\.1 (\d{3}) ", received(server, sent))]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (post(BODY, b"", b"POST /invocations HTTP/1.0\r\n"), 200),
        (b"POST /invocations HTTP/1.0\r\n\r\n" + BODY, 400),  # a body of no length is none
        (b"GET /ping\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100), 400),  # TLS
        (b"POST /invocations HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 400),
        (b"GET /ping HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 200_000 + b"\r\n\r\n", 431),
        (b"GET /ping HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 50_000 + b"\r\n", 431),
        (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (HEAD + b"Content-Length: abc\r\n\r\n", 400),
        (HEAD + b"Content-Length: -5\r\n\r\n", 400),
        (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde", 400),
        (HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (HEAD + CLOSE + b"Content-Length: 99999999999999\r\n\r\n", 413),
        (HEAD + b"Transfer-Encoding: gzip\r\n\r\n", 501),
        (CHUNKED + b"zz\r\nabc", 400),
        (CHUNKED + b"3\r\nabc\r\n-1\r\n", 400),
        (post(BODY, CLOSE + b"Content-Encoding: identity\r\n") + b"more", 200),
        (post(b"\x1f\x8b\x08\x00", CLOSE + b"Content-Encoding: gzip\r\n"), 415),
        (post(BODY, b"Connection: upgrade, close\r\nUpgrade: websocket\r\n"), 200),
        (b"GET /ping HTTP/1.1\r\nHost: x\r\nA: a\0b\r\n\r\n", 400),
        (post(BODY, CLOSE + b"X-Request-Id: \xe9\xff\r\n"), 200),
        (post(BODY, CLOSE + b"Accept: \xe9\xff\r\n"), 406),
        (post(BODY, CLOSE + b"Content-Type: \xe9\xff/json\r\n"), 415),
    ],
)  # fmt: skip
def test_what_is_no_http_is_refused(server, sent: bytes, expected: int):
    assert statuses(server, sent) == [expected]
    assert server.request("GET", "/ping").status == 200


@pytest.mark.parametrize(
    "body",
    [
        b'{"text": "\xff"}',
        b'{"text": "\xc0\xaf"}',
        b'{"text": "\xed\xa0\x80"}',
        rb'{"text": "\ud800"}',
        rb'{"text": "a", "\ud800": 1}',
        rb'{"text": "a", "profile": "\udfff"}',
        b'{"text": "a", "length_penalty": NaN}',
        b'{"text": "a", "length_penalty": -Infinity}',
        b'{"text": "a", "length_penalty": 1e999}',
        b'{"text": "a", "beam_size": 1e999}',
        b'{"text": "a", "beam_size": %s}' % (b"9" * 5000),
        b'{"text": "a", "length_penalty": %s}' % (b"9" * 400),
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b"[" * 900 + b"]" * 900,
        b'{"text": "a", "text": "b"}',
        '{"text": "a"}'.encode("utf-16"),
    ],
)
def test_what_is_no_json_is_refused(server, body: bytes):
    reply = server.ask(body)
    assert reply.status == 400
    assert reply.json["error"]["message"]
    lines = server.ask(body.replace(b"\n", b" "), "application/jsonlines")
    assert lines.status == 400


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"garbage\r\n\r\n", "illegal request line"),
        (b"GET /ping HTTP/1.1\r\n\r\n", "Missing mandatory Host"),
        (CHUNKED + b"zz\r\nabc", "illegal chunk header"),
        (CHUNKED + b"1\r\n{\r\nzz\r\n" + bytes(100_000), "illegal chunk header"),
    ],
)
def test_what_is_no_http_is_refused_in_json_and_written_down(server, sent: bytes, said: str):
    before = server.metric('longspan_requests_total{status="400"}')
    head, body = received(server, sent).split(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    assert b"content-type: application/json" in head.lower()
    error = json.loads(body)["error"]
    assert error["code"] == "bad_request"
    assert said in error["message"]
    assert server.event("request", id=error["request_id"])["status"] == 400
    assert server.metric('longspan_requests_total{status="400"}') == before + 1


def test_what_is_no_http_after_an_early_answer_only_closes(server):
    early = b"POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=180) as connection:
        connection.sendall(early)
        answer = b""
        while b"Not Found" not in answer or not answer.endswith(b"}}"):
            answer += connection.recv(4096)
        connection.sendall(b"zz\r\n")
        assert connection.recv(100) == b""


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"http://other.example:81/ping", 200),
        (b"HTTP://x/ping?a=b", 200),
        (b"http://x/nothing", 404),
        (b"http://x", 404),
        (b"*", 404),
        (b"//x/ping", 404),
    ],
)
def test_a_target_in_absolute_form_is_one(server, target: bytes, expected: int):
    assert statuses(server, b"GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n" % (target, CLOSE)) == [expected]


@pytest.mark.long
def test_clients_that_send_byte_by_byte_take_nobodys_place(launch):
    server = launch(LONGSPAN_QUEUE="2").wait_ready()
    connections = [socket.create_connection(("127.0.0.1", server.port), 180) for _ in range(50)]
    try:
        for connection in connections:
            connection.sendall(HEAD + b"Content-Length: 50\r\n\r\n")
        for _ in range(26):
            for connection in connections:
                with contextlib.suppress(ConnectionError):  # it has had its 408
                    connection.sendall(b" ")
            assert server.ask(json.loads(BODY)).status == 200
            time.sleep(0.5)
        assert {connection.recv(4096)[:13] for connection in connections} == {b"HTTP/1.1 408 "}
    finally:
        for connection in connections:
            connection.close()
    assert server.metric("longspan_requests_arriving") == 0


def test_a_body_in_tiny_chunks_holds_up_nobody(server):
    flood = HEAD + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 400_000 + END
    with ThreadPoolExecutor(1) as pool:
        flooding = pool.submit(statuses, server, flood)
        for _ in range(3):
            assert server.ask(json.loads(BODY)).status == 200
        assert not flooding.done()
        assert flooding.result() == [400]  # it is no JSON


def test_large_bodies_share_a_room_and_small_ones_need_none(launch, eventually):
    server = launch(LONGSPAN_MAX_BODY_MB="0.1").wait_ready()
    large = HEAD + b"Content-Length: 99000\r\n\r\n" + b" " * 98_000
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            address = "127.0.0.1", server.port
            stack.enter_context(socket.create_connection(address, 180)).sendall(large)
        eventually(lambda: server.metric("longspan_body_bytes") == 8 * 98_000)
        refused = server.ask(b" " * 99_000)
        assert refused.status == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert "at most 800,000 bytes together" in refused.json["error"]["message"]
        assert server.ask(json.loads(BODY)).status == 200
    assert server.event("request", status=499)
    assert server.ask(b'{"text": "w1"}' + b" " * 90_000).status == 200


def test_requests_in_one_piece_are_answered_in_turn(server):
    many = post(BODY, b"") * 20 + b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" + post(BODY)
    assert statuses(server, many) == [*[200] * 20, 404, 200]
    assert statuses(server, post(BODY, b"") + b"garbage\r\n\r\n") == [200, 400]


def test_a_client_that_closes_its_side_has_gone(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=180) as connection:
        connection.sendall(HEAD + b"X-Request-Id: half\r\nContent-Length: 50\r\n\r\nabc")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""
    assert server.event("request", id="half")["status"] == 499


def test_a_thousand_connections_leave_room_for_others(server):
    connections = []
    try:
        for number in range(1000):
            connections.append(socket.create_connection(("127.0.0.1", server.port), timeout=180))
            if number % 2:
                connections[-1].sendall(b"POST /invocations HTTP/1.1\r\nHo")
        assert server.request("GET", "/ping").status == 200
        assert server.ask(json.loads(BODY)).status == 200
    finally:
        for connection in connections:
            connection.close()


@pytest.mark.long
def test_a_head_and_a_body_that_do_not_come_are_given_up(server):
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=180) as head,
        socket.create_connection(("127.0.0.1", server.port), timeout=180) as body,
    ):
        head.sendall(b"POST /invocations HTTP/1.1\r\nHo")
        body.sendall(HEAD + b"Content-Length: 50\r\n\r\nabc")
        assert b" 408 " in body.recv(4096)
        assert head.recv(100) == b""
