"""The keeper: what changes is saved soon, and all of it before it ends."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.control.clients import Clients, Credentials
from longspan.infra.local.moto.kept.keeper import AGENT, Keeper
from longspan.infra.local.moto.server import MotoServer
from tests.infra.local.moto.kept.conftest import REGION, Moto


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Moto, Keeper, Path]]:
    """A server that tells the keeper what changes."""
    server = MotoServer()
    url = server.start()
    moto = Moto(url, Clients(url, Credentials("local", "local")))
    moto.forget()
    keeper = Keeper(tmp_path)
    server.watch(keeper.changed, AGENT)
    keeper.start(Clients(url, Credentials("local", "local"), AGENT))
    yield moto, keeper, tmp_path
    keeper.close()
    server.stop()


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 180
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_changes_is_saved_soon(watched: tuple[Moto, Keeper, Path]) -> None:
    moto, _, folder = watched
    clients = moto.clients.in_region(REGION)
    clients.client("s3").create_bucket(Bucket="one")
    clients.client("iam").create_user(UserName="user")
    clients.client("logs").create_log_group(logGroupName="g")
    until(lambda: (folder / "s3/one/index.json").exists())
    until(lambda: (folder / "iam.json").exists())
    until(lambda: (folder / f"logs/{REGION}/index.json").exists())


def test_closing_saves_the_rest_at_once(watched: tuple[Moto, Keeper, Path]) -> None:
    moto, keeper, folder = watched
    moto.clients.in_region(REGION).client("s3").create_bucket(Bucket="late")
    keeper.close()
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

    slow, keeper = Slow(), Keeper(tmp_path)
    keeper._kept = {"s3": slow}
    keeper.start(Clients("http://127.0.0.1:9", Credentials("a", "b")))
    keeper.changed("s3", REGION)
    assert saving.wait(180)
    keeper.changed("s3", REGION)
    closer = threading.Thread(target=keeper.close)
    closer.start()
    until(keeper._closing.is_set)
    goes_on.set()
    closer.join(180)
    assert slow.saved == 2


def test_a_service_that_cannot_be_saved_does_not_stop_the_others(
    watched: tuple[Moto, Keeper, Path], caplog: pytest.LogCaptureFixture
) -> None:
    moto, keeper, folder = watched
    (folder / "iam.json").mkdir()
    clients = moto.clients.in_region(REGION)
    clients.client("iam").create_user(UserName="user")
    clients.client("s3").create_bucket(Bucket="one")
    keeper.close()
    assert "the state of iam was not saved" in caplog.text
    assert json.loads((folder / "s3/one/index.json").read_text())["bucket"] == "one"


def test_its_own_requests_are_no_changes(watched: tuple[Moto, Keeper, Path]) -> None:
    """Else every save would lead to the next one."""
    moto, keeper, _ = watched
    moto.clients.in_region(REGION).client("iam").create_user(UserName="user")
    until(lambda: not keeper._changes)
    time.sleep(0.3)
    assert not keeper._changes


def test_what_cannot_be_restored_is_named(moto: Moto, tmp_path: Path) -> None:
    (tmp_path / "iam.json").write_text('{"Policies": [{}]}')
    with pytest.raises(LocalCloudError, match="the state of iam cannot be restored"):
        Keeper(tmp_path).restore(moto.clients)
    (tmp_path / "iam.json").write_text("{")
    with pytest.raises(LocalCloudError, match=r"iam\.json: expected JSON"):
        Keeper(tmp_path).restore(moto.clients)
