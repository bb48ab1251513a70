"""The table of times against executions whose steps began and ended at known seconds."""

from datetime import UTC, datetime, timedelta

import pytest

from longspan.pipelines.runs.execution import ExecutionState, StepState
from longspan.pipelines.runs.time_table import time_table, time_table_lines

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def step(name, start, end, **others):
    began, ended = (NOON + timedelta(seconds=s) for s in (start, end))
    return StepState(name, "Succeeded", began, ended, **others)


def table(*steps, planned=(), tuning=(), updates=(), began=None):
    state = ExecutionState("arn", "Succeeded", "", steps)
    rows = time_table(state, dict(planned), dict(tuning), dict(updates), began)
    return {row["part"]: row for row in rows}


WHOLE = (
    step("Prepare", 0, 10),
    step("Tune", 10, 200),
    step("TrainBaseline", 10, 90),
    step("Evaluate", 201, 240),
    step("Register", 241, 243),
    step("Endpoint", 243, 250),
)


def test_parts_that_run_together_count_once_and_the_rest_is_what_no_part_covers():
    rows = table(*WHOLE)
    took = {part: row["seconds"] for part, row in rows.items()}
    assert took == {
        "preparation": 10,
        "trials": 190,
        "baseline": 80,
        "evaluation": 39,
        "rest": 11,
        "total": 250,
    }
    assert all(row["planned"] is None for row in rows.values())


def test_what_the_command_did_before_the_execution_is_rest_too():
    rows = table(*WHOLE, began=NOON - timedelta(seconds=9))
    assert (rows["rest"]["seconds"], rows["total"]["seconds"]) == (20, 259)


def test_a_part_of_an_earlier_run_took_no_time_of_this_one():
    cached = [step(s.name, 0, 0.1, cached=True) for s in WHOLE[:3]]
    rows = table(*cached, *WHOLE[3:], planned={"trials": 200})
    assert rows["trials"] == {
        "part": "trials", "planned": 200, "seconds": None, "note": "cached from an earlier run",
    }  # fmt: skip
    assert rows["evaluation"]["seconds"] == 39


@pytest.mark.parametrize(
    ("baseline", "note"),
    [
        (600, "600 updates, as the tuned model"),
        (300, "300 updates, the tuned model 600"),
        (None, ""),
    ],
)
def test_the_updates_of_baseline_and_tuned_model_stand_side_by_side(baseline, note):
    rows = table(*WHOLE, updates={"model": 600, "against": baseline})
    assert rows["baseline"]["note"] == note


def test_the_lines_say_what_was_planned_and_what_the_trials_did():
    jobs = [{"updates": 600, "seconds": 95.4}, {"updates": 200, "seconds": 31.0}]
    failed = {"updates": None, "seconds": None}
    rows = table(*WHOLE, planned={"trials": 200.0}, tuning={"jobs": [*jobs, failed]})
    lines = list(time_table_lines(rows.values()))
    assert lines[2] == (
        "trials           3:20     3:10  3 trials, 800 updates in all, 31 to 95 s each"
    )
    assert lines[4] == "evaluation                0:39"
    assert lines[-1].startswith("total                     4:10")


def test_an_execution_without_baseline_has_none_in_its_table():
    rows = table(*[s for s in WHOLE if s.name != "TrainBaseline"])
    assert rows["baseline"]["seconds"] is None
