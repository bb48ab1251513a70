"""moto's server in this process, empty, which forgets everything when it is told to."""

import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

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
        order = urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")
        urllib.request.urlopen(order).close()


@pytest.fixture(scope="module")
def moto_server() -> Iterator[Moto]:
    server = MotoServer()
    url = server.start()
    yield Moto(url, Clients(url, Credentials("local", "local")))
    server.stop()


@pytest.fixture
def moto(moto_server: Moto) -> Iterator[Moto]:
    moto_server.forget()
    yield moto_server
    moto_server.forget()
