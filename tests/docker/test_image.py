"""What the image is: small, labelled, and no program of it runs as root."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.docker

_MOST_BESIDE_TORCH = 10**9
_TORCH = "/opt/longspan/lib/torch"
_SECONDS = 240.0  # as long as SageMaker waits for a server


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
    assert "expected train, prepare, collect, evaluate, serve, got dance" in done.stderr


@pytest.mark.parametrize(
    ("entrypoint", "arguments"),
    [("", ("train",)), ("python", ("-m", "longspan.pipelines.jobs", "train"))],
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


@pytest.fixture(scope="module")
def trained_here(
    image: str,
    write_prepared: Callable[..., Path],
    tiny_settings: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """`/opt/ml` of a server: with a model that the image's `train` has made."""
    base = tmp_path_factory.mktemp("trained")
    write_prepared(base / "input/data/prepared")
    (base / "input/config").mkdir()
    (base / "input/config/hyperparameters.json").write_text(json.dumps(tiny_settings))
    options = ("--volume", f"{base}:/opt/ml", "--env", "OMP_NUM_THREADS=1")
    done = run(image, "train", options=options)
    assert done.returncode == 0, done.stderr
    return base


def inspected(container: str, words: str) -> str:
    command = ["docker", "inspect", "--format", words, container]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_server_becomes_healthy_and_no_process_of_it_is_roots(image: str, trained_here: Path):
    command = ["docker", "run", "--detach", "--network", "none", "--env", "OMP_NUM_THREADS=1"]
    command += ["--health-interval", "2s", "--volume", f"{trained_here}:/opt/ml", image, "serve"]
    started = subprocess.run(command, capture_output=True, text=True, check=True)
    container = started.stdout.strip()
    try:
        deadline = time.monotonic() + _SECONDS
        while inspected(container, "{{.State.Health.Status}}") != "healthy":
            assert inspected(container, "{{.State.Running}}") == "true"
            assert time.monotonic() < deadline
            time.sleep(0.5)
        # The container's own processes: Docker's checks enter it from outside.
        code = (
            "import os, pathlib\n"
            "for p in pathlib.Path('/proc').glob('[0-9]*'):\n"
            "    lines = (p / 'status').read_text().splitlines()\n"
            "    kept = dict(line.split(':', 1) for line in lines)\n"
            "    served = b'longspan.inference' in (p / 'cmdline').read_bytes()\n"
            "    if served and p.name != str(os.getpid()):\n"
            "        print(*kept['Uid'].split(), kept['CapEff'].strip())"
        )
        enter = ["docker", "exec", container, "python", "-c", code]
        shown = subprocess.run(enter, capture_output=True, text=True, check=True).stdout
        processes = [line.split() for line in shown.splitlines()]
        assert processes
        for *users, capabilities in processes:
            assert "0" not in users
            assert int(capabilities, 16) == 0
    finally:
        subprocess.run(["docker", "rm", "--force", container], capture_output=True)
