"""A folder in the place of `/opt/ml`, for this process and those that it starts (Linux only).

A mount namespace gives a process its own view of the file system. Root may create one; others may
where the system allows them user namespaces. It imports the standard library alone: the guard
starts with it.

https://man7.org/linux/man-pages/man7/mount_namespaces.7.html
"""

import ctypes
import errno
import os
import sys

__all__ = ["ROOT", "mount_root"]

ROOT = "/opt/ml"  # of SageMaker's container contract
# linux/sched.h, sys/mount.h
_NEW_MOUNTS, _NEW_USER = 0x0002_0000, 0x1000_0000
_BIND, _RECURSIVE, _SLAVE = 0x1000, 0x4000, 0x8_0000


def mount_root(folder: str) -> None:
    """Let `/opt/ml` be `folder`. Raises OSError where the system does not allow it.

    The process must have one thread only.
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
