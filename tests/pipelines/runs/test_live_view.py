import io
from datetime import UTC, datetime, timedelta

from rich.console import Console

from longspan.pipelines.runs.execution import ExecutionState, StepState
from longspan.pipelines.runs.live_view import changes, show, show_lines, table

START = datetime(2026, 1, 1, tzinfo=UTC)


def step(name: str, status: str, **more) -> StepState:
    return StepState(name, status, started=START, **more)


def state(status: str, *steps: StepState) -> ExecutionState:
    return ExecutionState("arn", status, "", steps)


RUNNING = state("Executing", step("Prepare", "Succeeded", ended=START), step("Tune", "Executing"))
FOUND = state(
    "Executing",
    step("Prepare", "Succeeded", ended=START),
    step("Tune", "Executing", detail="1 of 2 jobs, best validation:bleu_long 12"),
)
DONE = state(
    "Failed",
    step("Prepare", "Succeeded", ended=START, cached=True),
    step("Tune", "Failed", ended=START + timedelta(seconds=75), reason="no job succeeded"),
)


def told(before: ExecutionState | None, after: ExecutionState) -> list[str]:
    return list(changes(before, after, START + timedelta(seconds=61)))


def test_every_started_step_is_a_change_at_first():
    assert [line.split()[:2] for line in told(None, RUNNING)] == [
        ["Prepare", "Succeeded"],
        ["Tune", "Executing"],
    ]


def test_nothing_is_said_twice():
    assert told(RUNNING, RUNNING) == []
    assert len(told(RUNNING, FOUND)) == 1


def test_a_change_shows_time_detail_and_reason():
    assert "1:01" in told(RUNNING, FOUND)[0]
    assert "best validation:bleu_long 12" in told(RUNNING, FOUND)[0]
    assert "no job succeeded" in told(FOUND, DONE)[-1]
    assert "1:15" in told(FOUND, DONE)[-1]


def test_a_log_gets_lines_and_the_last_state_is_returned():
    out = io.StringIO()
    assert show([RUNNING, RUNNING, FOUND, DONE], out) is DONE
    assert out.getvalue().count("Tune") == 3
    assert "\x1b" not in out.getvalue()


def test_where_nothing_changes_what_runs_is_said_again_ever_more_seldom():
    seconds = iter(range(0, 2000, 5))  # a state every five

    def clock() -> datetime:
        return START + timedelta(seconds=next(seconds))

    out = io.StringIO()
    show_lines([RUNNING] * 390, out, clock)
    found = out.getvalue().splitlines()
    assert [line.split()[0] for line in found] == ["Prepare", *["Tune"] * 7]
    times = [line.split()[2] for line in found[2:]]
    assert times == ["0:35", "1:35", "3:35", "7:35", "15:35", "25:35"]


def test_a_terminal_gets_a_table_that_ends_with_the_last_state():
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    assert show([RUNNING, DONE], out) is DONE
    assert "no job succeeded" in out.getvalue().split("Prepare")[-1]


def test_the_table_says_which_results_were_at_hand():
    out = io.StringIO()
    Console(file=out, width=100).print(table(DONE, START))
    assert "cached" in out.getvalue()
