"""A Docker engine, the image, and what SageMaker's SDK needs to run it: else skips that say why."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from longspan.pipelines.cloud.local_cloud import LocalCloud
from longspan.training.model.archive import unpack_model

IMAGE = "longspan:local"
REFEREE = Path(__file__).with_name("referee")
_SECONDS_TO_START = 60


def _answers(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The one that runs, or one started for these tests where we have the right to."""
    if _answers("docker", "version"):
        yield
        return
    if shutil.which("dockerd") is None or os.geteuid() != 0:
        pytest.skip("no Docker engine runs here, and there is none to start, or no right to")
    log = tmp_path_factory.mktemp("engine") / "dockerd.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            (
                *("dockerd", "--host=unix:///var/run/docker.sock"),
                *("--exec-opt", "native.cgroupdriver=cgroupfs"),
            ),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + _SECONDS_TO_START
    while not _answers("docker", "version"):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            pytest.skip(f"dockerd does not start: {log.read_text().splitlines()[-1:]}")
        time.sleep(0.5)
    yield
    process.terminate()
    process.wait(_SECONDS_TO_START)


@pytest.fixture(scope="session")
def image(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its name; what the SDK's local mode leaves behind of it is removed."""
    if not _answers("docker", "image", "inspect", IMAGE):
        pytest.skip(f"the image {IMAGE} is not on this machine: longspan image build")
    yield IMAGE
    for container in _containers(tmp_path_factory.getbasetemp()):
        subprocess.run(["docker", "rm", "--force", container], capture_output=True)
    subprocess.run(["docker", "network", "rm", "sagemaker-local"], capture_output=True)


def _containers(folder: Path) -> list[str]:
    """Those of the image that mount something below a folder: other tests may run beside these."""
    command = ["docker", "ps", "--all", "--quiet", "--filter", f"ancestor={IMAGE}"]
    found = subprocess.run(command, capture_output=True, text=True).stdout.split()
    return [container for container in found if f"{folder}/" in _mounts(container)]


def _mounts(container: str) -> str:
    words = "{{range .Mounts}}{{println .Source}}{{end}}"
    command = ["docker", "inspect", "--format", words, container]
    return subprocess.run(command, capture_output=True, text=True).stdout


@pytest.fixture(scope="session")
def compose() -> None:
    if not _answers("docker", "compose", "version") and not _answers("docker-compose", "version"):
        pytest.skip("SageMaker's local mode needs docker compose")


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """S3 for the SDK: a local cloud, of whose SageMaker nothing is asked."""
    with LocalCloud(tmp_path_factory.mktemp("storage")) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def referee(
    image: str, storage: LocalCloud, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Any]:
    """Runs a script of `referee/` with SageMaker's SDK; what it says on its last line."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **storage.environment,
        # What its containers mount, which tells them from others of the image.
        "TMPDIR": str(tmp_path_factory.mktemp("mounted")),
        "LONGSPAN_IMAGE": image,
    }

    def run(script: str, *arguments: object, seconds: float = 900) -> Any:
        done = subprocess.run(
            [sys.executable, str(REFEREE / script), *map(str, arguments)],
            env=environment,
            cwd=tmp_path_factory.mktemp("referee"),
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        print(done.stdout, done.stderr, sep="\n")  # shown where a test fails
        assert done.returncode == 0
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture(scope="session")
def trained(
    referee: Callable[..., Any],
    compose: None,
    write_prepared: Callable[..., Path],
    tiny_settings: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The model directory that SageMaker's ModelTrainer leaves of a job in local mode."""
    folder = tmp_path_factory.mktemp("trained")
    work = folder / "work"
    work.mkdir()
    prepared = write_prepared(folder / "prepared")
    archives = referee("model_trainer.py", prepared, work, json.dumps(tiny_settings))
    [archive] = [Path(path) for path in archives if path.endswith("/model.tar.gz")]
    return unpack_model(archive, folder / "model")
