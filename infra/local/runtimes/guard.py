"""`python -m longspan.infra.local.runtimes.guard COMMAND...`: a command of which nothing is left.

What a container's boundary does for a job, for plain processes. Standard input is the rope to
whoever started it: `T` asks the command to stop (SIGTERM), and its end, by whatever death of the
other side, kills the command and everything that it started. The exit status is the command's,
128 + N where signal N ended it.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

__all__ = ["adopt_orphans", "kill_rest", "main"]

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def main(command: Sequence[str]) -> int:
    """Run the command to its end; 127 when it cannot be started."""
    adopt_orphans()
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        print(f"{command[0]}: {error.strerror or error}", file=sys.stderr, flush=True)
        return 127
    threading.Thread(target=_listen, args=(child,), daemon=True).start()
    status = child.wait()
    kill_rest(child.pid)
    return status if status >= 0 else 128 - status


def adopt_orphans() -> None:
    """Processes that leave the group come to us when their parent ends (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _listen(child: "subprocess.Popen[bytes]") -> None:
    while order := os.read(0, 1):
        if order == b"T":
            child.send_signal(signal.SIGTERM)
    _kill_group(child.pid)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def kill_rest(group: int) -> None:
    """What the command left behind: its group, then every child that came to us."""
    _kill_group(group)
    children = f"/proc/self/task/{os.getpid()}/children"
    while True:
        try:
            with open(children, encoding="ascii") as file:  # noqa: PTH123 - as light as can be
                rest = [int(pid) for pid in file.read().split()]
        except OSError:  # not Linux
            return
        if not rest:
            return
        for pid in rest:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
