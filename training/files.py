"""Atomic writes: a file, a directory, or several files of one, complete or not at all.

write_atomically(path, content)           one file
atomic_directory(directory)               everything in a directory
atomic_files(directory, last=name)        some files of a directory, which may be a mount

Content is written under a scratch name, flushed to the disk and renamed. A crash leaves the old
content or the new one, and an error leaves the old one and no scratch.
"""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from longspan.training.errors import DataError

__all__ = ["atomic_directory", "atomic_files", "is_occupied", "write_atomically"]

_LOCK = ".lock"  # held in a scratch directory by the process that writes there
_UNFINISHED = ".unfinished"


def write_atomically(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Replace `path` by `content`. The new file gets `mode`, less the umask.

    Raises OSError, for example on a full disk; the old file is then untouched.
    """
    scratch = _scratch_of(path)
    try:
        scratch.unlink(missing_ok=True)  # left by a killed run, perhaps with another mode
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except BaseException as error:
        scratch.unlink(missing_ok=True)
        _name_place(error, path)
        raise


@contextmanager
def atomic_directory(directory: Path, *, scratch: Path | None = None) -> Iterator[Path]:
    """Yield a scratch directory that replaces `directory` at the end.

    `scratch` is its path beside `directory`, by default one with a hidden name. What a killed run
    left there is removed. On an error `directory` stays as it was, and absent parents stay absent.
    Raises DataError when no directory can be made there or another process writes to it, and
    OSError when it cannot be written whole, for example on a full disk.
    """
    scratch = scratch or _scratch_of(directory)
    with _restored(directory):
        _make(directory.parent, scratch)
        with _locked(scratch, directory):
            yield scratch
            (scratch / _LOCK).unlink()
            _flush_tree(scratch)
            _replace_directory(scratch, directory)
            _flush(directory.parent)


@contextmanager
def atomic_files(directory: Path, *, last: str) -> Iterator[Path]:
    """Yield a scratch directory whose files move into `directory` at the end, `last` as the last.

    While the others move there is no file `last`, so where it exists all of them are complete.
    Other files of `directory` stay. The scratch directory lies inside `directory`, which may
    therefore be a mount. On an error `directory` stays as it was, and absent parents stay absent.
    Raises DataError when no directory can be made there or another process writes to it, and
    OSError when the files cannot be written whole, for example on a full disk.
    """
    scratch = directory / _UNFINISHED
    with _restored(directory):
        _make(directory, scratch)
        try:
            with _locked(scratch, directory):
                yield scratch
                _flush_tree(scratch)
                (directory / last).unlink(missing_ok=True)
                for path in sorted(_content(scratch), key=lambda path: path.name == last):
                    _move(path, directory / path.name)
                (scratch / _LOCK).unlink()
        finally:
            with suppress(OSError):  # removed already, or another process writes there by now
                scratch.rmdir()


def is_occupied(path: Path) -> bool:
    """Whether a path holds something, other than the scratch of a killed run inside it."""
    if path.is_dir():
        return any(found.name != _UNFINISHED for found in path.iterdir())
    return os.path.lexists(path)


def _scratch_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial")


@contextmanager
def _restored(directory: Path) -> Iterator[None]:
    """On an error, remove `directory` and its parents where they did not exist before."""
    absent = [folder for folder in (directory, *directory.parents) if not folder.exists()]
    try:
        yield
    except BaseException as error:
        for folder in absent:
            with suppress(OSError):  # never made, or another process has put something into it
                folder.rmdir()
        _name_place(error, directory)
        raise


def _make(directory: Path, scratch: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        scratch.mkdir(exist_ok=True)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DataError(
            f"{directory}: expected a directory to write to, got: {error.strerror}; give another"
        ) from error


@contextmanager
def _locked(scratch: Path, directory: Path) -> Iterator[None]:
    """Empty `scratch` and lock it for this process; remove it on an error.

    The kernel releases the lock of a killed process, so its scratch can be taken over.
    """
    with (scratch / _LOCK).open("wb") as lock:
        try:
            fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataError(
                f"{directory}: another run is writing to it; wait for it to end, or give another"
            ) from error
        try:
            for path in _content(scratch):
                _remove(path)
            yield
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise


def _content(scratch: Path) -> list[Path]:
    return [path for path in scratch.iterdir() if path.name != _LOCK]


def _replace_directory(scratch: Path, directory: Path) -> None:
    if not os.path.lexists(directory):
        scratch.rename(directory)
        return
    old = directory.with_name(f".{directory.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    directory.rename(old)
    scratch.rename(directory)
    _remove(old)


def _move(path: Path, place: Path) -> None:
    if place.is_dir():  # a rename replaces files, but no directories that hold something
        _remove(place)
    path.replace(place)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _flush_tree(folder: Path) -> None:
    """Flush all files, since a full disk may show only then."""
    for path in (*folder.rglob("*"), folder):
        _flush(path)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _name_place(error: BaseException, place: Path) -> None:
    """Add the path to an error of a write, which the system leaves without one."""
    if isinstance(error, OSError) and error.filename is None and error.errno is not None:
        error.filename = str(place)
