"""`python -m longspan.infra.local.runtimes.guard [--root FOLDER] COMMAND...`: leave no process.

The guard does for processes what the boundary of a container does for a job. With `--root`, FOLDER
is `/opt/ml` for the command and its working directory. The guard reads orders from standard input:
`T` sends SIGTERM to the command. The end of standard input, which also follows from any death of
the parent, kills the command and all processes that it started. The exit status is the command's,
128 + N after signal N.

It imports the standard library alone: as a file, without site-packages, it starts in half the time.
"""

import contextlib
import ctypes
import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

__all__ = ["ROOT", "adopt_orphans", "kill_rest", "main", "mount_root"]

ROOT = "/opt/ml"  # of SageMaker's container contract

_OPTION = "--root"
# linux/sched.h, sys/mount.h
_NEW_MOUNTS, _NEW_USER = 0x0002_0000, 0x1000_0000
_BIND, _RECURSIVE, _SLAVE = 0x1000, 0x4000, 0x8_0000
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


def mount_root(folder: str) -> None:
    """Let `/opt/ml` be `folder` for this process and those that it starts (Linux only).

    A mount namespace gives a process its own view of the file system. Root may create one, and
    other users where the system allows them user namespaces. The process must have one thread.
    Raises OSError where that is not possible.

    https://man7.org/linux/man-pages/man7/mount_namespaces.7.html
    """
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, "only Linux has mount namespaces")
    _enter_namespace()
    # The system's later mounts appear here, and none of these there.
    _mount("none", "/", "", _RECURSIVE | _SLAVE)
    if not os.path.isdir(ROOT):  # noqa: PTH112 - as light as can be
        _add_root()
    _mount(folder, ROOT, "", _BIND | _RECURSIVE)


def _enter_namespace() -> None:
    user, group = os.geteuid(), os.getegid()
    try:
        _call("unshare", _NEW_MOUNTS)
    except PermissionError:
        # A namespace in which this user may mount; files keep their owners.
        _call("unshare", _NEW_MOUNTS | _NEW_USER)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")


def _add_root() -> None:
    """Add the folder `/opt/ml` to this view of `/opt`, which shows all else as before."""
    parent, name = os.path.split(os.path.realpath(ROOT))
    original = os.open(parent, os.O_PATH | os.O_DIRECTORY)
    entries = os.listdir(parent)  # noqa: PTH208
    _mount("tmpfs", parent, "tmpfs", 0, "mode=755")
    for entry in entries:
        source, target = f"/proc/self/fd/{original}/{entry}", f"{parent}/{entry}"
        if os.path.islink(source):  # noqa: PTH114
            os.symlink(os.readlink(source), target)  # noqa: PTH115, PTH211
            continue
        if os.path.isdir(source):  # noqa: PTH112
            os.mkdir(target)  # noqa: PTH102
        else:
            _write(target, "")
        _mount(source, target, "", _BIND | _RECURSIVE)
    os.mkdir(f"{parent}/{name}")  # noqa: PTH102
    os.close(original)


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    _call("mount", source.encode(), target.encode(), kind.encode(), flags, data.encode())


def _call(function: str, *arguments: int | bytes) -> None:
    """Call a function of the C library. Raises OSError."""
    library = ctypes.CDLL(None, use_errno=True)
    converted = [ctypes.c_ulong(one) if isinstance(one, int) else one for one in arguments]
    if getattr(library, function)(*converted) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:  # noqa: PTH123
        file.write(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
