"""`python tests/guarded.py ARGUMENTS...`: pytest, of which nothing is left, however it ends.

    outer guard ── inner guard ── pytest ── its workers ── servers, local clouds, jobs, browsers

Ctrl-C, SIGTERM, SIGHUP and the death of its parent make a guard interrupt what it runs, which has
some seconds for the ends of its fixtures; a worker of pytest-xdist that is killed has none. Then
the guard kills whatever any test started. There are two guards, so that one of them may be killed:
the inner one notices the death of its parent, the outer one adopts what the inner one leaves.
"""

import ctypes
import signal
import subprocess
import sys
from collections.abc import Sequence

from longspan.infra.local.runtimes.guard import adopt_orphans, kill_rest

_INNER = "--inner"
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_SECONDS_TO_END = 20
_SECONDS_MORE = 5  # for the inner guard to kill what is left


def main(arguments: Sequence[str]) -> int:
    """Run pytest to its end; its exit status."""
    if arguments[:1] == [_INNER]:
        return _guard([sys.executable, "-m", "pytest", *arguments[1:]], _SECONDS_TO_END)
    return _guard([sys.executable, __file__, _INNER, *arguments], _SECONDS_TO_END + _SECONDS_MORE)


def _guard(command: Sequence[str], seconds: int) -> int:
    """Run the command and kill all that it leaves; its exit status.

    A signal interrupts the command, which is killed if it has not ended `seconds` later.
    """
    adopt_orphans()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    # In a session of its own, so that Ctrl-C comes by us alone.
    child = subprocess.Popen(command, start_new_session=True)

    def interrupt(*_: object) -> None:
        if not any(signal.getitimer(signal.ITIMER_REAL)):  # twice would cut fixtures' ends off
            signal.alarm(seconds)
            child.send_signal(signal.SIGINT)

    signal.signal(signal.SIGALRM, lambda *_: child.kill())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    status = child.wait()
    kill_rest(child.pid)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
