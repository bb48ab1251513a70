"""SageMaker's own local mode serves the image: `ModelBuilder`, local container, /invocations."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from longspan.inference.translator import Translator

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("docker")]

_TEXT = "w1 w2 w3"


def test_the_sdks_endpoint_translates_as_the_library_does(
    referee: Callable[..., Any], trained: Path
):
    [prediction] = referee("model_builder.py", trained, _TEXT)["predictions"]
    [own] = Translator.load(trained).translate([_TEXT])
    assert prediction["target"] == own.text
