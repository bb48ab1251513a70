"""What is said of an execution that did not succeed."""

import pytest

from longspan.pipelines.runs.execution import ExecutionState, StepState
from longspan.pipelines.runs.following import explain_failure

JOB = "arn:aws:sagemaker:us-east-1:123456789012:processing-job/prepare-1"


@pytest.mark.parametrize(
    ("status", "reason", "steps", "said"),
    [
        (
            "Failed",
            "a step failed",
            (StepState("Prepare", "Failed", resource=JOB, reason="no pairs"),),
            ["longspan: error: step Prepare: no pairs", "its log: longspan logs prepare-1"],
        ),
        (
            "Failed",
            "no rights",
            (StepState("Prepare", "Succeeded", resource=JOB),),
            ["longspan: error: execution Failed: no rights"],
        ),
        (
            "Stopped",
            "",
            (StepState("Prepare", "Stopped", resource=JOB),),
            ["longspan: error: stopped; the same command continues where it ended"],
        ),
    ],
)
def test_it_is_told_in_a_line_or_two(
    status: str,
    reason: str,
    steps: tuple[StepState, ...],
    said: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert explain_failure(ExecutionState("arn", status, reason, steps)) == 1
    assert capsys.readouterr().err.splitlines() == said


def test_reasons_that_no_step_gave_come_after_those_that_one_gave(
    capsys: pytest.CaptureFixture[str],
) -> None:
    steps = (StepState("FailLong", "Failed", reason="too low"),)
    assert explain_failure(ExecutionState("arn", "Failed", "", steps), ["also wrong"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "longspan: error: step FailLong: too low",
        "longspan: error: also wrong",
    ]
