"""SageMaker's own local mode trains with the image: `ModelTrainer`, local container."""

from pathlib import Path

import pytest

from longspan.training.model_directory import load_model

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("docker")]


def test_the_sdk_trains_a_model_that_loads(trained: Path, tiny_settings: dict[str, str]):
    loaded = load_model(trained)
    assert loaded.hyperparameters.rnn_num_hidden == int(tiny_settings["rnn_num_hidden"])


def test_nothing_that_the_image_leaves_belongs_to_root_alone(trained: Path):
    assert all(path.stat().st_mode & 0o444 for path in trained.rglob("*"))
