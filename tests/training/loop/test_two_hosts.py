"""`distributed` on two machines of one training job, as SageMaker's resourceconfig names them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from longspan.training.container.paths import ContainerPaths
from longspan.training.model.directory import load_model

# Addresses of one machine, which stand for two: they meet on the loopback.
HOSTS = ["127.0.0.1", "127.0.0.2"]


def machine(folder: Path, prepared: Path, settings: dict[str, str]) -> ContainerPaths:
    paths = ContainerPaths(folder)
    paths.hyperparameters.parent.mkdir(parents=True)
    paths.hyperparameters.write_text(json.dumps(settings))
    shutil.copytree(prepared, paths.channel("prepared"))
    return paths


def start(paths: ContainerPaths, **variables: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "longspan.pipelines.jobs", "train"],
        env={**os.environ, "LONGSPAN_BASE": str(paths.base), "OMP_NUM_THREADS": "1", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(jobs: Sequence["subprocess.Popen[str]"]) -> list[str]:
    """What each one wrote; none of them may fail."""
    try:
        written = [job.communicate(timeout=180) for job in jobs]
    finally:
        for job in jobs:
            job.terminate()  # and with it its workers
    assert [job.returncode for job in jobs] == [0] * len(jobs), written
    return [output for output, _ in written]


@pytest.fixture
def prepared(write_prepared: Callable[..., Path], tmp_path: Path) -> Path:
    return write_prepared(tmp_path / "prepared")


@pytest.mark.long
def test_two_machines_train_what_one_with_two_processes_does(
    prepared: Path, tiny_settings: dict[str, str], tmp_path: Path
):
    machines = []
    for host in HOSTS:
        paths = machine(tmp_path / host, prepared, tiny_settings)
        config = {"hosts": HOSTS, "current_host": host, "network_interface_name": "lo"}
        paths.resource_config.write_text(json.dumps(config))
        machines.append(paths)
    first, second = ended([start(paths) for paths in machines])
    assert "2 processes" in first
    # The first machine speaks and keeps the model.
    assert "training is over" not in second
    assert not list(machines[1].model.glob("*.safetensors"))

    alone = machine(tmp_path / "alone", prepared, tiny_settings)
    alone.resource_config.write_text(json.dumps({"hosts": ["algo-1"], "current_host": "algo-1"}))
    [said] = ended([start(alone, LONGSPAN_PROCESSES="2")])
    assert "2 processes" in said
    assert said.count("training is over") == 1  # one of the two speaks
    assert load_model(alone.model).hyperparameters.max_num_batches == 30
    weights = [(p.model / "model.safetensors").read_bytes() for p in (machines[0], alone)]
    assert weights[0] == weights[1]
