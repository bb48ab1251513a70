"""Columns of a corpus file, found by name, by number, or by names that corpora commonly use."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field

from longspan.training.errors import DataError
from longspan.training.values import Settings

__all__ = ["Columns", "Places", "is_header", "places_by_name", "places_by_number"]

_LANGUAGES = {
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fr": "french",
    "ja": "japanese",
    "ko": "korean",
    "zh": "chinese",
}
_SOURCE = ("src", "source", "source_text", "source_sentence")
_TARGET = ("tgt", "target", "target_text", "target_sentence")
_DOCUMENT = ("doc", "document", "doc_id", "docid", "document_id")
_JOINED = ("joined",)


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
        "auto", description="whether the first line of a TSV file names its columns"
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


def is_header(first: Sequence[str], columns: Columns) -> bool:
    """Return whether the first row names columns instead of holding text."""
    if columns.header != "auto":
        return columns.header == "yes"
    given = (columns.source, columns.target, columns.document)
    # A column can be found by name in a header only.
    if any(c is not None and _number(c) is None for c in given):
        return True
    names = [_plain(name) for name in first]
    source, target = (_find(names, known) for known in _sides(columns))
    return source is not None and target is not None


def places_by_name(first: Sequence[str], columns: Columns, origin: str) -> Places:
    """Find the columns by the names in the first row.

    Raises DataError naming a missing column and the columns of the file.
    """
    names = [_plain(name) for name in first]
    known_source, known_target = _sides(columns)
    return Places(
        _place(first, names, columns.source, known_source, "source", origin),
        _place(first, names, columns.target, known_target, "target", origin),
        _optional(first, names, columns.document, origin),
        _find(names, _JOINED),
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
                f"--{side}-column, or --format if this is not TSV"
            )
    return Places(source, target, document)


def _sides(columns: Columns) -> tuple[tuple[str, ...], tuple[str, ...]]:
    # The name of a language comes first: a file with columns `source`, `en` and `ja` has its texts
    # in the last two, and their origin in `source`.
    source, target = columns.source_language.lower(), columns.target_language.lower()
    return (
        (source, *_named(source), *_SOURCE),
        (target, *_named(target), *_TARGET),
    )


def _named(language: str) -> tuple[str, ...]:
    return (_LANGUAGES[language],) if language in _LANGUAGES else ()


def _plain(name: str) -> str:
    # The last part of a nested name, such as `en` of Hugging Face's `translation.en`.
    return name.strip().lower().rsplit(".", 1)[-1]


def _find(names: Sequence[str], known: Sequence[str]) -> int | None:
    # The order of `known` decides, not that of the columns.
    return next((names.index(name) for name in known if name in names), None)


def _number(value: str | int) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and int(text) > 0 else None


def _given(first: Sequence[str], names: Sequence[str], value: str | int) -> int | None:
    if value in first:
        return first.index(str(value))
    number = _number(value)
    if number is not None and number <= len(first):
        return number - 1
    lowered = str(value).strip().lower()
    return names.index(lowered) if lowered in names else None


def _place(
    first: Sequence[str],
    names: Sequence[str],
    value: str | int | None,
    known: Sequence[str],
    side: str,
    origin: str,
) -> int:
    place = _find(names, known) if value is None else _given(first, names, value)
    if place is None:
        wanted = f"named {value}" if value is not None else f"(one of {', '.join(known)})"
        raise DataError(
            f"{origin}: expected a {side} column {wanted}, got the columns "
            f"{', '.join(first)}; name it with --{side}-column"
        )
    return place


def _optional(
    first: Sequence[str], names: Sequence[str], value: str | int | None, origin: str
) -> int | None:
    if value is None:
        return _find(names, _DOCUMENT)
    return _place(first, names, value, (), "document", origin)


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
