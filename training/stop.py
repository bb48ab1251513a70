"""Signals that request a stop at the next step, or that interrupt at once."""

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
    """A flag that is set once; calling it returns whether it is set."""

    def __init__(self) -> None:
        self._asked = False

    def __call__(self) -> bool:
        """Return whether `ask` was called."""
        return self._asked

    def ask(self) -> None:
        """Request a stop at the next step."""
        self._asked = True


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Yield a request that SIGTERM and SIGINT set within the block.

    The third SIGINT has the effect that it had before the block. The second one does not, because
    a launcher such as torchrun sends one to workers that got one from the terminal already. For the
    main thread only. The former handlers are restored at the end.
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
    """Let SIGTERM raise KeyboardInterrupt within the block, as Ctrl-C does; a second has no effect.

    The exception may be raised between any two instructions. A file that is just being opened is
    then closed by the garbage collector, so ResourceWarnings are ignored after it. Where Python
    drops the exception, as in a destructor, the signal is sent again.

    Outside the main thread, where Python cannot set handlers, signals are unchanged.
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
        # By a timer, since an exception that this hook raises would be dropped, too.
        threading.Timer(_SECONDS_TO_LEAVE, signal.raise_signal, [signal.SIGTERM]).start()

    try:
        sys.unraisablehook = send_again
        signal.signal(signal.SIGTERM, interrupt)
        # A process that was started with Ctrl-C ignored continues to ignore it.
        if former[signal.SIGINT] is signal.default_int_handler:
            signal.signal(signal.SIGINT, interrupt)
        yield
    finally:
        sys.unraisablehook = former_hook
        for number, handler in former.items():
            signal.signal(number, handler)
