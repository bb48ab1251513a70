"""What ends badly or early: workers that die, clients that leave, time and room that run out."""

import http.client
import json
import os
import shutil
import signal
import socket
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from longspan.training.model.directory import load_model, save_model
from tests.inference.server.conftest import ServerProcess

# To an endless model: some ten seconds of work, and a short piece of it. A text that repeats itself
# may be answered by one that does, so that no loop ends the work.
LONG = {"text": "w1 w2 w3 " * 30, "max_length": 20_000}
SHORT = {"text": "w1 w2 w3", "max_length": 5}


@pytest.fixture(scope="module")
def endless(endless_base):
    """One server of an endless model, for tests that leave it as it is."""
    with ServerProcess(endless_base) as server:
        yield server.wait_ready()
        assert server.stop() == 0


def test_a_short_text_does_not_wait_for_a_long_one(endless):
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(endless.ask, {"text": "w1 " * 500, "max_length": 1500})
        _until_working(endless, 1)
        for _ in range(3):
            assert endless.ask(SHORT).status == 200
        assert not waiting.done()
        assert waiting.result().status == 200


def test_work_is_cancelled_when_the_client_has_gone(endless, eventually):
    for body in (LONG, {**LONG, "stream": True}):
        connection = http.client.HTTPConnection("127.0.0.1", endless.port, timeout=180)
        connection.request("POST", "/invocations", json.dumps(body), {"X-Request-Id": "gone"})
        _until_working(endless, 1)
        connection.close()
        eventually(lambda: endless.metric("longspan_requests_in_flight") == 0)
    assert endless.event("request", 1, id="gone")["status"] == 499
    assert endless.ask(SHORT).status == 200


def test_a_worker_that_dies_is_replaced_and_what_it_had_gets_a_503(endless):
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(endless.ask, LONG) for _ in range(3)]
        _until_working(endless, 3)
        os.kill(endless.event("worker ready")["pid"], signal.SIGKILL)
        replies = [one.result() for one in waiting]
    assert {reply.status for reply in replies} == {503}
    assert replies[0].json["error"]["code"] == "unavailable"
    assert endless.event("worker ended")["status"] == -signal.SIGKILL
    while endless.request("GET", "/ping").status != 200:
        assert endless.ask(SHORT).status in (503, 200)
    endless.event("worker ready", 1)
    assert endless.ask(SHORT).status == 200
    assert endless.metric("longspan_worker_ends_total") == 1


def test_sigterm_finishes_what_is_there(launch, endless_base):
    server = launch(endless_base).wait_ready()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(server.ask, {"text": "w1", "max_length": 1500})
        _until_working(server, 1)
        server.process.send_signal(signal.SIGTERM)
        assert waiting.result().status == 200
    assert server.stop() == 0
    assert server.event("stopped")
    assert server.errors == ""


def test_sigterm_while_it_starts_leaves_nothing_behind(launch, base, tmp_path: Path):
    scratch = tmp_path / "scratch"
    (tmp_path / "model").mkdir()
    scratch.mkdir()
    with tarfile.open(tmp_path / "model" / "model.tar.gz", "w:gz") as archive:
        archive.add(base / "model", ".")
    server = launch(tmp_path, TMPDIR=str(scratch))
    assert server.event("listening")["model"].startswith(str(scratch))
    assert server.stop() == 0
    assert server.errors == ""
    assert not list(scratch.iterdir())


