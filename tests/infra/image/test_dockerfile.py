"""The Dockerfile and its build context, without a Docker engine: covers `build`."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from longspan.infra.image import build
from longspan.infra.image.packages import LAYERS
from longspan.infra.image.recipe import Recipe

ROOT = Path(__file__).parents[3]
LINES = (ROOT / "infra/image/Dockerfile").read_text().replace("\\\n", " ").splitlines()


def words(instruction: str) -> list[str]:
    return [
        line.removeprefix(instruction).strip() for line in LINES if line.startswith(instruction)
    ]


def test_it_adds_the_layers_and_runs_nothing() -> None:
    assert words("ADD ") == [f"{layer}.tar /" for layer in LAYERS]
    assert words("FROM ") == ["${BASE}"]
    assert not [line for line in LINES if line.startswith(("RUN ", "COPY "))]


@pytest.mark.parametrize("accelerator", ["cpu", "gpu"])
def test_the_build_gives_every_argument(accelerator: str) -> None:
    recipe = Recipe.of(ROOT, accelerator, None, None, {})
    given = [value.partition("=")[0] for value in build._build_arguments(recipe, "base")]
    assert set(words("ARG ")) == {name for name in given if name.isupper()}


def test_its_programs_are_modules_of_the_wheel() -> None:
    named = re.findall(r'"-m", "([\w.]+)"', "\n".join(LINES))
    assert len(named) == 2
    for name in named:
        assert find_spec(name) is not None
