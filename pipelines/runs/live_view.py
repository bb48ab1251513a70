"""A running execution on the screen: a live table, or a line for each change.

A terminal gets the table; a log, CI or a pipe gets lines. If nothing changes for a while, the
running steps are printed again, at growing intervals.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from longspan.pipelines.runs.execution import ExecutionState, StepState
from longspan.training.loop.training_log import duration
from longspan.training.tables import align_rows

__all__ = ["changes", "show", "show_lines", "table"]

_SILENCE, _LONGEST_SILENCE = 30.0, 600.0  # seconds until running steps are printed again

_COLOURS = {
    "Succeeded": "green",
    "Failed": "red",
    "CompletedWithFailures": "red",
    "Stopped": "yellow",
    "Stopping": "yellow",
    "Executing": "cyan",
    "Starting": "cyan",
}
# Least widths of step, state, time and remark: each line is printed before the next is known.
_LINE_WIDTHS = (15, 9, 6, 0)
_RUNNING = ("Starting", "Executing", "Stopping")


def show(states: Iterable[ExecutionState], out: TextIO) -> ExecutionState:
    """Show states as they arrive and return the last one. Raises ValueError without any state."""
    console = Console(file=out, highlight=False)
    if console.is_terminal:
        return _live(states, console)
    return show_lines(states, out, lambda: datetime.now(UTC))


def _live(states: Iterable[ExecutionState], console: Console) -> ExecutionState:
    last: ExecutionState | None = None

    def render() -> Table | Text:
        # Called several times a second, so that times advance between two states.
        return table(last, datetime.now(UTC)) if last else Text("starting")

    with Live(get_renderable=render, console=console, refresh_per_second=4):
        for state in states:
            last = state
    return _some(last)


def show_lines(
    states: Iterable[ExecutionState], out: TextIO, clock: Callable[[], datetime]
) -> ExecutionState:
    """Print a line for each change, and running steps again after a silence.

    Returns the last state. Raises ValueError without any state.
    """
    last, said, silence = None, clock(), _SILENCE
    for before, last in _pairs(states):
        now = clock()
        found = list(changes(before, last, now))
        if found:
            silence = _SILENCE
        elif (now - said).total_seconds() >= silence:
            found = [_line(step, now) for step in last.steps if step.status in _RUNNING]
            # The interval grows until the next change, which starts it again.
            silence = min(2 * silence, _LONGEST_SILENCE)
        for line in found:
            said = now
            print(line, file=out, flush=True)
    return _some(last)


def table(state: ExecutionState, now: datetime) -> Table:
    """Return a table of steps with state, time and remark; `now` ends the time of running steps."""
    found = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("step", "state", "time", ""):
        found.add_column(column, justify="right" if column == "time" else "left")
    for step in state.steps:
        found.add_row(
            step.name,
            Text(_status(step), style=_COLOURS.get(step.status, "")),
            duration(step.seconds(now)),
            _remark(step),
        )
    return found


def changes(before: ExecutionState | None, state: ExecutionState, now: datetime) -> Iterator[str]:
    """Yield a line for each step whose status or detail differs from that in `before`."""
    for step in state.steps:
        old = before.step(step.name) if before else None
        if old is None or (old.status, old.detail) != (step.status, step.detail):
            yield _line(step, now)


def _line(step: StepState, now: datetime) -> str:
    cells = (step.name, _status(step), duration(step.seconds(now)), _remark(step))
    return align_rows([cells], "<<><", _LINE_WIDTHS)[0]


def _status(step: StepState) -> str:
    return "cached" if step.cached and step.status == "Succeeded" else step.status


def _remark(step: StepState) -> str:
    attempts = f"attempt {step.attempts}" if step.attempts > 1 else ""
    return ", ".join(filter(None, (step.detail, attempts, step.reason)))


def _pairs(
    states: Iterable[ExecutionState],
) -> Iterator[tuple[ExecutionState | None, ExecutionState]]:
    before = None
    for state in states:
        yield before, state
        before = state


def _some(last: ExecutionState | None) -> ExecutionState:
    if last is None:
        raise ValueError("expected at least one state of the execution, got none")
    return last
