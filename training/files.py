"""Files that are whole or absent, never half, alone and several together."""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from longspan.training.errors import DataError

__all__ = ["LOCK", "scratch_of_one", "vanishing", "write_atomically", "written_together"]

LOCK = ".lock"
_SCRATCH = ".unfinished"


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by `content`; a crash leaves the old file or the new one.

    Raises OSError (for one, no space left), with the old file untouched.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException as error:
        partial.unlink(missing_ok=True)
        _tell_place(error, path)
        raise


@contextmanager
def vanishing(directory: Path) -> Iterator[None]:
    """On an error inside, `directory` and folders above it go again that were not there before."""
    absent = [folder for folder in (directory, *directory.parents) if not folder.exists()]
    try:
        yield
    except BaseException:
        for folder in absent:
            with suppress(OSError):  # never made, or it holds something of another by now
                folder.rmdir()
        raise


@contextmanager
def scratch_of_one(scratch: Path, taken: str) -> Iterator[None]:
    """A folder that is there already is this process's alone, and empty but for LOCK at first.

    What a killed run left there is removed, and all of it on an error. Raises DataError with the
    words `taken` when another process is at it.
    """
    with (scratch / LOCK).open("wb") as lock:
        try:
            fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataError(taken) from error
        try:
            _empty(scratch)
            yield
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise


@contextmanager
def written_together(directory: Path, *, last: str) -> Iterator[Path]:
    """A scratch folder, what is put into which goes to `directory` at the end, `last` after all.

    While the rest takes its place there is no `last`, so where it is, everything is. An error
    leaves `directory` as it was: without anything new, and absent where it was absent. It may be
    a mount, since the scratch folder is inside of it. Raises DataError when `directory` can be
    none or another process is writing to it, OSError when it cannot be written whole (for one, no
    space left).
    """
    scratch = directory / _SCRATCH
    taken = f"{directory}: another run is writing to it; wait for it to end, or give another"
    with vanishing(directory):
        try:
            _make(directory, scratch)
            with scratch_of_one(scratch, taken):
                yield scratch
                _flush(scratch)
                (directory / last).unlink(missing_ok=True)
                for path in sorted(_inside(scratch), key=lambda path: path.name == last):
                    _take_place(path, directory / path.name)
                (scratch / LOCK).unlink()
            with suppress(OSError):  # the next run is at it already
                scratch.rmdir()
        except BaseException as error:
            with suppress(OSError):  # gone already, or another's
                scratch.rmdir()
            _tell_place(error, directory)
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


def _inside(scratch: Path) -> list[Path]:
    return [path for path in scratch.iterdir() if path.name != LOCK]


def _empty(scratch: Path) -> None:
    for path in _inside(scratch):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _tell_place(error: BaseException, place: Path) -> None:
    """A disk that is full while something is written says no name."""
    if isinstance(error, OSError) and error.filename is None and error.errno is not None:
        error.filename = str(place)


def _flush(folder: Path) -> None:
    """Onto the disk, which may have no room for what the system took."""
    for path in (*folder.rglob("*"), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _take_place(path: Path, place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    path.replace(place)
