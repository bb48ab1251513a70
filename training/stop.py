"""Orderly stop: SIGTERM and SIGINT ask, the trainer saves at its next step and ends."""

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["StopRequest", "stop_on_signals", "terminated_as_interrupted"]

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_PATIENCE = 2  # SIGINTs that only ask


class StopRequest:
    """Whether someone asked for an end; call it to know."""

    def __init__(self) -> None:
        self._asked = False

    def __call__(self) -> bool:
        """Whether `ask` was called."""
        return self._asked

    def ask(self) -> None:
        """Ask for an end at the next step."""
        self._asked = True


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Within, SIGTERM and SIGINT set the request; the third SIGINT acts as it did before.

    Not the second one, which a launcher such as torchrun passes on to workers that the terminal
    had sent one already. Use it in the main thread. Former handlers come back at the end.
    """
    request = StopRequest()
    former = {number: signal.getsignal(number) for number in _SIGNALS}
    received: Counter[int] = Counter()

    def handle(number: int, frame: FrameType | None) -> None:
        request.ask()
        received[number] += 1
        if received[signal.SIGINT] == _PATIENCE:
            signal.signal(signal.SIGINT, former[signal.SIGINT])

    for number in _SIGNALS:
        signal.signal(number, handle)
    try:
        yield request
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Within, SIGTERM ends the work as Ctrl-C does: what that clears up is cleared up.

    Outside the main thread, where Python lets nobody choose, signals stay as they are.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
