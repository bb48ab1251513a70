"""Aligned pairs of text: read from several formats, written as TSV.

`read_pairs` reads files as streams, with one chunk in memory. Rows that cannot be read are passed
to a listener. Without a listener the first one is an error, so that none is lost.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from longspan.training.errors import DataError
from longspan.training.pairs.columns import Columns
from longspan.training.pairs.contents import Opened, rows_of
from longspan.training.pairs.formats import FORMATS
from longspan.training.pairs.pairing import pair_up
from longspan.training.pairs.rows import Problem, Report, Row
from longspan.training.pairs.streams import CountedFile, InputRecord, name_of, raw_file

__all__ = [
    "FORMATS",
    "Columns",
    "Listener",
    "Pair",
    "Problem",
    "StrictListener",
    "read_pairs",
    "write_tsv",
]

_DIGITS_AT_END = re.compile(r"\d+$", re.ASCII)
_LARGEST_POSITION = 2**62


@dataclass(frozen=True, slots=True)
class Pair:
    """A source text and its translation."""

    source: str
    target: str
    document: str | None = None
    position: int | None = None  # line in the document
    origin: str = ""  # file:line
    joined: bool = False  # made of several neighbours


class Listener(Protocol):
    """Callbacks of reading files."""

    def problem(self, problem: Problem) -> None:
        """Handle a row that could not be read and is left out."""

    def read_bytes(self, count: int) -> None:
        """Count bytes of the files that were read, as they are on the disk."""

    def finished(self, record: InputRecord) -> None:
        """Handle a file that was read to its end."""


class StrictListener:
    """A listener that raises DataError for the first row that cannot be read."""

    def problem(self, problem: Problem) -> None:
        """Raise DataError."""
        raise DataError(f"{problem.origin}: {problem.rule}: {problem.detail}; repair this row")

    def read_bytes(self, count: int) -> None:
        """Do nothing."""

    def finished(self, record: InputRecord) -> None:
        """Do nothing."""


def read_pairs(
    paths: str | Path | Sequence[str | Path],
    columns: Columns | None = None,
    *,
    format: str | None = None,
    listener: Listener | None = None,
) -> Iterator[Pair]:
    """Yield all pairs of the files in order; `-` is standard input.

    `format` is one of FORMATS, or None to find it from names and first bytes. Compression is
    always found from the first bytes. Raises DataError for a missing file or column, a file that is
    not text, damaged data, parallel files of unequal length, and a file without a single pair.
    """
    if format is not None and format not in FORMATS:
        raise DataError(f"format: expected one of {', '.join(FORMATS)}, got {format}")
    given = [str(paths)] if isinstance(paths, str | Path) else [str(p) for p in paths]
    columns = columns or Columns()
    heard = listener if listener is not None else StrictListener()
    for group in pair_up(given, format, columns.source_language, columns.target_language):
        yield from _read_files(group, columns, format, heard)


def split_document(value: str | None) -> tuple[str | None, int | None]:
    """Split `DOCUMENT#LINE` at its last `#` into document and line; None for a missing part."""
    if not value:
        return None, None
    document, mark, line = value.rpartition("#")
    if not mark or not document:
        return value, None
    digits = _DIGITS_AT_END.search(line)
    # As many digits as the largest position has; Python refuses to read thousands of them.
    number = int(digits.group()[:19]) if digits else None
    return document, number if number is None or number < _LARGEST_POSITION else None


def join_document(document: str | None, position: int | None) -> str:
    """Write what `split_document` reads."""
    if document is None:
        return ""
    if position is None:
        # The mark without a line: a `#` in the name would be read as the mark otherwise.
        return f"{document}#" if "#" in document else document
    return f"{document}#{position}"


def write_tsv(path: str | Path, pairs: Iterable[Pair], *, joined: bool = False) -> int:
    """Write columns `doc`, `source`, `target` (and `joined`, 0 or 1); return the number of pairs.

    Raises DataError for text with a tab or a line break, which TSV cannot hold.
    """
    count = 0
    with Path(path).open("w", encoding="utf-8", newline="\n") as file:
        file.write("doc\tsource\ttarget" + ("\tjoined\n" if joined else "\n"))
        for pair in pairs:
            fields = [join_document(pair.document, pair.position), pair.source, pair.target]
            if any(mark in field for field in fields for mark in "\t\n\r"):
                raise DataError(
                    f"{pair.origin or path}: expected text without tabs and line breaks for TSV, "
                    "got some; replace them by spaces"
                )
            if joined:
                fields.append(str(int(pair.joined)))
            file.write("\t".join(fields) + "\n")
            count += 1
    return count


def _read_files(
    group: Sequence[str], columns: Columns, format: str | None, heard: Listener
) -> Iterator[Pair]:
    """Yield the pairs of one file, or of two parallel ones."""
    files = [raw_file(path, heard.read_bytes) for path in group]
    with _Closing(*files):
        opened = [
            Opened(name_of(path), file, path) for path, file in zip(group, files, strict=True)
        ]
        for name, row in rows_of(opened, columns, format, _reporter(heard)):
            yield _pair(row, name)
        for file in files:
            heard.finished(file.finish())


def _pair(row: Row, name: str) -> Pair:
    document, position = split_document(row.document)
    return Pair(row.source, row.target, document, position, f"{name}:{row.line}", row.joined)


def _reporter(heard: Listener) -> Report:
    def report(rule: str, name: str, line: int, detail: str) -> None:
        heard.problem(Problem(f"{name}:{line}", rule, detail))

    return report


class _Closing:
    """A context that closes files at its end without reading them further."""

    def __init__(self, *files: CountedFile) -> None:
        self._files = files

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            with suppress(OSError):
                file.close()
