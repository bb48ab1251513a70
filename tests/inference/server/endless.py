"""Tests that never end, for those that interrupt them; found by name alone."""

import os
import time
from pathlib import Path

import pytest

from tests.inference.server.conftest import ServerProcess


@pytest.mark.parametrize("number", range(2))
def test_without_end(server: ServerProcess, number: int) -> None:
    assert server.request("GET", "/ping").status == 200
    Path(os.environ["LONGSPAN_RUNNING"], str(os.getpid())).touch()
    while True:
        time.sleep(1)
