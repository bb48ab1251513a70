"""A directory that appears whole or not at all: written beside its place, then renamed."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from longspan.training.corpus.manifest import MANIFEST
from longspan.training.errors import DataError
from longspan.training.files import LOCK, scratch_of_one, vanishing

__all__ = ["is_occupied", "refuse_foreign", "written_whole"]


def is_occupied(directory: Path) -> bool:
    """Whether something is there already; an empty directory is nothing."""
    if directory.is_dir():
        return any(directory.iterdir())
    return directory.exists() or directory.is_symlink()


def refuse_foreign(directory: Path) -> None:
    """Raise DataError when overwriting would delete what `prepare` did not write."""
    if is_occupied(directory) and not (directory / MANIFEST).is_file():
        raise DataError(
            f"{directory}: expected a prepared corpus to overwrite, got something else; "
            "choose another --out"
        )


@contextmanager
def written_whole(directory: Path) -> Iterator[Path]:
    """A scratch directory that takes `directory`'s place at the end, and is gone on failure.

    What a killed run left behind is removed. Raises DataError when another process is at
    it, and when the disk is full.
    """
    scratch = directory.with_name(directory.name + ".partial")
    taken = f"{scratch}: another `longspan prepare` is writing it; wait for it to end"
    with vanishing(directory):
        try:
            scratch.mkdir(parents=True, exist_ok=True)
            with scratch_of_one(scratch, taken):
                yield scratch
                (scratch / LOCK).unlink()
                _replace(scratch, directory)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DataError(
                    f"{scratch}: no space left on the disk; free some and run the same command "
                    "again (nothing unfinished was left behind)"
                ) from error
            raise DataError(
                f"{error.filename or directory}: expected to write here, got: {error.strerror}"
            ) from error


def _replace(scratch: Path, directory: Path) -> None:
    if not is_occupied(directory):
        scratch.rename(directory)  # also over an empty directory
        return
    old = directory.with_name(directory.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    directory.rename(old)
    scratch.rename(directory)
    shutil.rmtree(old)
