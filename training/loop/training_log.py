"""What a training run shows: a bar at a terminal, plain lines in a log."""

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
    """Where a run stands; `share` is the part of its limit that is over, None without one."""

    updates: int
    epoch: float  # epochs begun, with the part of the current one
    seconds: float
    share: float | None
    metrics: dict[str, float]

    @property
    def line(self) -> str:
        """For a log; the metrics in it are read back by `training.metrics`."""
        remaining = ""
        if self.share:
            seconds = max(0.0, self.seconds * (1 - self.share) / self.share)
            remaining = f" remaining {clock_text(seconds)}"
        return (
            f"update {self.updates} epoch {self.epoch:.2f} {metrics_line(self.metrics)} "
            f"elapsed {clock_text(self.seconds)}{remaining}"
        )


class TrainingLog:
    """Writes notes with `write`; shows progress on `stream` if that is a terminal."""

    def __init__(
        self, *, write: Callable[[str], None] | None = None, stream: TextIO | None = None
    ) -> None:
        self._write = write if write is not None else _print
        self._stream = stream if stream is not None else sys.stderr
        self._bar: tqdm[Any] | None = None

    @classmethod
    def silent(cls) -> "TrainingLog":
        """For ranks other than the first: shows nothing."""
        return cls(write=lambda _: None, stream=io.StringIO())

    @property
    def seconds_between(self) -> float:
        """How often progress is worth showing."""
        return 1.0 if self._stream.isatty() else 10.0

    def note(self, text: str) -> None:
        """One line, above the bar if there is one."""
        if self._bar is not None:
            self._bar.clear()
        self._write(text)
        if self._bar is not None:
            self._bar.refresh()

    def show(self, progress: TrainingProgress) -> None:
        """Progress: the bar's state, or a line."""
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
        """Leave the bar as it is and end its line."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _new_bar(self) -> "tqdm[Any]":
        layout = "{percentage:3.0f}%|{bar}| {desc}"
        return tqdm(total=1.0, bar_format=layout, file=self._stream, dynamic_ncols=True)


def clock_text(seconds: float) -> str:
    """`1:02:03` for 3723 seconds."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def duration(seconds: float | None) -> str:
    """`4:51` for 291 seconds, `1:02:03` from an hour; empty for None."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _print(text: str) -> None:
    print(text, flush=True)
