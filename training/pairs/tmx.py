"""TMX (Translation Memory eXchange 1.4): translation units, read from XML as a stream.

Expat is used directly because it gives line numbers and can refuse entity declarations, by which a
small file can fill the memory ("billion laughs").
"""

from collections.abc import Iterator
from xml.parsers import expat

from longspan.training.errors import DataError
from longspan.training.pairs.rows import MALFORMED, Report, Row

__all__ = ["read_tmx"]

# Elements whose content is formatting code of the tool that wrote the file, not text.
_CODE_ELEMENTS = frozenset({"bpt", "ept", "ph", "it", "ut"})


class _Unit:
    """The content of a `<tu>` that was read so far."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.texts: dict[str, str] = {}
        self.document: str | None = None


class _Handler:
    """Callbacks of expat, which add finished units to `rows` or `incomplete`."""

    def __init__(
        self, parser: "expat.XMLParserType", languages: tuple[str, str], document: str | None
    ) -> None:
        self.rows: list[Row] = []
        self.incomplete: list[tuple[int, str]] = []
        self._parser, self._languages, self._document = parser, languages, document
        self._unit: _Unit | None = None
        self._language = ""
        self._text: list[str] | None = None
        self._property: str | None = None
        self._code_depth = 0
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = self._entity

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "tu":
            self._unit = _Unit(self._parser.CurrentLineNumber)
        elif name == "tuv":
            language = attributes.get("xml:lang", attributes.get("lang", ""))
            self._language = language.lower()
        elif name == "seg":
            self._text = []
        elif name == "prop" and self._is_document(attributes.get("type", "")):
            self._property = ""
        elif name in _CODE_ELEMENTS:
            self._code_depth += 1

    def _end(self, name: str) -> None:
        if name in _CODE_ELEMENTS:
            self._code_depth -= 1
        elif name == "seg":
            self._take_text()
        elif name == "prop" and self._property is not None:
            if self._unit is not None:
                self._unit.document = self._property.strip() or None
            self._property = None
        elif name == "tu":
            self._take_unit()

    def _characters(self, data: str) -> None:
        if self._property is not None:
            self._property += data
        elif self._text is not None and not self._code_depth:
            # Expat gives the text of one element in several pieces.
            self._text.append(data)

    def _entity(self, *_: object) -> None:
        raise DataError("expected TMX without entity declarations, got one; remove its <!ENTITY>")

    def _is_document(self, kind: str) -> bool:
        if self._document is not None:
            return kind == self._document
        return kind.lower().removeprefix("x-") in ("doc", "document", "doc_id", "document_id")

    def _take_text(self) -> None:
        text, self._text = "".join(self._text or ()), None
        if "\n" in text:
            # Line breaks in a segment come from the indentation of the XML, not from the text.
            text = " ".join(part.strip() for part in text.split("\n")).strip()
        if self._unit is not None:
            # The first segment of a language counts.
            self._unit.texts.setdefault(self._language, text)

    def _take_unit(self) -> None:
        unit, self._unit = self._unit, None
        if unit is None:
            return
        source, target = (_matching(unit.texts, language) for language in self._languages)
        if source is None or target is None:
            there = ", ".join(sorted(unit.texts)) or "none"
            detail = f"needs {' and '.join(self._languages)} segments, has {there}"
            self.incomplete.append((unit.line, detail))
        else:
            self.rows.append(Row(unit.line, source, target, unit.document))


def read_tmx(
    chunks: Iterator[bytes],
    name: str,
    languages: tuple[str, str],
    report: Report,
    document: str | None = None,
) -> Iterator[Row]:
    """Yield rows of a TMX file; `document` names the `<prop type=...>` with the document.

    Units without one of the two languages are reported. Raises DataError for damaged XML and for
    entity declarations.
    """
    parser = expat.ParserCreate()
    handler = _Handler(parser, languages, document)
    for chunk in _with_end(chunks):
        try:
            # An empty chunk is the end of the file, which completes the check of the XML.
            parser.Parse(chunk, not chunk)
        except expat.ExpatError as error:
            raise DataError(
                f"{name}:{error.lineno}: expected well-formed TMX, got: "
                f"{expat.ErrorString(error.code)}; repair the file"
            ) from error
        except (DataError, ValueError, LookupError) as error:
            raise DataError(f"{name}:{parser.CurrentLineNumber}: {error}") from error
        for line, detail in handler.incomplete:
            report(MALFORMED, name, line, detail)
        handler.incomplete.clear()
        yield from handler.rows
        handler.rows.clear()


def _matching(texts: dict[str, str], language: str) -> str | None:
    # `en` matches `en-US` too, if there is no text in `en`.
    language = language.lower()
    if language in texts:
        return texts[language]
    return next((t for name, t in texts.items() if name.split("-")[0] == language), None)


def _with_end(chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield from (chunk for chunk in chunks if chunk)
    yield b""