def test_what_cannot_be_finished_in_time_gets_a_503(launch, endless_base):
    server = launch(endless_base, LONGSPAN_DRAIN="2").wait_ready()
    bodies = [LONG, {"text": [LONG["text"]] * 500, "max_length": 20_000}]
    streamed = {**LONG, "stream": True, "profile": "fast"}
    with ThreadPoolExecutor(3) as pool, _connect(server) as half:
        waiting = [pool.submit(server.ask, body) for body in bodies]
        stream = pool.submit(server.ask, streamed)
        half.sendall(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
        _until_working(server, 3)
        assert server.metric("longspan_requests_arriving") == 1
        server.process.send_signal(signal.SIGTERM)
        for one in waiting:
            assert one.result().status == 503
            assert int(one.result().headers["retry-after"]) >= 1
        assert json.loads(stream.result().body.splitlines()[-1])["error"]["code"] == "unavailable"
        assert b" 503 " in half.recv(4096)  # one whose body is still on its way
    assert server.stop() == 0
    assert not [event for event in server.events if event.get("reason") == "CancelledError"]
    assert server.errors == ""


def test_a_worker_that_says_nothing_is_replaced_and_what_it_had_gets_a_503(launch, endless_base):
    server = launch(endless_base, LONGSPAN_SILENCE="3").wait_ready()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(server.ask, LONG)
        _until_working(server, 1)
        os.kill(server.event("worker ready")["pid"], signal.SIGSTOP)
        assert waiting.result().status == 503
    assert server.event("worker ended")["status"] == -signal.SIGKILL
    server.event("worker ready", 1)
    assert server.ask(SHORT).status == 200


def test_a_busy_worker_is_not_silent(launch, endless_base):
    server = launch(endless_base, LONGSPAN_SILENCE="3", LONGSPAN_DEADLINE="4").wait_ready()
    assert server.ask(LONG).status in (200, 504)
    assert server.metric("longspan_worker_ends_total") == 0


def test_a_deadline_ends_the_work_and_a_full_queue_says_when_to_come_again(launch, endless_base):
    server = launch(endless_base, LONGSPAN_DEADLINE="2", LONGSPAN_QUEUE="2").wait_ready()
    with ThreadPoolExecutor(2) as pool:
        bodies = [LONG, {**LONG, "stream": True, "profile": "fast"}]
        waiting = [pool.submit(server.ask, body) for body in bodies]
        _until_working(server, 2)
        refused = server.ask(SHORT)
        late, streamed = (one.result() for one in waiting)
    assert refused.status == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert late.status == 504
    assert "within 2 seconds" in late.json["error"]["message"]
    assert json.loads(streamed.body.splitlines()[-1])["error"]["code"] == "too_late"
    # Their work has gone: another one is not held up by it.
    assert server.ask(SHORT).status == 200
    with socket.create_connection(("127.0.0.1", server.port), timeout=180) as connection:
        connection.sendall(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
        assert b" 408 " in connection.recv(4096)  # a body that never comes


def test_a_body_beyond_the_limit_is_refused(launch):
    server = launch(
        LONGSPAN_MAX_BODY_MB="0.01", LONGSPAN_MAX_TEXTS="3", LONGSPAN_LONG_INPUT="refuse"
    ).wait_ready()
    assert server.ask({"text": "x" * 100_000}).status == 413
    reply = server.ask({"text": "x" * 20_000})
    assert reply.status == 413
    assert "at most 10,000 bytes" in reply.json["error"]["message"]
    with socket.create_connection(("127.0.0.1", server.port), timeout=180) as connection:
        connection.sendall(
            b"POST /invocations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        connection.sendall(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
        assert b"413" in connection.recv(4096)
    assert server.ask({"text": ["w1"] * 4}).status == 413
    assert server.ask({"text": ["w1"] * 3}).status == 200
    assert server.ask({"text": "w1 " * 1000}).status == 413
    assert server.ask({"text": "w1 " * 1000, "split": "auto"}).status == 200


def test_a_model_that_is_none_ends_the_server_with_one_line(launch, base, tmp_path: Path):
    shutil.copytree(base / "model", tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"\x80\x04pickle")
    broken = launch(tmp_path)
    assert broken.process.wait(180) == 1
    broken.stop()
    assert broken.errors.startswith("longspan: error: ")
    assert str(tmp_path / "model" / "model.safetensors") in broken.errors
    assert broken.errors.count("\n") == 1


def test_a_model_that_cannot_translate_ends_the_server_with_its_path(
    launch, base: Path, tmp_path: Path
):
    folder = tmp_path / "model"
    loaded = load_model(base / "model")
    with torch.no_grad():
        loaded.model.projection.bias.fill_(torch.nan)
    save_model(folder, loaded.model, loaded.hyperparameters, loaded.tokenizer)
    broken = launch(tmp_path)
    assert broken.process.wait(180) == 1
    broken.stop()
    assert broken.errors.startswith(f"longspan: error: {folder}: the model cannot translate: ")
    assert broken.errors.count("\n") == 1


def test_a_worker_that_ends_before_it_is_ready_ends_the_server_with_the_models_path(launch, base):
    server = launch()
    os.kill(server.event("worker started")["pid"], signal.SIGKILL)
    assert server.process.wait(180) == 1
    server.stop()
    assert server.errors.startswith(f"longspan: error: {base / 'model'}: expected a worker that ")
    assert server.errors.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("LONGSPAN_WORKERS", "many", "an integer from 0 to 64"),
        ("LONGSPAN_LANGUAGE", "klingon", "the ISO 639 code of a language, such as en, ja or pt-br"),
    ],
)
def test_wrong_settings_end_the_server_with_one_line(launch, name, value, allowed):
    wrong = launch(**{name: value})
    assert wrong.process.wait(180) == 1
    wrong.stop()
    assert wrong.errors == f"longspan: error: {name}: expected {allowed}, got {value!r}\n"


def test_a_port_that_is_taken_is_named(launch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        second = launch(SAGEMAKER_BIND_TO_PORT=str(port))
        assert second.process.wait(180) == 1
    second.stop()
    assert f"127.0.0.1 port {port}" in second.errors


def _connect(server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=180)


def _until_working(server, requests: int) -> None:
    """Until so many are being answered, and a moment more, so that the worker has them."""
    end = time.monotonic() + 180
    while server.metric("longspan_requests_in_flight") < requests:
        assert time.monotonic() < end
        time.sleep(0.01)
    time.sleep(0.1)
