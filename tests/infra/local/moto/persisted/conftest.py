"""moto's server in this process, empty, which forgets everything when it is told to."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from moto.moto_api._internal import moto_api_backend

from longspan.infra.local.control.clients import Clients, Credentials
from longspan.infra.local.moto.server import MotoServer

REGION = "us-east-1"


@dataclass(frozen=True)
class Moto:
    """`clients` are those of anybody: no one checks keys here."""

    url: str
    clients: Clients

    def forget(self) -> None:
        """What the end of a process does."""
        moto_api_backend.reset()


@pytest.fixture(scope="module")
def moto_server() -> Iterator[Moto]:
    server = MotoServer(any_key=True)
    url = server.start()
    yield Moto(url, Clients(url, Credentials("local", "local")))
    server.stop()


@pytest.fixture
def moto(moto_server: Moto) -> Iterator[Moto]:
    moto_server.forget()
    yield moto_server
    moto_server.forget()
