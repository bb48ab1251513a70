import re
from pathlib import Path

import pytest

from longspan.infra.errors import ImageError
from longspan.infra.image.recipe import Recipe

ROOT = Path(__file__).parents[3]


def test_the_checkout_says_version_and_torch():
    recipe = Recipe.of(ROOT, "cpu", None, None, {})
    assert recipe.tag == f"longspan:{recipe.version}-cpu"
    assert re.fullmatch(r"torch==[\d.]+\+cpu", recipe.torch)
    # A patch release: a tag that moves would give other layers tomorrow.
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", recipe.base)


def test_a_gpu_takes_the_same_version_built_with_cuda():
    recipe = Recipe.of(ROOT, "gpu", "my-base@sha256:1", "mine:1", {"SOURCE_DATE_EPOCH": "5"})
    assert recipe.torch == Recipe.of(ROOT, "cpu", None, None, {}).torch.replace(
        "==", "==="
    ).removesuffix("+cpu")
    assert (recipe.base, recipe.tag, recipe.epoch) == ("my-base@sha256:1", "mine:1", 5)


def test_a_folder_without_the_project_is_named(tmp_path: Path):
    with pytest.raises(ImageError, match="expected a checkout of the project"):
        Recipe.of(tmp_path, "cpu", None, None, {})


def test_an_epoch_that_is_no_time_is_named():
    with pytest.raises(ImageError, match="expected seconds since 1970, got yesterday"):
        Recipe.of(ROOT, "cpu", None, None, {"SOURCE_DATE_EPOCH": "yesterday"})
