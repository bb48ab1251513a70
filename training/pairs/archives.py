"""ZIP archives of corpora, as OPUS and Moses hand them out."""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import BinaryIO

from longspan.training.errors import DataError
from longspan.training.pairs.formats import has_known_name, plain_path

__all__ = ["Member", "is_archive", "members_of", "opened_archive"]

_MARK = b"PK\x03\x04"
_OFFICE = ("[Content_Types].xml", "mimetype")
# Files about a corpus, which hold no pairs.
_ABOUT = frozenset({"readme", "license", "licence", "copying", "notice", "changelog", "info"})
_ABOUT_SUFFIXES = frozenset({"", ".txt", ".md", ".html"})
_SHOWN = 8


class Member:
    """A file in an archive, read from start to end."""

    def __init__(self, archive: zipfile.ZipFile, member: str, name: str) -> None:
        self._name = name
        with _explained(name):
            self._file = archive.open(member)

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes. Raises DataError for damaged data."""
        with _explained(self._name):
            return self._file.read(size)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def is_archive(head: bytes) -> bool:
    """Return whether a file is a ZIP archive."""
    return head.startswith(_MARK)


@contextmanager
def opened_archive(content: str | BinaryIO, name: str) -> Iterator[zipfile.ZipFile]:
    """Open an archive, given by path or open. Raises DataError when it is damaged."""
    with _explained(name):
        archive = zipfile.ZipFile(content)
    with archive:
        yield archive


def members_of(archive: zipfile.ZipFile, name: str, languages: tuple[str, str]) -> list[str]:
    """Return the files of an archive that hold pairs, in its order.

    They are `NAME.en` and `NAME.ja`, of whose corpus further files are left out, and files whose
    names have the suffix of a format. One file alone may have any name. Raises DataError for a
    file that is neither of them nor a README or LICENSE.
    """
    files = [one for one in archive.namelist() if not _is_hidden(one)]
    if any(file in files for file in _OFFICE):
        raise DataError(f"{name}: expected an archive of pairs, got an Office file; export it")
    files = [file for file in files if not _is_about(file)]
    stems = _parallel_stems(files, languages)
    suffixes = tuple(f".{language}".lower() for language in languages)
    found, others = [], []
    for file in files:
        path = plain_path(file)
        if str(path.with_suffix("")) in stems:
            # A corpus of parallel files has others beside: its alignment, ids, third languages.
            if path.suffix.lower() in suffixes:
                found.append(file)
        elif has_known_name(file):
            found.append(file)
        else:
            others.append(file)
    if not found and len(others) == 1:
        return others
    if others or not found:
        shown = ", ".join(others[:_SHOWN]) or "none"
        raise DataError(
            f"{name}: expected NAME.{languages[0]} and NAME.{languages[1]} or files of pairs in "
            f"the archive, got: {shown}; unpack it and name its files, or give --source-language "
            "and --target-language"
        )
    return found


def _parallel_stems(files: Sequence[str], languages: tuple[str, str]) -> set[str]:
    paths = [plain_path(file) for file in files]
    sides = [
        {str(path.with_suffix("")) for path in paths if path.suffix.lower() == f".{code}".lower()}
        for code in languages
    ]
    return sides[0] & sides[1]


def _is_hidden(member: str) -> bool:
    parts = PurePosixPath(member).parts
    return member.endswith("/") or any(part.startswith((".", "__MACOSX")) for part in parts)


def _is_about(member: str) -> bool:
    path = PurePosixPath(member)
    return path.stem.lower() in _ABOUT and path.suffix.lower() in _ABOUT_SUFFIXES


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    # An encrypted member is a RuntimeError, an unknown compression a NotImplementedError.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError) as error:
        raise DataError(
            f"{name}: expected a ZIP archive that can be read, got: {error}; unpack it and name "
            "its files"
        ) from error
