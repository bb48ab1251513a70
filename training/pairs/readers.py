"""Readers of TSV, two parallel files, JSON lines and Parquet. TMX is in `tmx`."""

import json
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any, BinaryIO

from longspan.training.errors import DataError
from longspan.training.pairs.columns import (
    Columns,
    Places,
    is_header,
    places_by_name,
    places_by_number,
)
from longspan.training.pairs.rows import INVALID_UTF8, MALFORMED, Report, Row
from longspan.training.pairs.streams import lines

__all__ = ["read_json_lines", "read_parallel", "read_parquet", "read_tsv"]

_TRUE = ("1", "true", "yes")
_NO_STRINGS = "has no string as source or target"
_PARQUET_ROWS = 4096
_KEY_SETS = 1000


def read_tsv(chunks: Iterator[bytes], name: str, columns: Columns, report: Report) -> Iterator[Row]:
    """Yield rows of tab-separated text, in which quotes have no meaning. Header: see `columns`.

    Rows with too few fields, or with more than the first row, are reported.
    """
    places: Places | None = None
    width = needed = 0
    for number, line in lines(chunks, name):
        text = _decode(line, name, number, report)
        if text is None:
            continue
        fields = text.split("\t")
        if places is None:
            width = len(fields)
            if is_header(fields, columns, f"{name}:{number}"):
                places = places_by_name(fields, columns, f"{name}:{number}")
                needed = places.width
                continue
            places = places_by_number(width, columns, f"{name}:{number}")
            needed = places.width
        if not needed <= len(fields) <= width:
            # Too many fields are an error too, since a stray tab moves all columns after it.
            report(MALFORMED, name, number, f"has {len(fields)} column(s), expected {width}")
        else:
            yield _row(number, fields, places)


def read_parallel(
    source_chunks: Iterator[bytes],
    target_chunks: Iterator[bytes],
    names: tuple[str, str],
    report: Report,
) -> Iterator[Row]:
    """Yield line n of one file with line n of the other.

    Raises DataError at the first line that only one of the two files has.
    """
    sides = (lines(source_chunks, names[0]), lines(target_chunks, names[1]))
    for number, (source, target) in enumerate(zip_longest(*sides), start=1):
        if source is None or target is None:
            short, long = names if source is None else (names[1], names[0])
            raise DataError(
                f"{long}:{number}: expected parallel files of as many lines each, but {short} "
                f"ends after line {number - 1}; align the two files again"
            )
        left = _decode(source[1], names[0], number, report)
        # A row is reported once, even if both of its sides are damaged.
        right = _decode(target[1], names[1], number, report) if left is not None else None
        if left is not None and right is not None:
            yield Row(number, left, right)


def read_json_lines(
    chunks: Iterator[bytes], name: str, columns: Columns, report: Report
) -> Iterator[Row]:
    """Yield a row for each line: a JSON object (nested names with a dot) or array of strings."""
    known: dict[tuple[str, ...], Places] = {}
    for number, line in lines(chunks, name):
        text = _decode(line, name, number, report)
        if text is None:
            continue
        origin = f"{name}:{number}"
        # A first line that is not JSON means another format, a later one a damaged row.
        values = _parse_json(text, first=not known, origin=origin)
        if values is None:
            report(MALFORMED, name, number, "is not a JSON object or array")
            continue
        keys = tuple(values)
        try:
            # Objects of one file may have different other fields.
            places = known[keys] if keys in known else _json_places(keys, columns, origin)
        except DataError:
            if not known:
                raise
            report(MALFORMED, name, number, f"has the fields {', '.join(keys)[:200]}")
            continue
        # Bounded, because a hostile file could have other names in each line.
        if len(known) < _KEY_SETS:
            known[keys] = places
        row = _checked_row(number, list(values.values()), places)
        if row is None:
            report(MALFORMED, name, number, _NO_STRINGS)
        else:
            yield row


