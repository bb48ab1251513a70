"""What the container's arguments stand for, and when it is healthy."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from longspan.infra.image.entrypoint import command, main
from longspan.infra.image.health import healthy


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ["longspan.pipelines.jobs", "train"]),
        (["train"], ["longspan.pipelines.jobs", "train"]),
        (["serve"], ["longspan.inference", "serve"]),
        (["prepare", "--joint"], ["longspan.pipelines.jobs", "prepare", "--joint"]),
        (["evaluate"], ["longspan.pipelines.jobs", "evaluate"]),
    ],
)
def test_arguments_become_a_module(arguments: list[str], expected: list[str]):
    program = command(arguments)
    assert program is not None
    assert program[2:] == expected


@pytest.mark.parametrize("arguments", [["dance"], ["train", "fast"], ["serve", "--port", "1"]])
def test_anything_else_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    assert main(arguments) == 2
    assert f"got {' '.join(arguments)}" in capsys.readouterr().err


class Ping(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/ping" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ping) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield str(server.server_port)
        server.shutdown()


SERVE = b"python\0-m\0longspan.inference\0serve\0"


def test_a_server_is_as_healthy_as_its_ping(port: str, monkeypatch: pytest.MonkeyPatch):
    variables = {"SAGEMAKER_BIND_TO_PORT": port}
    assert healthy(SERVE, variables)
    monkeypatch.setattr(Ping, "status", 503)
    assert not healthy(SERVE, variables)


def test_a_server_that_does_not_answer_is_not(port: str):
    assert not healthy(SERVE, {"SAGEMAKER_BIND_TO_PORT": "1"})


def test_a_job_has_nothing_to_answer():
    assert healthy(b"python\0-m\0longspan.pipelines.jobs\0train\0", {})
