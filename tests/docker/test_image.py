"""What the image is: small, labelled, and no program of it runs as root."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("docker")]

_MOST_BESIDE_TORCH = 10**9
_TORCH = "/opt/longspan/lib/torch"


def run(image: str, *arguments: str, options: tuple[str, ...] = ()) -> Any:
    command = ["docker", "run", "--rm", "--network", "none", *options, image, *arguments]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def described(image: str) -> dict[str, Any]:
    done = subprocess.run(["docker", "image", "inspect", image], capture_output=True, text=True)
    return dict(json.loads(done.stdout)[0])


def test_it_is_small_beside_torch(image: str, described: dict[str, Any]):
    code = (
        "import pathlib; print(sum(p.stat().st_size "
        f"for p in pathlib.Path({_TORCH!r}).rglob('*') if p.is_file()))"
    )
    torch = run(image, "-c", code, options=("--entrypoint", "python"))
    assert described["Size"] - int(torch.stdout) < _MOST_BESIDE_TORCH


def test_it_says_what_it_is(described: dict[str, Any]):
    config = described["Config"]
    labels = config["Labels"]
    assert labels["org.opencontainers.image.title"] == "longspan"
    assert labels["longspan.accelerator"] == "cpu"
    # SageMaker may then choose the port: several containers of one endpoint's machine.
    assert labels["com.amazonaws.sagemaker.capabilities.accept-bind-to-port"] == "true"
    assert config["Healthcheck"]["Test"][0] == "CMD"
    assert config["Cmd"] == ["train"]
    assert config["StopSignal"] == "SIGTERM"


def test_what_it_is_not_for_is_refused(image: str):
    done = run(image, "dance")
    assert done.returncode == 2
    assert "expected train, prepare, collect, evaluate, serve, came dance" in done.stderr


@pytest.mark.parametrize(
    ("entrypoint", "arguments"),
    [("", ("train",)), ("python", ("-m", "longspan.training", "train"))],
    ids=["train", "as a processing job does"],
)
def test_a_job_gives_up_root(image: str, tmp_path: Path, entrypoint: str, arguments: Any):
    (tmp_path / "input/config").mkdir(parents=True)
    options = ["--volume", f"{tmp_path}:/opt/ml"]
    options += ["--entrypoint", entrypoint] if entrypoint else []
    done = run(image, *arguments, options=tuple(options))
    assert done.returncode == 1
    assert "expected a channel prepared" in done.stderr
    failure = tmp_path / "output/failure"
    assert failure.stat().st_uid != 0
    assert failure.read_text(encoding="utf-8")


def test_a_job_becomes_the_owner_of_the_mounted_folder(image: str, tmp_path: Path):
    own = 12_345
    tmp_path.chmod(0o777)
    inside = "import os; os.chown('/opt/ml', 12345, 12345)"
    options = ("--volume", f"{tmp_path}:/opt/ml")
    assert run(image, "-c", inside, options=(*options, "--entrypoint", "python")).returncode == 0
    assert run(image, "train", options=options).returncode == 1
    assert (tmp_path / "output/failure").stat().st_uid == own


def test_it_works_where_it_is_started_as_a_plain_user(image: str, tmp_path: Path):
    tmp_path.chmod(0o777)
    options = ("--volume", f"{tmp_path}:/opt/ml", "--user", "4321:4321")
    assert run(image, "train", options=options).returncode == 1
    assert (tmp_path / "output/failure").stat().st_uid == 4321
