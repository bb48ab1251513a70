"""Connections to a local cloud, and what is said when AWS_ENDPOINT_URL names something else."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from longspan.pipelines.cloud.connection import open_local
from longspan.pipelines.command import main


class Silent(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def other_server() -> Iterator[str]:
    """The address of an HTTP server that has nothing to do with AWS."""
    with HTTPServer(("127.0.0.1", 0), Silent) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(words) == 1
    [line] = capsys.readouterr().err.splitlines()
    return line


def test_another_server_is_not_taken_for_a_local_cloud(
    other_server: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", other_server)
    line = said(capsys, "status", "--directory", str(tmp_path))
    assert f"expected the address of a local cloud, got {other_server}, where another" in line
    assert "unset the variable, or give --aws" in line


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-x\r\n"])
def test_a_server_of_another_protocol(
    greeting: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            caller, _ = server.accept()
            with caller:
                caller.sendall(greeting)
                caller.recv(1000)

        thread = threading.Thread(target=greet)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        line = said(capsys, "status", "--directory", str(tmp_path))
        thread.join()
    assert "where none answers" in line


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nonsense", "http://", "ftp://a", "a b"])
def test_an_address_where_none_answers(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    line = said(capsys, "status", "--directory", str(tmp_path))
    assert f"got {url}, where none answers" in line


def test_variables_without_a_value_are_none(
    tiny_cloud: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")
    with open_local(tiny_cloud.directory) as connection:
        assert connection.endpoint_url == tiny_cloud.environment["AWS_ENDPOINT_URL"]
    for name in ("AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE"):
        monkeypatch.setenv(name, "")
    assert main(["endpoints", "--directory", str(tiny_cloud.directory)]) == 0


def test_a_profile_that_does_not_exist(
    tiny_cloud: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such")
    assert main(["endpoints", "--directory", str(tiny_cloud.directory)]) == 0
    assert main(["run", "--dry-run"]) == 0
    capsys.readouterr()
    line = said(capsys, "status", "--aws")
    assert "profile (no-such) could not be found: set AWS_PROFILE" in line
