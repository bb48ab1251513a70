"""Admission: so many requests at a time, and how long the others should wait."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

from longspan.inference.refusals import Busy

__all__ = ["Admission"]

_MEMORY = 0.1  # weight of the newest request in the mean
_LONGEST_ADVICE = 30


class Admission:
    """Counts the requests that are being answered, `most` of them at a time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seconds = 1.0  # that a request takes, in the mean
        self.inside = 0

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Within, one more. Raises Busy when there is no room."""
        if self.inside >= self._most:
            advice = min(_LONGEST_ADVICE, max(1, math.ceil(self._seconds)))
            raise Busy(
                f"expected at most {self._most} requests at a time, came one more: try again in "
                f"{advice} seconds",
                advice,
            )
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    def took(self, seconds: float) -> None:
        """Learn how long a request took."""
        self._seconds += _MEMORY * (seconds - self._seconds)
