"""`longspan stop` of an execution that runs, on a local cloud with real jobs."""

from typing import Any

import pytest

from longspan.pipelines.command import main
from tests.infra.local.pipeline_bench import PipelineBench, definition

LONG = "import time; time.sleep(600)"


@pytest.fixture
def bench(tiny_cloud: Any, monkeypatch: pytest.MonkeyPatch) -> PipelineBench:
    for name, value in tiny_cloud.environment.items():
        monkeypatch.setenv(name, value)
    return PipelineBench(tiny_cloud, tiny_cloud.client("sagemaker"), tiny_cloud.client("s3"))


def test_the_newest_execution_is_stopped_with_its_job(
    bench: PipelineBench, capsys: pytest.CaptureFixture[str]
) -> None:
    name = bench.create(definition(bench.process("Long", LONG)))
    arn = bench.start(name)
    bench.until(arn, "Long", "Executing")
    id = arn.rsplit("/", 1)[-1]
    assert main(["stop", "--pipeline", name]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{id}: Stopped"
    assert bench.statuses(arn) == {"Long": "Stopped"}
    assert main(["stop", id]) == 0
    assert capsys.readouterr().out == f"{id} has ended already: Stopped\n"


def test_an_execution_that_there_is_not_is_one_line(
    bench: PipelineBench, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stop", "a" * 12]) == 1
    error = capsys.readouterr().err
    assert error.startswith("longspan: error: ")
    assert "a" * 12 in error
    assert error.count("\n") == 1
