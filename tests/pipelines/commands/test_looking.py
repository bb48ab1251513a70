"""commands/status.py, logs.py, endpoints.py: without a running local cloud they start nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from longspan.pipelines.command import main
from tests.pipelines.commands.test_delivery import GROUP, Registry

NO_JOBS = json.dumps(
    {
        "Version": "2020-12-01",
        "Steps": [{"Name": "End", "Type": "Fail", "Arguments": {"ErrorMessage": "as it should"}}],
    }
)


@pytest.fixture
def stopped(
    launch: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Registry:
    """A cloud with an endpoint and an execution, which has ended."""
    cloud = launch(tmp_path / "cloud", tiny=True)
    registry = Registry(cloud)
    registry.register("first")
    registry.sagemaker.create_pipeline(
        PipelineName="shown",
        PipelineDefinition=NO_JOBS,
        RoleArn=cloud.role,
        ClientRequestToken="t" * 32,
    )
    registry.sagemaker.start_pipeline_execution(PipelineName="shown", ClientRequestToken="e" * 32)
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as there:
        for name, value in cloud.environment.items():
            there.setenv(name, value)
        assert main(["deploy"]) == 0
    cloud.stop()
    return registry


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file, and when it was written."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


@pytest.mark.long
def test_a_listing_changes_nothing(
    stopped: Registry,
    launch: Callable[..., Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    directory = tmp_path / "cloud"
    before, options = contents(directory), ["--directory", str(directory)]
    capsys.readouterr()
    assert main(["endpoints", *options]) == 0
    [line, reason] = capsys.readouterr().out.splitlines()
    assert line.split()[:2] == [GROUP, "OutOfService"]
    assert reason.strip().startswith("The local cloud does not run")
    assert main(["status", *options]) == 0
    assert "shown" in capsys.readouterr().out
    assert main(["logs", GROUP, *options]) == 0
    assert "serving first" in capsys.readouterr().out
    assert main(["stop", "--pipeline", "shown", *options]) == 0
    assert "has ended already: Failed" in capsys.readouterr().out
    assert contents(directory) == before

    # Whoever needs the endpoint has it again.
    again = Registry(launch(directory, tiny=True))
    again.sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName=GROUP, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    assert again.serving() == "first"


def test_a_listing_makes_no_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["endpoints"]) == 0
    assert capsys.readouterr().out == "no endpoints\n"
    assert list(tmp_path.iterdir()) == []
