"""TSV and CSV: rows of fields between tabs, commas or semicolons.

Fields of TSV have no quotes, unless the file quotes them as CSV does.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from longspan.training.errors import DataError
from longspan.training.pairs.columns import (
    Columns,
    Places,
    is_header,
    places_by_name,
    places_by_number,
)
from longspan.training.pairs.rows import MALFORMED, TRUE, Report, Row, decode
from longspan.training.pairs.streams import lines_but_blank_end

__all__ = ["read_csv", "read_tsv"]

_DELIMITERS = (",", ";", "\t")
# Rows by which a delimiter is found, and rows that must all be quoted where no header is.
_SAMPLE = 200
_LEAST_QUOTED = 10
_QUOTED = re.compile(r'"(?:[^"]|"")*"')

_Record = tuple[int, list[str]]


def read_tsv(
    head: bytes, chunks: Iterator[bytes], name: str, columns: Columns, report: Report
) -> Iterator[Row]:
    """Yield rows of tab-separated text. Header: see `columns`.

    `head` holds the first bytes of `chunks`. Quotes are text, unless the head shows that fields are
    quoted. Rows with too few fields, or with more than the first row, are reported.
    """
    if _is_quoted(head, columns):
        return _rows(_csv_records(chunks, name, "\t", report), name, columns, report)
    return _rows(_plain_records(chunks, name, report), name, columns, report)


def read_csv(
    head: bytes, chunks: Iterator[bytes], name: str, columns: Columns, report: Report
) -> Iterator[Row]:
    """Yield rows of CSV (RFC 4180), separated by commas, semicolons or tabs, as `read_tsv` does."""
    return _rows(_csv_records(chunks, name, _delimiter(head), report), name, columns, report)


def _rows(records: Iterator[_Record], name: str, columns: Columns, report: Report) -> Iterator[Row]:
    places: Places | None = None
    width = needed = 0
    for number, fields in records:
        if places is None and fields != [""]:
            width = len(fields)
            origin = f"{name}:{number}"
            if is_header(fields, columns, origin):
                places = places_by_name(fields, columns, origin)
                needed = places.width
                continue
            places = places_by_number(width, columns, origin)
            needed = places.width
        if places is None or not needed <= len(fields) <= width:
            # Too many fields are an error too, since a stray tab moves all columns after it.
            expected = f", expected {width}" if width else ""
            report(MALFORMED, name, number, f"has {len(fields)} column(s){expected}")
        else:
            yield _row(number, fields, places)


def _row(number: int, fields: list[str], places: Places) -> Row:
    document = fields[places.document] if places.document is not None else None
    joined = places.joined is not None and places.joined < len(fields)
    return Row(
        number,
        fields[places.source],
        fields[places.target],
        document,
        joined and fields[places.joined or 0].strip().lower() in TRUE,
    )


def _plain_records(chunks: Iterator[bytes], name: str, report: Report) -> Iterator[_Record]:
    for number, line in lines_but_blank_end(chunks, name):
        text = decode(line, name, number, report)
        if text is not None:
            yield number, text.split("\t")


def _csv_records(
    chunks: Iterator[bytes], name: str, delimiter: str, report: Report
) -> Iterator[_Record]:
    """Yield records with their first lines; report those whose quotes are wrong."""
    source = _TextLines(chunks, name, report)
    records = csv.reader(source, delimiter=delimiter, strict=True)
    while True:
        source.first = None
        try:
            fields = next(records)
        except StopIteration:
            return
        except csv.Error as error:
            first, last = source.first or source.last, source.last
            report(MALFORMED, name, first, f"{error} (up to line {last})")
            continue
        yield source.first or source.last, fields or [""]


class _TextLines:
    """Lines of a file as text for the `csv` module. `first` is the first line since it was None."""

    def __init__(self, chunks: Iterator[bytes], name: str, report: Report) -> None:
        self._lines = lines_but_blank_end(chunks, name)
        self._name, self._report = name, report
        self.first: int | None = None
        self.last = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while True:
            self.last, line = next(self._lines)
            text = decode(line, self._name, self.last, self._report)
            if text is not None:
                self.first = self.first or self.last
                return text + "\n"


def _sample(head: bytes) -> list[str]:
    """Return the first whole lines of a file."""
    complete = head if b"\n" not in head else head[: head.rindex(b"\n")]
    text = complete.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    return [line.rstrip("\r") for line in text.split("\n")]


def _is_quoted(head: bytes, columns: Columns) -> bool:
    """Return whether the fields of a TSV file are quoted as in CSV.

    They are if the header is quoted, or if each field that begins with a quote also ends with one
    and a quote within a field is doubled, or all fields of many rows are quoted.
    """
    rows = [line.split("\t") for line in _sample(head) if line.strip()]
    if not rows:
        return False
    if all(map(_QUOTED.fullmatch, rows[0])) and _is_quoted_header(rows[0], columns):
        return True
    quoted = [field for row in rows for field in row if field.startswith('"')]
    if not quoted or not all(map(_QUOTED.fullmatch, quoted)):
        return False
    everywhere = all(field.startswith('"') for row in rows[1:] for field in row)
    return (everywhere and len(rows) > _LEAST_QUOTED) or any('""' in f[1:-1] for f in quoted)


def _is_quoted_header(first: Sequence[str], columns: Columns) -> bool:
    try:
        return is_header([field[1:-1] for field in first], columns, "")
    except DataError:
        return True


def _delimiter(head: bytes) -> str:
    """Return the delimiter by which most of the first rows have as many fields as the first."""
    lines = _sample(head)

    def agreeing(delimiter: str) -> tuple[int, int]:
        records = csv.reader(iter(lines), delimiter=delimiter)
        try:
            widths = [len(fields) for fields in islice(records, _SAMPLE) if fields]
        except csv.Error:
            return 0, 0
        if not widths or widths[0] < 2:
            return 0, 0
        return widths.count(widths[0]), -widths[0]

    return max(_DELIMITERS, key=agreeing)
