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
from longspan.training.pairs.formats import FORMATS, detect_format, pair_up, refuse_no_text
from longspan.training.pairs.readers import read_json_lines, read_parallel, read_parquet, read_tsv
from longspan.training.pairs.rows import Problem, Report, Row
from longspan.training.pairs.streams import (
    CountedFile,
    InputRecord,
    decompressed,
    head_and_rest,
    name_of,
    raw_file,
    seekable,
)
from longspan.training.pairs.tmx import read_tmx

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
    not text, damaged data, and parallel files of unequal length.
    """
    given = [str(paths)] if isinstance(paths, str | Path) else [str(p) for p in paths]
    columns = columns or Columns()
    heard = listener if listener is not None else StrictListener()
    for group in pair_up(given, format, columns.source_language, columns.target_language):
        if len(group) == 2:
            yield from _read_two(group[0], group[1], heard)
        else:
            yield from _read_one(group[0], columns, format, heard)


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


def _read_one(path: str, columns: Columns, format: str | None, heard: Listener) -> Iterator[Pair]:
    name = name_of(path)
    file = raw_file(path, heard.read_bytes)
    with _Closing(file):
        head, chunks = head_and_rest(decompressed(file, name))
        found = format or detect_format(name, head)
        report = _reporter(heard)
        if found == "parquet":
            # Parquet is read out of order, so the file is first read whole, for its hash.
            with seekable(path, name, chunks) as content:
                heard.finished(file.finish())
                rows = read_parquet(content, name, columns, report)
                yield from (_pair(row, name) for row in rows)
        else:
            rows = _text_rows(found, head, chunks, name, columns, report)
            yield from (_pair(row, name) for row in rows)
            heard.finished(file.finish())


def _text_rows(
    found: str, head: bytes, chunks: Iterator[bytes], name: str, columns: Columns, report: Report
) -> Iterator[Row]:
    if found == "tmx":
        languages = (columns.source_language, columns.target_language)
        document = None if columns.document is None else str(columns.document)
        return read_tmx(chunks, name, languages, report, document)
    refuse_no_text(name, head)
    if found == "jsonl":
        return read_json_lines(chunks, name, columns, report)
    return read_tsv(chunks, name, columns, report)


def _read_two(source: str, target: str, heard: Listener) -> Iterator[Pair]:
    files = [raw_file(path, heard.read_bytes) for path in (source, target)]
    names = (name_of(source), name_of(target))
    with _Closing(*files):
        streams = []
        for file, name in zip(files, names, strict=True):
            head, chunks = head_and_rest(decompressed(file, name))
            refuse_no_text(name, head)
            streams.append(chunks)
        rows = read_parallel(streams[0], streams[1], names, _reporter(heard))
        yield from (_pair(row, names[0]) for row in rows)
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
