"""The log of a training run: a progress bar at a terminal, plain lines elsewhere."""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TextIO

from tqdm import tqdm

from longspan.training.loop.metrics import metrics_line

__all__ = ["TrainingLog", "TrainingProgress", "clock_text", "duration"]


@dataclass(frozen=True)
class TrainingProgress:
    """The progress of a run at one moment."""

    updates: int
    epoch: float  # epochs done, with the part of the current one
    seconds: float
    share: float | None  # how much of the run is over, 0 to 1; None without a limit
    metrics: dict[str, float]

    @property
    def line(self) -> str:
        """One line for a log, from which the regular expressions of `metrics` read the metrics."""
        remaining = ""
        if self.share:
            seconds = max(0.0, self.seconds * (1 - self.share) / self.share)
            remaining = f" remaining {clock_text(seconds)}"
        return (
            f"update {self.updates} epoch {self.epoch:.2f} {metrics_line(self.metrics)} "
            f"elapsed {clock_text(self.seconds)}{remaining}"
        )


class TrainingLog:
    """A writer of notes and progress.

    Notes go to `write` (default: standard output). Progress is a bar on `stream` (default: standard
    error) if that is a terminal, else a line for `write`.
    """

    def __init__(
        self, *, write: Callable[[str], None] | None = None, stream: TextIO | None = None
    ) -> None:
        self._write = write if write is not None else _print
        self._stream = stream if stream is not None else sys.stderr
        self._bar: tqdm[Any] | None = None

    @classmethod
    def silent(cls) -> "TrainingLog":
        """Return a log that shows nothing, for all ranks but the first."""
        return cls(write=lambda _: None, stream=io.StringIO())

    @property
    def seconds_between(self) -> float:
        """Seconds from one display of progress to the next."""
        return 1.0 if self._stream.isatty() else 10.0

    def note(self, text: str) -> None:
        """Write one line, above the bar if there is one."""
        if self._bar is not None:
            self._bar.clear()
        self._write(text)
        if self._bar is not None:
            self._bar.refresh()

    def show(self, progress: TrainingProgress) -> None:
        """Update the bar, or write a line."""
        if not self._stream.isatty():
            self._write(progress.line)
            return
        bar = self._bar = self._new_bar() if self._bar is None else self._bar
        values = {name.partition(":")[2]: value for name, value in progress.metrics.items()}
        bar.n = progress.share or 0.0
        bar.set_description_str(
            f"epoch {progress.epoch:.2f}, update {progress.updates}, "
            f"perplexity {values['perplexity']:.4g}, {values['tokens_per_second']:.0f} tokens/s, "
            f"{progress.line.rpartition(' elapsed ')[2]}"
        )

    def close(self) -> None:
        """End the line of the bar, which stays as it is."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _new_bar(self) -> "tqdm[Any]":
        layout = "{percentage:3.0f}%|{bar}| {desc}"
        return tqdm(total=1.0, bar_format=layout, file=self._stream, dynamic_ncols=True)


def clock_text(seconds: float) -> str:
    """Return hours, minutes and seconds: `1:02:03` for 3723 seconds."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def duration(seconds: float | None) -> str:
    """Return `4:51` for 291 seconds and `1:02:03` for 3723 seconds; empty for None."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _print(text: str) -> None:
    print(text, flush=True)