def read_parquet(
    content: str | BinaryIO, name: str, columns: Columns, report: Report
) -> Iterator[Row]:
    """Yield rows of a Parquet file, given by path or open, in batches; nested names with a dot.

    Raises DataError when it is not Parquet or a column is missing.
    """
    import pyarrow  # slow to import, and needed for this format alone
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(content, pre_buffer=False) as file:
            yield from _parquet_rows(file, name, columns, report)
    except pyarrow.ArrowException as error:
        raise DataError(
            f"{name}: expected a Parquet file, got: {error}; is it whole and of this format?"
        ) from error


def _parquet_rows(file: Any, name: str, columns: Columns, report: Report) -> Iterator[Row]:
    import pyarrow

    names = [c.path for c in file.schema]
    places = places_by_name(names, columns, name)
    wanted = [places.source, places.target, places.document, places.joined]
    paths = {i: names[i] for i in wanted if i is not None}
    number = 0
    for batch in file.iter_batches(_PARQUET_ROWS, columns=list(paths.values()), use_threads=False):
        fields: list[list[Any]] = [[None] * batch.num_rows for _ in names]
        for place, path in paths.items():
            column = _leaf(batch, path)
            if pyarrow.types.is_string(column.type) or pyarrow.types.is_large_string(column.type):
                # As bytes, so that one value that is not UTF-8 does not fail its whole batch.
                column = column.cast(pyarrow.large_binary())
            fields[place] = column.to_pylist()
        for values in zip(*fields, strict=True):
            number += 1
            decoded = _decode_values(values, name, number, report)
            if decoded is None:
                continue
            row = _checked_row(number, decoded, places)
            if row is None:
                report(MALFORMED, name, number, _NO_STRINGS)
            else:
                yield row


def _decode(line: bytes, name: str, number: int, report: Report) -> str | None:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        detail = f"byte {error.start + 1} is 0x{line[error.start]:02x}"
        report(INVALID_UTF8, name, number, detail)
        return None


def _decode_values(
    values: tuple[Any, ...], name: str, number: int, report: Report
) -> list[Any] | None:
    decoded = []
    for value in values:
        if isinstance(value, bytes):
            value = _decode(value, name, number, report)
            if value is None:
                return None
        decoded.append(value)
    return decoded


def _row(number: int, fields: list[str], places: Places) -> Row:
    document = fields[places.document] if places.document is not None else None
    joined = places.joined is not None and places.joined < len(fields)
    return Row(
        number,
        fields[places.source],
        fields[places.target],
        document,
        joined and fields[places.joined or 0].strip().lower() in _TRUE,
    )


def _checked_row(number: int, fields: list[Any], places: Places) -> Row | None:
    """Build a row from values of any type; None unless source and target are strings."""
    source, target = fields[places.source], fields[places.target]
    if not isinstance(source, str) or not isinstance(target, str):
        return None
    document = fields[places.document] if places.document is not None else None
    joined = fields[places.joined] if places.joined is not None else None
    return Row(
        number,
        source,
        target,
        None if document is None else str(document),
        str(joined).strip().lower() in _TRUE,
    )


def _parse_json(text: str, *, first: bool, origin: str) -> dict[str, Any] | None:
    """Return the values of an object by name, of an array by number; None for anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        if first:
            raise DataError(
                f"{origin}: expected one JSON object a line, got: {error}; "
                "write each object in a line of its own, without an array around them"
            ) from error
        return None
    if isinstance(value, list):
        return {str(i): item for i, item in enumerate(value, start=1)}
    return _flat(value) if isinstance(value, dict) else None


def _flat(value: Mapping[str, Any], prefix: str = "", depth: int = 4) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(item, dict) and depth:
            flat |= _flat(item, f"{prefix}{key}.", depth - 1)
        else:
            flat[f"{prefix}{key}"] = item
    return flat


def _json_places(keys: tuple[str, ...], columns: Columns, origin: str) -> Places:
    if keys == tuple(str(i) for i in range(1, len(keys) + 1)):
        return places_by_number(len(keys), columns, origin)
    return places_by_name(keys, columns, origin)


def _leaf(batch: Any, path: str) -> Any:
    import pyarrow.compute

    head, *rest = path.split(".")
    column = batch.column(head)
    for part in rest:
        column = pyarrow.compute.struct_field(column, part)
    return column
