"""JSON: one object or array a line, or one array of all of them."""

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from longspan.training.errors import DataError
from longspan.training.pairs.columns import (
    Columns,
    Places,
    is_header,
    places_by_name,
    places_by_number,
)
from longspan.training.pairs.rows import MALFORMED, NO_STRINGS, Report, Row, checked_row, decode
from longspan.training.pairs.streams import lines_but_blank_end

__all__ = ["read_json"]

_KEY_SETS = 1000
# An array of objects or arrays, not a line that is an array of strings.
_ARRAY_OF_ALL = re.compile(r"\s*\[\s*[\[{]")
_SPACE = re.compile(r"[ \t\r\n]*")
_LONGEST_ITEM = 1 << 26
# Control characters within strings pass, so that cleaning counts them.
_DECODER = json.JSONDecoder(strict=False)


def read_json(
    head: bytes, chunks: Iterator[bytes], name: str, columns: Columns, report: Report
) -> Iterator[Row]:
    """Yield a row for each object (nested names with a dot) or array of strings.

    They stand one a line, or in one array around all. `head` holds the first bytes of `chunks`.
    """
    start = head.decode("utf-8-sig", "replace")
    if _ARRAY_OF_ALL.match(start):
        return _rows(_items(chunks, name), name, columns, report)
    return _rows(_line_values(chunks, name, report), name, columns, report)


def _rows(
    values: Iterator[tuple[int, Any]], name: str, columns: Columns, report: Report
) -> Iterator[Row]:
    known: dict[tuple[str, ...], Places] = {}
    headed: tuple[str, ...] | None = None
    for number, value in values:
        if not known and _is_header(value, columns, f"{name}:{number}"):
            headed = tuple(_fields(value) or ())
            known[headed] = places_by_name(value, columns, f"{name}:{number}")
            continue
        fields = _fields(value)
        if fields is None:
            report(MALFORMED, name, number, "is not a JSON object or array")
            continue
        keys = tuple(fields)
        if headed is not None and keys != headed:
            report(MALFORMED, name, number, f"has {len(keys)} field(s), expected {len(headed)}")
            continue
        try:
            # Objects of one file may have different other fields.
            places = known[keys] if keys in known else _places(keys, columns, f"{name}:{number}")
        except DataError:
            if not known:
                raise
            report(MALFORMED, name, number, f"has the fields {', '.join(keys)[:200]}")
            continue
        # Bounded, because a hostile file could have other names in each line.
        if len(known) < _KEY_SETS:
            known[keys] = places
        row = checked_row(number, list(fields.values()), places)
        if row is None:
            report(MALFORMED, name, number, NO_STRINGS)
        else:
            yield row


def _is_header(value: Any, columns: Columns, origin: str) -> bool:
    """Return whether a first array names the columns of those after it."""
    strings = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return strings and is_header(value, columns, origin)


def _line_values(chunks: Iterator[bytes], name: str, report: Report) -> Iterator[tuple[int, Any]]:
    """Yield the value of each line; None for a line that is not JSON."""
    first = True
    for number, line in lines_but_blank_end(chunks, name):
        text = decode(line, name, number, report)
        if text is None:
            continue
        try:
            value = _DECODER.decode(text)
        except (ValueError, RecursionError) as error:
            # A first line that is not JSON means another format, a later one a damaged row.
            if first and text.strip():
                raise DataError(
                    f"{name}:{number}: expected one JSON object a line, or one array of all, got: "
                    f"{error}; write each object in a line of its own"
                ) from error
            value = None
        first = first and not text.strip()
        yield number, value


def _items(chunks: Iterator[bytes], name: str) -> Iterator[tuple[int, Any]]:
    """Yield the items of one array with their numbers, holding one item in memory.

    Raises DataError at the first item that is not JSON.
    """
    text = _Text(chunks, name)
    text.take("[")
    number = 0
    while not text.take("]"):
        number += 1
        yield number, text.item()
        if not text.take(","):
            text.require("]")
            return


class _Text:
    """The text of a JSON array, read bit by bit."""

    def __init__(self, chunks: Iterator[bytes], name: str) -> None:
        self._chunks, self._name = chunks, name
        # Wrong bytes become surrogates, which cleaning counts.
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        self._text, self._place = "", 0
        self.line = 1

    def take(self, mark: str) -> bool:
        """Skip white space, and return whether `mark` came, which is skipped too."""
        while True:
            space = _SPACE.match(self._text, self._place)
            self._skip(len(space[0]) if space is not None else 0)
            if self._place < len(self._text) or not self._more():
                break
        found = self._text.startswith(mark, self._place)
        self._skip(len(mark) if found else 0)
        return found

    def require(self, mark: str) -> None:
        """Raise DataError unless `mark` comes."""
        if not self.take(mark):
            raise self._error(f"{self._text[self._place : self._place + 20]!r} instead of {mark}")

    def item(self) -> Any:
        """Return the next value."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._place)
            except (ValueError, RecursionError) as error:
                # The end of the item may not have been read yet.
                if len(self._text) - self._place > _LONGEST_ITEM or not self._more():
                    raise self._error(str(error)) from error
            else:
                self._skip(end - self._place)
                return value

    def _skip(self, count: int) -> None:
        self.line += self._text.count("\n", self._place, self._place + count)
        self._place += count

    def _more(self) -> bool:
        """Read at least as much again as is not used yet; return whether there was any."""
        parts, wanted = [self._text[self._place :]], len(self._text) - self._place
        for chunk in self._chunks:
            parts.append(self._decoder.decode(chunk))
            wanted -= len(parts[-1])
            if wanted < 0:
                break
        before = len(parts[0])
        self._text, self._place = "".join(parts), 0
        return len(self._text) > before

    def _error(self, found: str) -> DataError:
        return DataError(
            f"{self._name}:{self.line}: expected items of a JSON array, got: {found}; "
            "repair the file"
        )


def _fields(value: Any) -> dict[str, Any] | None:
    """Return the values of an object by name, of an array by number; None for anything else."""
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


def _places(keys: tuple[str, ...], columns: Columns, origin: str) -> Places:
    if keys == tuple(str(i) for i in range(1, len(keys) + 1)):
        return places_by_number(len(keys), columns, origin)
    return places_by_name(keys, columns, origin)
