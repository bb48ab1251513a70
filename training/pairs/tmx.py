"""TMX (Translation Memory eXchange 1.4): translation units, read from XML as a stream."""

from collections.abc import Iterator
from typing import Any

from longspan.training.pairs.markup import elements, inline_text
from longspan.training.pairs.rows import MALFORMED, Report, Row
from longspan.training.pairs.tags import is_tag_of, normal_tag

__all__ = ["read_tmx"]

_DOCUMENT = ("doc", "document", "doc_id", "document_id")
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def read_tmx(
    head: bytes,
    chunks: Iterator[bytes],
    name: str,
    languages: tuple[str, str],
    report: Report,
    document: str | None = None,
) -> Iterator[Row]:
    """Yield rows of a TMX file; `document` names the `<prop type=...>` with the document.

    `head` holds the first bytes of `chunks`. Units without one of the two languages are reported.
    Raises DataError for damaged XML and for entity declarations.
    """
    for unit in elements(head, chunks, name, ("tu",)):
        try:
            texts = _texts(unit)
        except ValueError as error:
            report(MALFORMED, name, unit.sourceline, str(error))
            continue
        source, target = (_matching(texts, language) for language in languages)
        if source is None or target is None:
            there = ", ".join(sorted(texts)) or "none"
            detail = f"needs {' and '.join(languages)} segments, has {there}"
            report(MALFORMED, name, unit.sourceline, detail)
        else:
            yield Row(unit.sourceline, source, target, _document(unit, document))


def _texts(unit: Any) -> dict[str, str]:
    """Return the text of each language; the first segment of a language counts."""
    texts: dict[str, str] = {}
    for variant in unit.iterchildren("{*}tuv"):
        language = variant.get(_LANGUAGE, variant.get("lang", ""))
        segment = next(variant.iterchildren("{*}seg"), None)
        if segment is not None:
            texts.setdefault(normal_tag(language), inline_text(segment))
    return texts


def _matching(texts: dict[str, str], language: str) -> str | None:
    # `en` matches `en-US` too, if there is no text in `en`.
    exact = texts.get(normal_tag(language))
    if exact is not None:
        return exact
    return next((text for name, text in texts.items() if is_tag_of(name, language)), None)


def _document(unit: Any, asked: str | None) -> str | None:
    """Return the content of the unit's last property that names its document."""
    found = None
    for child in unit.iterdescendants("{*}prop"):
        kind = child.get("type", "")
        plain = kind.lower().removeprefix("x-")
        if kind == asked if asked is not None else plain in _DOCUMENT:
            found = (child.text or "").strip() or None
    return found
