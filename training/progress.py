"""Progress on standard error: a bar at a terminal, plain lines elsewhere."""

import operator
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Self, TextIO, TypeVar

from tqdm import tqdm

__all__ = ["Progress", "progress"]

_T = TypeVar("_T")

_SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """A count up to `total` (None: unknown) that is shown: `with Progress(...) as p: p.add(1)`.

    At a terminal it is shown as a tqdm bar, elsewhere as a line every ten seconds, and one at the
    end if there was a line before. The `unit` "B" is shown in kB, MB and GB.
    """

    def __init__(
        self,
        total: float | None = None,
        unit: str = "it",
        label: str = "",
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._total, self._unit, self._label, self._clock = total, unit, label, clock
        self._count = 0.0
        self._started = self._printed = clock()
        self._lines = 0
        self._shown = 0.0
        self._bar: Any = None  # a tqdm bar at a terminal
        if self._stream.isatty():
            self._bar = tqdm(
                total=total,
                unit=unit,
                unit_scale=True,
                desc=label or None,
                file=self._stream,
                dynamic_ncols=True,
                leave=True,
            )

    def add(self, amount: float = 1) -> None:
        """Add `amount` to the count."""
        self._count += amount
        if self._bar is not None:
            self._bar.update(amount)
            return
        now = self._clock()
        if now - self._printed >= _SECONDS_BETWEEN_LINES:
            self._printed = now
            self._print()

    def reach(self, count: float) -> None:
        """Raise the count to `count`."""
        if count > self._count:
            self.add(count - self._count)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        elif self._lines and kind is None and self._count != self._shown:
            self._print()

    def _print(self) -> None:
        self._lines += 1
        self._shown = self._count
        seconds = self._clock() - self._started
        rate = self._count / seconds if seconds > 0 else 0.0
        done = _amount(self._count, self._unit)
        if self._total:
            share = f"{100 * self._count / self._total:.0f}% "
            of_total = f" of {_amount(self._total, self._unit)}"
            done = f"{share}({done.removesuffix(f' {self._unit}')}{of_total})"
        label = f"{self._label}: " if self._label else ""
        line = f"{label}{done}, {seconds:.0f} s, {_amount(rate, self._unit)}/s"
        print(line, file=self._stream, flush=True)


def progress(
    iterable: Iterable[_T], *, total: float | None = None, unit: str = "it", label: str = ""
) -> Iterator[_T]:
    """Yield the items of an iterable, and show their number as `Progress` does."""
    with Progress(total or operator.length_hint(iterable) or None, unit, label) as shown:
        for item in iterable:
            yield item
            shown.add(1)


def _amount(count: float, unit: str) -> str:
    if unit == "B":
        for name, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
            if count >= size:
                return f"{count / size:.1f} {name}"
    number = f"{count:,.0f}" if count >= 10 or count == int(count) else f"{count:.1f}"
    return f"{number} {unit}"
