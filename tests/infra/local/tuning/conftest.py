"""Tuning jobs over training jobs that are scripts in threads, behind the real control plane."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.infra.local.tuning.scripted_tuning import Script, ScriptedTuning


@pytest.fixture
def scripted_tuning(
    tmp_path: Path,
) -> Iterator[Callable[[Callable[[Script], None]], ScriptedTuning]]:
    made: list[ScriptedTuning] = []

    def make(script: Callable[[Script], None]) -> ScriptedTuning:
        made.append(ScriptedTuning(tmp_path, script))
        return made[-1]

    yield make
    for one in made:
        one.threads.close()
