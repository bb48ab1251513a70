"""`longspan stop` of an execution that runs, on a local cloud with real jobs."""

from typing import Any

import pytest

from longspan.pipelines.command import main
from tests.infra.local.pipeline.pipeline_client import PipelineClient, definition

LONG = "import time; time.sleep(600)"


@pytest.fixture
def pipeline_client(tiny_cloud: Any, monkeypatch: pytest.MonkeyPatch) -> PipelineClient:
    for name, value in tiny_cloud.environment.items():
        monkeypatch.setenv(name, value)
    return PipelineClient(tiny_cloud, tiny_cloud.client("sagemaker"), tiny_cloud.client("s3"))


def test_the_newest_execution_is_stopped_with_its_job(
    pipeline_client: PipelineClient, capsys: pytest.CaptureFixture[str]
) -> None:
    name = pipeline_client.create(definition(pipeline_client.process("Long", LONG)))
    arn = pipeline_client.start(name)
    pipeline_client.until(arn, "Long", "Executing")
    id = arn.rsplit("/", 1)[-1]
    assert main(["stop", "--pipeline", name]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{id}: Stopped"
    assert pipeline_client.statuses(arn) == {"Long": "Stopped"}
    assert main(["stop", id]) == 0
    assert capsys.readouterr().out == f"{id} has ended already: Stopped\n"


def test_an_execution_that_there_is_not_is_one_line(
    pipeline_client: PipelineClient, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stop", "a" * 12]) == 1
    error = capsys.readouterr().err
    assert error.startswith("longspan: error: ")
    assert "a" * 12 in error
    assert error.count("\n") == 1
