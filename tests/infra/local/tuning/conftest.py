"""Tuning jobs over training jobs that are scripts in threads, behind the real control plane."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.infra.local.tuning_bench import Bench, Script


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[[Callable[[Script], None]], Bench]]:
    made: list[Bench] = []

    def make(script: Callable[[Script], None]) -> Bench:
        made.append(Bench(tmp_path, script))
        return made[-1]

    yield make
    for one in made:
        one.threads.close()
