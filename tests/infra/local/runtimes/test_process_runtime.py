"""Containers as processes: what they see, and how they end."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.runtimes.process_runtime import ProcessRuntime
from longspan.infra.local.runtimes.runtime import Container

SHOW = "import json, os, sys; print(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]))"


@pytest.fixture
def runtime() -> Iterator[ProcessRuntime]:
    started = ProcessRuntime(threads=3)
    yield started
    started.close()


def container(
    folder: Path, *command: str, environment: Mapping[str, str] | None = None
) -> Container:
    base = folder / "base"
    base.mkdir(exist_ok=True)
    return Container("job", "image", command, base, folder / "logs/job.log", environment or {})


def shown(runtime: ProcessRuntime, asked: Container) -> tuple[list[str], str, dict[str, str]]:
    """Arguments, working directory and environment of what runs."""
    assert runtime.start(asked).wait() == 0
    arguments, folder, environment = json.loads(asked.log.read_text())
    return arguments, folder, environment


def test_the_folder_replaces_opt_ml_without_mounts(tmp_path: Path) -> None:
    asked = container(
        tmp_path,
        *("python", "-c", SHOW, "/opt/ml", "--to=/opt/ml/model/x", "/opt/mlx", "s3://a/opt/ml"),
        environment={"WHERE": "/opt/ml/input", "LONGSPAN_BASE": "/elsewhere"},
    )
    runtime = ProcessRuntime(mounts=False)
    assert runtime.no_root
    arguments, folder, environment = shown(runtime, asked)
    runtime.close()
    base = str(asked.base)
    assert arguments == [base, f"--to={base}/model/x", "/opt/mlx", "s3://a/opt/ml"]
    assert folder == base
    assert environment["WHERE"] == f"{base}/input"
    assert environment["LONGSPAN_BASE"] == base


def test_of_our_environment_a_job_sees_what_any_program_needs(
    runtime: ProcessRuntime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the user's own")
    monkeypatch.setenv("OMP_NUM_THREADS", "99")
    _, _, environment = shown(runtime, container(tmp_path, "python3", "-c", SHOW))
    assert environment["PATH"].endswith(f":{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert environment["OMP_NUM_THREADS"] == "3"
    assert int(environment["SAGEMAKER_BIND_TO_PORT"]) > 0
    assert "AWS_SECRET_ACCESS_KEY" not in environment


def test_a_job_keeps_to_the_processor_that_this_process_is_limited_to(
    runtime: ProcessRuntime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
    for name, value in limits.items():
        monkeypatch.setenv(name, value)
    _, _, environment = shown(runtime, container(tmp_path, "python3", "-c", SHOW))
    assert limits.items() <= environment.items()


def test_the_images_commands_are_this_projects(runtime: ProcessRuntime, tmp_path: Path) -> None:
    asked = container(tmp_path, "train", "--no-such-option")
    assert runtime.start(asked).wait() not in (0, 127)
    assert "got --no-such-option" in asked.log.read_text()


def test_a_log_is_appended_to(runtime: ProcessRuntime, tmp_path: Path) -> None:
    asked = container(tmp_path, "python", "-c", "import sys; print(1); print(2, file=sys.stderr)")
    for _ in range(2):
        runtime.start(asked).wait()
    assert sorted(asked.log.read_text().split()) == ["1", "1", "2", "2"]


def test_statuses_and_times(runtime: ProcessRuntime, tmp_path: Path) -> None:
    running = runtime.start(container(tmp_path, "python", "-c", "import time; time.sleep(600)"))
    assert running.wait(0) is None
    assert running.wait(0.05) is None
    running.kill()
    assert running.wait(180) == 137
    running.kill()  # once more is no error
    running.terminate()


def test_a_program_that_is_not_there_ends_with_127(runtime: ProcessRuntime, tmp_path: Path) -> None:
    asked = container(tmp_path, "/no/such/program")
    assert runtime.start(asked).wait(180) == 127
    assert "/no/such/program: No such file" in asked.log.read_text()


def test_without_a_command_nothing_can_be_started(runtime: ProcessRuntime, tmp_path: Path) -> None:
    with pytest.raises(LocalCloudError, match="expected ContainerEntrypoint, got none"):
        runtime.start(container(tmp_path))


def test_a_folder_that_is_not_there_is_an_error(runtime: ProcessRuntime, tmp_path: Path) -> None:
    gone = Container("job", "image", ("python",), tmp_path / "gone", tmp_path / "log")
    with pytest.raises(LocalCloudError, match="job: cannot start"):
        runtime.start(gone)


def test_closing_kills_what_runs(tmp_path: Path) -> None:
    runtime = ProcessRuntime()
    asleep: tuple[Any, ...] = (sys.executable, "-c", "import time; time.sleep(600)")
    running = [runtime.start(container(tmp_path, *asleep)) for _ in range(3)]
    runtime.close()
    assert [one.wait(0) for one in running] == [137] * 3


def test_hosts_are_addresses_of_this_machine(runtime: ProcessRuntime) -> None:
    names = runtime.host_names(3)
    assert len(set(names)) == 3
    assert all(name.startswith("127.") for name in names)
