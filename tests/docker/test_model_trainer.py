"""SageMaker's own local mode trains with the image: `ModelTrainer`, local container."""

from pathlib import Path

import pytest

from longspan.training.model.directory import load_model

pytestmark = pytest.mark.docker


def test_the_sdk_trains_a_model_that_loads(trained: Path, tiny_settings: dict[str, str]):
    loaded = load_model(trained)
    assert loaded.hyperparameters.rnn_num_hidden == int(tiny_settings["rnn_num_hidden"])
