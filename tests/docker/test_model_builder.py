"""SageMaker's own local mode serves the image: `ModelBuilder`, local container, /invocations."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.docker, pytest.mark.long]

_TEXT = "w1 w2 w3"


def test_the_sdks_endpoint_translates_as_the_command_does(
    referee: Callable[..., Any], trained: Path
):
    [prediction] = referee("model_builder.py", trained, _TEXT)["predictions"]
    command = ["translate", str(trained), "--text", _TEXT]
    own = subprocess.run(
        [sys.executable, "-m", "longspan.pipelines.command", *command],
        capture_output=True,
        text=True,
        check=True,
    )
    assert prediction["target"] == own.stdout.rstrip("\n")
