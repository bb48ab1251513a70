"""The persister: what changes is saved soon, and all of it before it ends."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.control.clients import Clients, Credentials
from longspan.infra.local.moto.persisted.persister import PERSISTER_AGENT, Persister
from longspan.infra.local.moto.server import MotoServer
from tests.infra.local.moto.persisted.conftest import REGION, Moto
from tests.small_disk import fill, small_disk


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Moto, Persister, Path]]:
    """A server that tells the persister what changes."""
    server = MotoServer(any_key=True)
    url = server.start()
    moto = Moto(url, Clients(url, Credentials("local", "local")))
    moto.forget()
    persister = Persister(tmp_path)
    server.watch(persister.changed, PERSISTER_AGENT)
    persister.start(Clients(url, Credentials("local", "local"), PERSISTER_AGENT))
    yield moto, persister, tmp_path
    persister.close()
    server.stop()


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 180
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_changes_is_saved_soon(watched: tuple[Moto, Persister, Path]) -> None:
    moto, _, folder = watched
    clients = moto.clients.in_region(REGION)
    clients.client("s3").create_bucket(Bucket="one")
    clients.client("iam").create_user(UserName="user")
    clients.client("logs").create_log_group(logGroupName="g")
    until(lambda: (folder / "s3/one/index.json").exists())
    until(lambda: (folder / "iam.json").exists())
    until(lambda: (folder / f"logs/{REGION}/index.json").exists())


def test_closing_saves_the_rest_at_once(watched: tuple[Moto, Persister, Path]) -> None:
    moto, persister, folder = watched
    moto.clients.in_region(REGION).client("s3").create_bucket(Bucket="late")
    persister.close()
    assert (folder / "s3/late/index.json").exists()


def test_a_change_while_it_saves_is_not_lost(tmp_path: Path) -> None:
    saving, goes_on = threading.Event(), threading.Event()

    class Slow:
        saved = 0

        def restore(self, clients: object) -> None:
            pass

        def save(self, clients: object, region: str) -> None:
            saving.set()
            assert goes_on.wait(180)
            self.saved += 1

    slow, persister = Slow(), Persister(tmp_path)
    persister._services = {"s3": slow}
    persister.start(Clients("http://127.0.0.1:9", Credentials("a", "b")))
    persister.changed("s3", REGION)
    assert saving.wait(180)
    persister.changed("s3", REGION)
    closer = threading.Thread(target=persister.close)
    closer.start()
    until(persister._closing.is_set)
    goes_on.set()
    closer.join(180)
    assert slow.saved == 2


def test_a_service_that_cannot_be_saved_does_not_stop_the_others(
    watched: tuple[Moto, Persister, Path], caplog: pytest.LogCaptureFixture
) -> None:
    moto, persister, folder = watched
    (folder / "iam.json").mkdir()
    clients = moto.clients.in_region(REGION)
    clients.client("iam").create_user(UserName="user")
    clients.client("s3").create_bucket(Bucket="one")
    with pytest.raises(LocalCloudError, match="the last changes are lost: iam"):
        persister.close()
    assert "the state of iam cannot be saved" in caplog.text
    assert json.loads((folder / "s3/one/index.json").read_text())["bucket"] == "one"


def test_what_the_disk_did_not_take_is_saved_later(
    watched: tuple[Moto, Persister, Path], caplog: pytest.LogCaptureFixture
) -> None:
    moto, persister, folder = watched
    (folder / "s3").mkdir()
    with small_disk(folder / "s3/one", "64k") as disk:
        filler = fill(disk)
        s3 = moto.clients.in_region(REGION).client("s3")
        s3.create_bucket(Bucket="one")
        until(lambda: persister.full("s3") == "No space left on device")
        assert persister.full("iam") is None
        filler.unlink()
        # No other change: the save that failed is tried again.
        until(lambda: (disk / "index.json").exists() and persister.full("s3") is None)
        assert caplog.text.count("the state of s3 cannot be saved") == 1


def test_its_own_requests_are_no_changes(watched: tuple[Moto, Persister, Path]) -> None:
    """Else every save would lead to the next one."""
    moto, persister, _ = watched
    moto.clients.in_region(REGION).client("iam").create_user(UserName="user")
    until(lambda: not persister._changes)
    time.sleep(0.3)
    assert not persister._changes


def test_what_cannot_be_restored_is_named(moto: Moto, tmp_path: Path) -> None:
    (tmp_path / "iam.json").write_text('{"Policies": [{}]}')
    with pytest.raises(LocalCloudError, match="the state of iam cannot be restored"):
        Persister(tmp_path).restore(moto.clients)
    (tmp_path / "iam.json").write_text("{")
    with pytest.raises(LocalCloudError, match=r"iam\.json: expected JSON"):
        Persister(tmp_path).restore(moto.clients)
