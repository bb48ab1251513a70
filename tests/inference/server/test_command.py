"""`longspan serve MODEL`: for people, on their own machine."""

import tarfile
from pathlib import Path

from tests.inference.server.conftest import ServerProcess


def test_it_serves_a_model_directory_with_the_page(base):
    command = ["longspan.pipelines.command", "serve", str(base / "model"), "--port", "0"]
    with ServerProcess(base, [*command, "--profile", "fast", "--workers", "1"]) as server:
        assert server.event("listening")["url"].startswith("http://127.0.0.1:")
        server.wait_ready()
        assert server.ask({"text": "w1 w2"}).status == 200
        assert b"<title>longspan</title>" in server.request("GET", "/").body
        assert server.stop() == 0


def test_a_folder_that_is_no_model_is_named(base, tmp_path):
    command = ["longspan.pipelines.command", "serve", str(tmp_path), "--port", "0"]
    with ServerProcess(base, command) as server:
        assert server.process.wait(180) == 1
    assert server.errors.startswith(f"longspan: error: {tmp_path}: expected model.tar.gz")


def test_sigterm_while_it_unpacks_leaves_nothing_behind(base, eventually, tmp_path: Path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz", compresslevel=1) as archive:
        archive.add(base / "model", ".")
        padding = tarfile.TarInfo("padding")
        padding.size = 10**8  # so that it takes a while
        with Path("/dev/zero").open("rb") as zeros:
            archive.addfile(padding, zeros)
    command = ["longspan.pipelines.command", "serve", str(tmp_path), "--port", "0"]
    with ServerProcess(base, command, TMPDIR=str(scratch)) as server:
        eventually(lambda: list(scratch.iterdir()))
        assert server.stop() == 130
    assert server.errors == "longspan: error: stopped by a signal\n"
    assert not list(scratch.iterdir())
