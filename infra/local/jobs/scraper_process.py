"""`python scraper_process.py`: search lines for metrics, in a process that nothing else waits for.

A regular expression can take hours on one line, holds Python's lock all that time, and cannot be
interrupted in a thread. In the main thread of a process a signal interrupts it.

It reads a JSON array of patterns, then JSON arrays of lines, one in each line of its input. It
answers each array of lines by an object: `values`, pairs of a pattern's number and a value, and
`slow`, the patterns that took too long on a line. It imports the standard library alone, to start
fast.
"""

import json
import re
import signal
import sys
from collections import Counter
from collections.abc import Iterable, Iterator

__all__ = ["LineSearch"]

# CPU-seconds for a pattern on a line; the load of the machine does not count.
_SECONDS = 0.5
# A pattern that was too slow on as many lines is not searched any more.
_MOST_SLOW = 3
# CloudWatch has no larger values, and neither NaN nor infinity, which JSON cannot express either.
_LARGEST = 2.0**360


class _Slow(Exception):
    """A pattern took too long on a line."""


class LineSearch:
    """Search of lines for patterns, each with a limit of time; for the main thread of a process."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = [re.compile(pattern) for pattern in patterns]
        self._slow: Counter[int] = Counter()
        signal.signal(signal.SIGPROF, _interrupt)

    def lines(self, lines: Iterable[str]) -> dict[str, object]:
        """Return the answer to an array of lines."""
        before = set(self._slow.elements())
        values = [value for line in lines for value in self._line(line)]
        return {"values": values, "slow": sorted(set(self._slow.elements()) - before)}

    def _line(self, line: str) -> Iterator[tuple[int, float]]:
        for number, pattern in enumerate(self._patterns):
            if self._slow[number] == _MOST_SLOW:
                continue
            try:
                found = _within(_SECONDS, pattern, line)
            except (_Slow, MemoryError):
                self._slow[number] += 1
                continue
            yield from ((number, value) for value in found)


def _within(seconds: float, pattern: "re.Pattern[str]", line: str) -> list[float]:
    """Return the values in a line. Raises _Slow."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        numbers = (_number(match) for match in pattern.finditer(line))
        return [number for number in numbers if number is not None]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _interrupt(*_: object) -> None:
    raise _Slow


def _number(match: "re.Match[str]") -> float | None:
    """Return the number in the first group; None without a group or a number of CloudWatch."""
    try:
        number = float(match.group(1))
    except (IndexError, TypeError, ValueError):
        return None
    # NaN fails every comparison.
    return number if abs(number) <= _LARGEST else None


def main() -> None:
    """Answer until the end of the input."""
    search = LineSearch(json.loads(sys.stdin.readline()))
    for request in sys.stdin:
        print(json.dumps(search.lines(json.loads(request))), flush=True)


if __name__ == "__main__":
    main()
