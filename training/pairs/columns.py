"""Columns of a corpus file, found by name, by number, or by names that corpora commonly use."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field

from longspan.training.errors import DataError
from longspan.training.pairs.tags import is_language, is_same_language, normal_tag
from longspan.training.values import Settings

__all__ = ["Columns", "Places", "is_header", "places_by_name", "places_by_number"]

_SOURCE = ("src", "source", "source_text", "source_sentence")
_TARGET = ("tgt", "trg", "target", "target_text", "target_sentence")
_DOCUMENT = ("doc", "document", "doc_id", "docid", "document_id")
_JOINED = ("joined",)
# Names that a header has and that a pair of phrases rarely is.
_HEADINGS = (
    "domain hypothesis id ids idx index key label lang language original phrase ref reference "
    "score segment sentence split text translation uid"
)
_USUAL = frozenset([*_HEADINGS.split(), *_SOURCE, *_TARGET, *_DOCUMENT])
_IDENTIFIER = re.compile(r"\w+([._]\w+)+")


class Columns(Settings):
    """The columns that a user names, by name or number from 1; None is found automatically."""

    refusal: ClassVar[type[Exception]] = DataError

    source: str | int | None = Field(
        None, description="name of the source column, or number from 1", examples=["en"]
    )
    target: str | int | None = Field(
        None, description="name of the target column, or number from 1", examples=["ja"]
    )
    document: str | int | None = Field(
        None,
        description="name or number of the column with DOCUMENT or DOCUMENT#LINE",
        examples=["doc"],
    )
    source_language: str = Field(
        "en",
        description="source language; decides names of parallel files, ends of sentences",
    )
    target_language: str = Field(
        "ja",
        description="target language; decides names of parallel files, words of BLEU",
    )
    header: Literal["auto", "yes", "no"] = Field(
        "auto", description="whether the first row of TSV or CSV names its columns"
    )


@dataclass(frozen=True)
class Places:
    """Indices of the columns in a row, from 0; None if the file has no such column."""

    source: int
    target: int
    document: int | None = None
    joined: int | None = None

    @property
    def width(self) -> int:
        """Fewest fields of a row."""
        return 1 + max(self.source, self.target, self.document or 0)


def is_header(first: Sequence[str], columns: Columns, origin: str) -> bool:
    """Return whether the first row names columns instead of holding text.

    Raises DataError for a row that names a language or a usual column, but not both columns.
    """
    if columns.header != "auto":
        return columns.header == "yes"
    given = (columns.source, columns.target, columns.document)
    # A column can be found by name in a header only.
    if any(c is not None and _number(c) is None for c in given):
        return True
    if _names_both(first, columns, origin):
        return True
    if any(map(_names_a_column, first)):
        raise DataError(
            f"{origin}: expected a header with a source column ({columns.source_language}) and a "
            f"target column ({columns.target_language}), or a row of text, got: "
            f"{', '.join(first)}; name the columns with --source-column and --target-column, or "
            "give --header no for a row of text, --header yes for names that columns have by number"
        )
    return False


def _names_both(first: Sequence[str], columns: Columns, origin: str) -> bool:
    """Return whether the first row names the source and the target, where the numbers say."""
    places = []
    for side, given in zip(_sides(columns), (columns.source, columns.target), strict=True):
        number = None if given is None else _number(given)
        if number is None or number > len(first):
            places.append(_found(first, side, origin))
        else:
            # Codes of languages may be beside the texts of each row.
            places.append(number - 1 if _names_a_column(first[number - 1]) else None)
    return None not in places and places[0] != places[1]


def places_by_name(first: Sequence[str], columns: Columns, origin: str) -> Places:
    """Find the columns by the names in the first row.

    Raises DataError naming a missing column and the columns of the file.
    """
    source, target = _sides(columns)
    return Places(
        _place(first, columns.source, source, origin),
        _place(first, columns.target, target, origin),
        _optional(first, columns.document, origin),
        _find(_plain_names(first), _JOINED),
    )


def places_by_number(width: int, columns: Columns, origin: str) -> Places:
    """Find the columns by numbers: source 1 and target 2 unless others are given.

    Raises DataError for a name, and for a number above the `width` of the first row.
    """
    source, target, document = (
        _numbered(value, default, side, origin)
        for value, default, side in (
            (columns.source, 1, "source"),
            (columns.target, 2, "target"),
            (columns.document, None, "document"),
        )
    )
    assert source is not None
    assert target is not None
    for number, side in ((source, "source"), (target, "target"), (document, "document")):
        if number is not None and number >= width:
            raise DataError(
                f"{origin}: expected a {side} column {number + 1}, got {width} column(s); give "
                f"--{side}-column, or --format if this is not TSV (such as csv)"
            )
    return Places(source, target, document)


@dataclass(frozen=True)
class _Side:
    """The names by which a column of one side is recognised."""

    name: str  # source or target
    language: str
    usual: tuple[str, ...]


def _sides(columns: Columns) -> tuple[_Side, _Side]:
    return (
        _Side("source", columns.source_language, _SOURCE),
        _Side("target", columns.target_language, _TARGET),
    )


def _found(first: Sequence[str], side: _Side, origin: str) -> int | None:
    """Return the column of a side.

    The name of a language comes first: a file with columns `source`, `en` and `ja` has its texts in
    the last two, and their origin in `source`. Raises DataError if two columns are equally good.
    """
    names = [_last_part(name) for name in first]
    found = [i for i, name in enumerate(names) if is_same_language(name, side.language)]
    # `id` is Indonesian only if no other column is, and `en` is better than `en-US`.
    found = [i for i in found if names[i].strip().lower() not in _USUAL] or found
    found = [i for i in found if normal_tag(names[i]) == normal_tag(side.language)] or found
    if len(found) > 1:
        raise DataError(
            f"{origin}: expected one column in {side.language}, got "
            f"{', '.join(first[i] for i in found)}; name one with --{side.name}-column"
        )
    if found:
        return found[0]
    return _find(_plain_names(first), side.usual)


def _plain_names(names: Sequence[str]) -> list[str]:
    return [_last_part(name).strip().lower() for name in names]


def _last_part(name: str) -> str:
    # Of a nested name, such as `en` of Hugging Face's `translation.en`.
    return name.strip().rsplit(".", 1)[-1] if _IDENTIFIER.fullmatch(name.strip()) else name


def _names_a_column(cell: str) -> bool:
    """Return whether a cell is a usual name or a language: `ID`, `src_text`, `English text`."""
    identifier = _IDENTIFIER.fullmatch(cell.strip())
    if identifier is None:
        words = cell.split()
        return is_language(cell) or (bool(words) and all(map(_is_name, words)))
    return is_language(cell) or any(map(_is_name, re.split("[._]", cell.strip())))


def _is_name(word: str) -> bool:
    # Columns may be numbered: text1.
    return word.lower().rstrip("0123456789") in _USUAL or is_language(word)


def _find(names: Sequence[str], known: Sequence[str]) -> int | None:
    # The order of `known` decides, not that of the columns.
    return next((names.index(name) for name in known if name in names), None)


def _number(value: str | int) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and int(text) > 0 else None


def _given(first: Sequence[str], value: str | int) -> int | None:
    if value in first:
        return first.index(str(value))
    number = _number(value)
    if number is not None and number <= len(first):
        return number - 1
    names, lowered = _plain_names(first), str(value).strip().lower()
    return names.index(lowered) if lowered in names else None


def _place(first: Sequence[str], value: str | int | None, side: _Side, origin: str) -> int:
    place = _found(first, side, origin) if value is None else _given(first, value)
    if place is None:
        known = f"({side.language}, or one of {', '.join(side.usual)})"
        raise _missing(first, known if value is None else f"named {value}", side.name, origin)
    return place


def _optional(first: Sequence[str], value: str | int | None, origin: str) -> int | None:
    if value is None:
        return _find(_plain_names(first), _DOCUMENT)
    place = _given(first, value)
    if place is None:
        raise _missing(first, f"named {value}", "document", origin)
    return place


def _missing(first: Sequence[str], wanted: str, side: str, origin: str) -> DataError:
    return DataError(
        f"{origin}: expected a {side} column {wanted}, got the columns {', '.join(first)}; "
        f"name it with --{side}-column"
    )


def _numbered(value: str | int | None, default: int | None, side: str, origin: str) -> int | None:
    if value is None:
        return None if default is None else default - 1
    number = _number(value)
    if number is None:
        raise DataError(
            f"{origin}: expected a number for the {side} column of a file without header, got "
            f"{value}; columns count from 1"
        )
    return number - 1
