"""Orderly stop: signals that ask (the trainer saves at its next step), and that interrupt."""

import signal
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["StopRequest", "stop_on_signals", "terminated_as_interrupted"]

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_PATIENCE = 2  # SIGINTs that only ask
_SECONDS_TO_LEAVE = 0.05  # from the hook for exceptions that Python drops


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
    """Within, SIGTERM raises KeyboardInterrupt as Ctrl-C does; a second SIGTERM has no effect.

    The exception may come between any two instructions. Files that are just being opened then have
    no name yet and are closed by the garbage collector, so ResourceWarnings are off from there on.
    Where Python would drop the exception, as in a destructor, the signal is sent again.

    Outside the main thread, where Python lets nobody choose, signals stay as they are.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {number: signal.getsignal(number) for number in _SIGNALS}
    former_hook = sys.unraisablehook

    def interrupt(number: int, frame: FrameType | None) -> None:
        warnings.simplefilter("ignore", ResourceWarning)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    def send_again(dropped: "sys.UnraisableHookArgs") -> None:
        if dropped.exc_type is not KeyboardInterrupt:
            former_hook(dropped)
            return
        signal.signal(signal.SIGTERM, interrupt)
        # Not from here: what this hook raises is dropped, too.
        threading.Timer(_SECONDS_TO_LEAVE, signal.raise_signal, [signal.SIGTERM]).start()

    try:
        sys.unraisablehook = send_again
        signal.signal(signal.SIGTERM, interrupt)
        # A process that was started to ignore Ctrl-C goes on ignoring it.
        if former[signal.SIGINT] is signal.default_int_handler:
            signal.signal(signal.SIGINT, interrupt)
        yield
    finally:
        sys.unraisablehook = former_hook
        for number, handler in former.items():
            signal.signal(number, handler)
