"""XLIFF 1.2 and 2: units of a translator's file, read from XML as a stream."""

from collections.abc import Iterator
from typing import Any

from longspan.training.pairs.markup import elements, inline_text, is_line_break, local_name
from longspan.training.pairs.rows import MALFORMED, UNTRANSLATED, Report, Row, is_blank
from longspan.training.pairs.tags import is_translation

__all__ = ["read_xliff"]

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
# States of a target in XLIFF 1.2 that is not a translation, often a copy of the source.
_NOT_TRANSLATED = frozenset({"new", "needs-translation"})


def read_xliff(
    head: bytes, chunks: Iterator[bytes], name: str, languages: tuple[str, str], report: Report
) -> Iterator[Row]:
    """Yield a row for each segment, or for each unit without segments.

    `head` holds the first bytes of `chunks`. A file from the target language to the source language
    is read in reverse. Segments without a translation and segments in other languages are reported.
    Raises DataError for damaged XML and for entity declarations.
    """
    for unit in elements(head, chunks, name, ("trans-unit", "unit")):
        line = unit.sourceline
        breaks = _breaks(unit)
        for source, target in _segments(unit):
            reason = _untranslated(unit, target)
            if reason:
                report(UNTRANSLATED, name, line, reason)
                continue
            found = _languages(unit, source, target)
            forward, back = is_translation(*found, languages)
            try:
                texts = inline_text(source, breaks), inline_text(target, breaks)
            except ValueError as error:
                report(MALFORMED, name, line, str(error))
                continue
            if is_blank(texts[1]):
                report(UNTRANSLATED, name, line, "has an empty target")
            elif not forward and not back:
                is_from = " to ".join(language or "an unnamed one" for language in found)
                report(MALFORMED, name, line, f"needs {' to '.join(languages)}, is {is_from}")
            else:
                yield Row(line, *(texts if forward else texts[::-1]))


def _segments(unit: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the sources and targets of a unit as elements; the target may be None."""
    if local_name(unit) == "unit":
        for segment in unit.iterchildren("{*}segment"):
            source, target = (segment.find(f"{{*}}{side}") for side in ("source", "target"))
            if source is not None:
                yield source, target
        return
    source, target = (unit.find(f"{{*}}{side}") for side in ("source", "target"))
    segmented = unit.find("{*}seg-source")
    targets = _marked(target)
    if segmented is not None and targets:
        for number, segment in _marked(segmented).items():
            yield segment, targets.get(number)
    elif source is not None:
        yield source, target


def _marked(element: Any) -> dict[str, Any]:
    """Return the segments that are marked within a source or target of XLIFF 1.2, by number."""
    if element is None:
        return {}
    marks = element.iterdescendants("{*}mrk")
    return {mark.get("mid", ""): mark for mark in marks if mark.get("mtype") == "seg"}


def _untranslated(unit: Any, target: Any) -> str:
    """Return why a segment has no translation, or an empty text."""
    asked = (one.get("translate") for one in (unit, *unit.iterancestors()))
    if next((value for value in asked if value), "yes") == "no":
        return "is not for translation"
    if target is None:
        return "has no target"
    whole = unit.find("{*}target")
    state = whole.get("state", "") if whole is not None else ""
    return f"has a target in state {state}" if state in _NOT_TRANSLATED else ""


def _languages(unit: Any, source: Any, target: Any) -> tuple[str | None, str | None]:
    """Return the languages of the two sides; None where the file does not say."""
    file = next(unit.iterancestors("{*}file"), None)
    root = unit.getroottree().getroot()
    attributes = {**root.attrib, **(file.attrib if file is not None else {})}
    return (
        source.get(_LANGUAGE) or attributes.get("source-language") or attributes.get("srcLang"),
        target.get(_LANGUAGE) or attributes.get("target-language") or attributes.get("trgLang"),
    )


def _breaks(unit: Any) -> frozenset[str]:
    """Return the names of the unit's original data (XLIFF 2) that are line breaks."""
    data = unit.iterfind("{*}originalData/{*}data")
    return frozenset(one.get("id", "") for one in data if is_line_break(one.text or ""))
