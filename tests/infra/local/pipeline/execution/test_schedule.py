"""The order of steps: nothing runs before what it waits for, nor in a branch not taken."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from longspan.infra.local.pipeline.definition.definition import (
    Branch,
    Dependency,
    PipelineDefinition,
    PipelineStep,
)
from longspan.infra.local.pipeline.definition.graph import check_graph, inside
from longspan.infra.local.pipeline.execution.schedule import Schedule

TRIGGERS = ("Completed", "Failed", "Stopped", "Any")


def step(
    name: str, *before: str | Dependency, branch: Branch | None = None, kind: str = "Fail"
) -> PipelineStep:
    depends_on = tuple(Dependency(one) if isinstance(one, str) else one for one in before)
    return PipelineStep(name, kind, {}, depends_on=depends_on, branch=branch)


def gate(name: str, *before: str | Dependency, branch: Branch | None = None) -> PipelineStep:
    return step(name, *before, branch=branch, kind="Condition")


def build(*steps: PipelineStep) -> PipelineDefinition:
    found = PipelineDefinition((), {one.name: one for one in steps})
    check_graph(found)
    return found


def record(status: str, outcome: bool | None = None) -> dict[str, Any]:
    metadata = {} if outcome is None else {"Condition": {"Outcome": str(outcome)}}
    return {"StepStatus": status, "Metadata": metadata}


def at(definition: PipelineDefinition, **records: Mapping[str, Any]) -> Schedule:
    return Schedule(definition, frozenset(definition.steps), records)


DONE, FAILED, BUSY = record("Succeeded"), record("Failed"), record("Executing")


def test_independent_steps_are_ready_together() -> None:
    pipeline = build(step("A"), step("B"), step("C", "A", "B"))
    assert at(pipeline).ready == ("A", "B")
    assert at(pipeline, A=DONE, B=BUSY).ready == ()
    assert at(pipeline, A=DONE, B=BUSY).running == ("B",)
    assert at(pipeline, A=DONE, B=DONE).ready == ("C",)
    assert at(pipeline, A=DONE, B=DONE, C=DONE).conclusion == "Succeeded"


def test_only_the_branch_that_is_taken_runs() -> None:
    pipeline = build(
        gate("G"),
        step("Yes", branch=Branch("G", True)),
        step("No", branch=Branch("G", False)),
        step("AfterYes", "Yes"),
        step("AfterGate", "G"),
    )
    assert at(pipeline).ready == ("G",)
    taken = record("Succeeded", outcome=True)
    assert at(pipeline, G=taken).ready == ("Yes",)
    assert at(pipeline, G=record("Succeeded", outcome=False)).ready == ("No",)
    assert at(pipeline, G=taken, Yes=DONE).ready == ("AfterYes", "AfterGate")
    done = {"G": taken, "Yes": DONE, "AfterYes": DONE, "AfterGate": DONE}
    assert at(pipeline, **done).ready == ()
    assert at(pipeline, **done).conclusion == "Succeeded"


def test_who_waits_for_a_condition_does_not_run_when_its_branch_fails() -> None:
    pipeline = build(gate("G"), step("No", branch=Branch("G", False)), step("Next", "G"))
    schedule = at(pipeline, G=record("Succeeded", outcome=False), No=FAILED)
    assert schedule.ready == ()
    assert schedule.state("Next") == "Skipped"
    assert schedule.conclusion == "Failed"


def test_conditions_nest() -> None:
    pipeline = build(
        gate("G"),
        gate("H", branch=Branch("G", True)),
        step("A", branch=Branch("H", True)),
        step("B", "G"),
    )
    yes, no = record("Succeeded", outcome=True), record("Succeeded", outcome=False)
    assert at(pipeline, G=yes).ready == ("H",)
    assert at(pipeline, G=no).ready == ("B",)
    assert at(pipeline, G=yes, H=no).ready == ("B",)
    assert at(pipeline, G=yes, H=yes).ready == ("A",)


def test_after_a_failure_nothing_new_starts() -> None:
    pipeline = build(step("A"), step("B"), step("C", "B"))
    assert at(pipeline, A=FAILED, B=DONE).ready == ()
    assert at(pipeline, A=FAILED, B=DONE).unhandled == ("A",)
    assert at(pipeline, A=FAILED, B=DONE).conclusion == "Failed"


def test_a_step_that_waits_for_a_failure_handles_it() -> None:
    pipeline = build(step("A"), step("Tell", Dependency("A", "Failed")), step("B"), step("C", "A"))
    schedule = at(pipeline, A=FAILED)
    assert schedule.ready == ("Tell", "B")
    assert at(pipeline, A=FAILED, Tell=DONE, B=DONE).conclusion == "CompletedWithFailures"
    assert at(pipeline, A=DONE, B=DONE, C=DONE).ready == ()
    assert at(pipeline, A=DONE, B=DONE, C=DONE).conclusion == "Succeeded"


def test_steps_that_are_not_selected_do_not_run() -> None:
    pipeline = build(step("A"), step("B", "A"), step("C", "B"))
    selected = frozenset({"B"})
    assert Schedule(pipeline, selected, {"A": DONE}).ready == ("B",)
    done = Schedule(pipeline, selected, {"A": DONE, "B": DONE})
    assert (done.ready, done.conclusion) == ((), "Succeeded")


def test_a_selected_step_runs_without_its_condition() -> None:
    pipeline = build(gate("G"), step("A", branch=Branch("G", True)))
    assert Schedule(pipeline, frozenset({"A"}), {}).ready == ("A",)


@st.composite
def pipelines(draw: st.DrawFn) -> PipelineDefinition:
    """Steps that wait for earlier ones, some of them conditions with steps in their branches."""
    steps: dict[str, PipelineStep] = {}
    for number in range(draw(st.integers(1, 9))):
        name = f"S{number}"
        conditions = [one.name for one in steps.values() if one.type == "Condition"]
        branch = draw(
            st.none() | st.builds(Branch, st.sampled_from(conditions), st.booleans())
            if conditions
            else st.none()
        )
        around = set()
        above = branch
        while above is not None:
            around.add(above.condition)
            above = steps[above.condition].branch
        # A condition's branches grow later: to wait for one could close a circle.
        allowed = [n for n in steps if n not in around and steps[n].type != "Condition"]
        before = (
            draw(st.lists(st.sampled_from(allowed), unique=True, max_size=2)) if allowed else []
        )
        depends_on = tuple(Dependency(one, draw(st.sampled_from(TRIGGERS))) for one in before)
        kind = draw(st.sampled_from(["Condition", "Fail"]))
        steps[name] = PipelineStep(name, kind, {}, depends_on=depends_on, branch=branch)
    found = PipelineDefinition((), steps)
    check_graph(found)
    return found


@given(pipelines(), st.data())
def test_every_execution_ends_and_keeps_the_order(
    pipeline: PipelineDefinition, data: st.DataObject
) -> None:
    """Whatever ends in whatever way, all starts are allowed, and at the end nothing can start."""
    records: dict[str, dict[str, Any]] = {}
    ends = st.sampled_from(["Succeeded"] * 4 + ["Failed", "Stopped"])
    for _ in range(2 * len(pipeline.steps) + 1):
        schedule = at(pipeline, **records)
        for name in schedule.ready:
            one = pipeline.steps[name]
            assert name not in records
            if one.branch is not None:
                condition = records[one.branch.condition]
                assert condition["StepStatus"] == "Succeeded"
                assert condition["Metadata"]["Condition"]["Outcome"] == str(one.branch.outcome)
            for dependency in one.depends_on:
                status = records[dependency.step]["StepStatus"]
                wanted = dependency.trigger.replace("Completed", "Succeeded")
                assert wanted in (status, "Any")
            records[name] = record("Executing")
        running = at(pipeline, **records).running
        if not running:
            break
        ended = data.draw(st.sampled_from(running))
        records[ended] = record(data.draw(ends), data.draw(st.booleans()))
    last = at(pipeline, **records)
    assert (last.ready, last.running) == ((), ())
    statuses = {one["StepStatus"] for one in records.values()}
    assert (last.conclusion == "Succeeded") == (statuses == {"Succeeded"})
    if last.conclusion == "Succeeded":
        assert all(last.state(name) in ("Succeeded", "Skipped") for name in pipeline.steps)


@given(pipelines())
def test_what_is_inside_a_condition_is_in_one_of_its_branches(pipeline: PipelineDefinition) -> None:
    for name, one in pipeline.steps.items():
        for other in inside(pipeline, name):
            branch = pipeline.steps[other].branch
            assert branch is not None
            assert branch.condition in {name, *inside(pipeline, name)}
        if one.type != "Condition":
            assert not inside(pipeline, name)
