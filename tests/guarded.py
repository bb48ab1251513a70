"""`python tests/guarded.py ARGUMENTS...`: pytest, of which nothing is left, however it ends.

Ctrl-C, SIGTERM, SIGHUP and the death of make interrupt pytest, which has some seconds for the ends
of its fixtures; a worker of pytest-xdist that is killed has none. Then whatever any test started is
killed: servers, local clouds, their jobs, browsers.
"""

import ctypes
import signal
import subprocess
import sys
from collections.abc import Sequence

from longspan.infra.local.guard import adopt_orphans, kill_rest

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_SECONDS_TO_END = 20.0


class Stopped(BaseException):
    """A signal came."""


def main(arguments: Sequence[str]) -> int:
    """Run pytest to its end; its exit status."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    adopt_orphans()
    # In a session of its own, so that Ctrl-C comes by us alone, and once.
    command = [sys.executable, "-m", "pytest", *arguments]
    tests = subprocess.Popen(command, start_new_session=True)
    try:
        return tests.wait()
    except Stopped:
        return _interrupt(tests)
    finally:
        kill_rest(tests.pid)


def _interrupt(tests: "subprocess.Popen[bytes]") -> int:
    tests.send_signal(signal.SIGINT)
    try:
        return tests.wait(_SECONDS_TO_END)
    except (subprocess.TimeoutExpired, Stopped):
        return 130


def _stop(*_: object) -> None:
    raise Stopped


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
