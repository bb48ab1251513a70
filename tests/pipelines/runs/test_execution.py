"""Watching an execution: every change is seen, and quiet times cost few questions."""

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

from longspan.pipelines.runs.execution import Execution


class Client:
    """A SageMaker client that answers one status after another, and the last one forever."""

    def __init__(self, *statuses: str) -> None:
        self._statuses = list(statuses)

    def describe_pipeline_execution(self, **_: Any) -> dict[str, str]:
        last = len(self._statuses) == 1
        return {"PipelineExecutionStatus": self._statuses[0] if last else self._statuses.pop(0)}

    def get_paginator(self, _: str) -> "Client":
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        yield {"PipelineExecutionSteps": []}


def statuses_of_aws() -> set[str]:
    """Return every status that AWS's own description of the API has for an execution."""
    service = botocore.session.get_session().get_service_model("sagemaker")
    return set(service.shape_for("PipelineExecutionStatus").enum)


def watched(*statuses: str) -> tuple[list[str], list[float]]:
    """The statuses that `watch` gives, and its pauses, in intervals."""
    pauses: list[float] = []
    states = list(Execution(Client(*statuses), "arn").watch(2.0, pauses.append))
    return [state.status for state in states], [pause / 2.0 for pause in pauses]


def test_every_state_is_given_up_to_the_end_and_none_after() -> None:
    seen, pauses = watched("Executing", "Stopping", "Stopped", "Executing")
    assert seen == ["Executing", "Stopping", "Stopped"]
    assert pauses == [1, 1]


def test_pauses_grow_to_a_bound_while_nothing_changes_and_start_anew_after_a_change() -> None:
    seen, pauses = watched(*["Executing"] * 9, "Stopping", "Stopping", "Stopped")
    assert seen[-1] == "Stopped"
    quiet, after = pauses[:9], pauses[9:]
    assert quiet == sorted(quiet)
    assert quiet[0] == 1 < quiet[1] < quiet[-1] == quiet[-2] <= 4
    assert after[0] == 1 < after[1]


@pytest.mark.parametrize("status", sorted(statuses_of_aws() - {"Executing", "Stopping"}))
def test_every_end_that_aws_knows_ends_the_watch(status: str) -> None:
    states, _ = watched("Executing", status)
    assert states == ["Executing", status]


def test_an_execution_that_has_ended_is_asked_about_once() -> None:
    assert watched("Failed") == (["Failed"], [])
