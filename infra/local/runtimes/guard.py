"""`python -m longspan.infra.local.runtimes.guard [--root FOLDER] COMMAND...`: leave no process.

The guard does for processes what the boundary of a container does for a job. With `--root`, FOLDER
is `/opt/ml` for the command and its working directory. The guard reads orders from standard input:
`T` sends SIGTERM to the command. The end of standard input, which also follows from any death of
the parent, kills the command and all processes that it started. The exit status is the command's,
128 + N after signal N.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

from longspan.infra.local.runtimes.mounts import ROOT, mount_root

__all__ = ["adopt_orphans", "kill_rest", "main"]

_OPTION = "--root"
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def main(command: Sequence[str]) -> int:
    """Run the command to its end; return its exit status, 127 if it cannot start."""
    adopt_orphans()
    try:
        if command[0] == _OPTION:
            folder, command = command[1], command[2:]
            mount_root(folder)
            os.chdir(ROOT)
        # A process group of its own, which can be killed without the guard.
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        print(f"{command[0]}: {error.strerror or error}", file=sys.stderr, flush=True)
        return 127
    threading.Thread(target=_listen, args=(child,), daemon=True).start()
    status = child.wait()
    kill_rest(child.pid)
    # Popen reports signal N as -N, a shell and Docker as 128 + N.
    return status if status >= 0 else 128 - status


def adopt_orphans() -> None:
    """Become the parent of orphaned descendants, which may have left the group (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _listen(child: "subprocess.Popen[bytes]") -> None:
    while order := os.read(0, 1):  # empty at the end of the pipe, when the parent has ended
        if order == b"T":
            child.send_signal(signal.SIGTERM)
    # The command ends by this: `main` wakes up and kills what is left of it.
    _kill_group(child.pid)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def kill_rest(group: int) -> None:
    """Kill the processes that a command left: its group, then every child of this process."""
    _kill_group(group)
    children = f"/proc/self/task/{os.getpid()}/children"
    while True:
        # Killing one child may pass its own children on to this process: repeat until none is left.
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
