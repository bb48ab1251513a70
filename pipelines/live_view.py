"""A running execution on the screen: a table that lives, or a line for each change.

Lines where nobody looks at a terminal (a log, CI, a pipe), the table otherwise.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from longspan.pipelines.execution import ExecutionState, StepState

__all__ = ["changes", "show", "table"]

_COLOURS = {
    "Succeeded": "green",
    "Failed": "red",
    "Stopped": "yellow",
    "Stopping": "yellow",
    "Executing": "cyan",
    "Starting": "cyan",
}


def show(states: Iterable[ExecutionState], out: TextIO) -> ExecutionState:
    """Show the states as they come; the last one. There must be at least one."""
    console = Console(file=out, highlight=False)
    return _live(states, console) if console.is_terminal else _lines(states, out)


def _live(states: Iterable[ExecutionState], console: Console) -> ExecutionState:
    last: ExecutionState | None = None

    def render() -> Table | Text:
        # Called several times a second: the clock runs on between two answers.
        return table(last, datetime.now(UTC)) if last else Text("starting")

    with Live(get_renderable=render, console=console, refresh_per_second=4):
        for state in states:
            last = state
    return _some(last)


def _lines(states: Iterable[ExecutionState], out: TextIO) -> ExecutionState:
    last = None
    for before, state in _pairs(states):
        for line in changes(before, state, datetime.now(UTC)):
            print(line, file=out, flush=True)
        last = state
    return _some(last)


def table(state: ExecutionState, now: datetime) -> Table:
    """Steps with state, time and detail; `now` ends the time of those that run."""
    found = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("step", "state", "time", ""):
        found.add_column(column, justify="right" if column == "time" else "left")
    for step in state.steps:
        found.add_row(
            step.name,
            Text(_status(step), style=_COLOURS.get(step.status, "")),
            _time(step.seconds(now)),
            _remark(step),
        )
    return found


def changes(before: ExecutionState | None, state: ExecutionState, now: datetime) -> Iterator[str]:
    """One line for each step whose state or detail is another than before."""
    for step in state.steps:
        old = before.step(step.name) if before else None
        if old is None or (old.status, old.detail) != (step.status, step.detail):
            line = f"{step.name:<16} {_status(step):<10} {_time(step.seconds(now)):>7}"
            yield f"{line}  {_remark(step)}".rstrip()


def _status(step: StepState) -> str:
    return "cached" if step.cached and step.status == "Succeeded" else step.status


def _remark(step: StepState) -> str:
    attempts = f"attempt {step.attempts}" if step.attempts > 1 else ""
    return ", ".join(filter(None, (step.detail, attempts, step.reason)))


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _pairs(
    states: Iterable[ExecutionState],
) -> Iterator[tuple[ExecutionState | None, ExecutionState]]:
    before = None
    for state in states:
        yield before, state
        before = state


def _some(last: ExecutionState | None) -> ExecutionState:
    if last is None:
        raise ValueError("expected at least one state of the execution")
    return last
