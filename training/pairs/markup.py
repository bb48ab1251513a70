"""XML of translation memories: elements of a stream, and the text between their inline codes.

One wrong character costs the unit that it stands in, not the file: it becomes a control character
or a lone surrogate in the text, which cleaning counts.
"""

import codecs
import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from longspan.training.errors import DataError
from longspan.training.pairs.rows import one_line

__all__ = ["elements", "inline_text", "is_line_break", "local_name"]

# Elements whose content is formatting code of the tool that wrote the file, not text.
_CODES = frozenset({"bpt", "bx", "ec", "ept", "ex", "it", "ph", "sc", "ut", "x"})
_LINE_BREAKS = frozenset({"lb", "x-lb", "xlf:lb"})
_BREAK_IN_CODE = re.compile(r"[\n\r\u2028]|\\n|<br\b", re.IGNORECASE)

# Noncharacters, which XML allows, stand for what it does not allow.
_CONTROL, _BYTE = "\ufdd0", "\ufdd1"
_RESTORED = str.maketrans({_CONTROL: "\x1a", _BYTE: "\udcff"})
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile("&#(x[0-9a-fA-F]{1,12}|[0-9]{1,12});")
_LONGEST_REFERENCE = 16
# https://www.w3.org/TR/xml/#charsets, with tab and line ends beside them
_XML_CHARACTERS = ((0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF))
_UTF8 = ("utf-8", "utf8", "utf-8-sig")
_DECLARATION = 1000
_DECLARED = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][\w.-]*)["']""")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)


def elements(
    head: bytes, chunks: Iterator[bytes], name: str, tags: tuple[str, ...]
) -> Iterator[Any]:
    """Yield each complete element whose local name is in `tags`, and empty it afterwards.

    `head` holds the first bytes of `chunks`. Raises DataError for damaged XML, and for entity
    declarations, by which a small file could fill the memory ("billion laughs").
    """
    parser = etree.XMLPullParser(
        ("end",),
        tag=[f"{{*}}{tag}" for tag in tags],
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
    )
    try:
        for text in _texts(head, chunks, name):
            parser.feed(text.encode())
            yield from _complete(parser, name)
        _refuse_entities(parser.close(), name)
    except etree.LxmlError as error:
        line = getattr(error, "lineno", None) or 1
        raise DataError(
            f"{name}:{line}: expected well-formed XML, got: {error}; repair the file"
        ) from error


def inline_text(element: Any, breaks: frozenset[str] = frozenset()) -> str:
    """Return the text of a segment without its inline codes.

    A code inserts nothing, or a space if it is a line break, as those of XLIFF 2 whose original
    data is in `breaks`. The text of `<sub>` is text. Raises ValueError for an entity.
    """
    parts: list[str] = []
    _add_text(element, parts, breaks, True)
    # Line breaks come from the indentation of the XML, or from codes.
    text = "".join(parts)
    if _CONTROL in text or _BYTE in text:
        text = text.translate(_RESTORED)
    return one_line(text)


def is_line_break(text: str) -> bool:
    """Return whether the text of a code is or holds a line break."""
    return _BREAK_IN_CODE.search(text) is not None


def local_name(element: Any) -> str:
    """Return the name of an element without its namespace; an empty one for a comment."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _complete(parser: Any, name: str) -> Iterator[Any]:
    for number, (_, element) in enumerate(parser.read_events()):
        if not number:
            _refuse_entities(element, name)
        yield element
        element.clear()
        # Emptied elements would fill the memory too.
        while element.getprevious() is not None:
            del element.getparent()[0]


def _refuse_entities(element: Any, name: str) -> None:
    definition = element.getroottree().docinfo.internalDTD
    if definition is not None and any(True for _ in definition.iterentities()):
        raise DataError(
            f"{name}:1: expected XML without entity declarations, got one; remove its <!ENTITY>"
        )


def _add_text(element: Any, parts: list[str], breaks: frozenset[str], shown: bool) -> None:
    """Add the text of an element to `parts`; `shown` is false within a code."""
    if shown:
        parts.append(element.text or "")
    for child in element:
        kind = local_name(child)
        if child.tag is etree.Entity:
            raise ValueError(f"has the entity {child.text}, which the file does not declare")
        if kind in _CODES:
            if _is_break(child, breaks):
                parts.append("\n")
            _add_text(child, parts, breaks, False)
        elif kind == "cp":  # a character that XML does not allow
            parts.append(_CONTROL)
        elif kind:
            _add_text(child, parts, breaks, shown or kind == "sub")
        if shown:
            parts.append(child.tail or "")


def _is_break(code: Any, breaks: frozenset[str]) -> bool:
    attributes = code.attrib
    if any(attributes.get(name) in _LINE_BREAKS for name in ("type", "ctype", "subType")):
        return True
    if any(attributes.get(name) in breaks for name in ("dataRef", "dataRefStart")):
        return True
    texts = [code.text, *(child.tail for child in code)]
    texts += [attributes.get(name) for name in ("equiv-text", "equiv", "disp")]
    return any(is_line_break(text) for text in texts if text)


def _texts(head: bytes, chunks: Iterator[bytes], name: str) -> Iterator[str]:
    """Yield the text of an XML file in pieces, with noncharacters for what XML does not allow."""
    encoding = _encoding(head)
    rest = ""
    try:
        # Each wrong byte of UTF-8 becomes a surrogate.
        errors = "surrogateescape" if encoding in _UTF8 else "strict"
        b"".decode(encoding)  # refuses codecs that are not of text
        decoder = codecs.getincrementaldecoder(encoding)(errors)
        for chunk in chunks:
            text = rest + decoder.decode(chunk)
            # A reference may go on in the next chunk.
            start = text.rfind("&", max(0, len(text) - _LONGEST_REFERENCE))
            cut = start if start >= 0 and ";" not in text[start:] else len(text)
            text, rest = text[:cut], text[cut:]
            yield _allowed(text)
        yield _allowed(rest + decoder.decode(b"", final=True))
    except (UnicodeError, LookupError) as error:
        raise DataError(
            f"{name}: expected XML in the encoding that it declares, got: {error}; "
            "convert it to UTF-8"
        ) from error


def _encoding(head: bytes) -> str:
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    declared = _DECLARED.match(head[:_DECLARATION])
    encoding = declared[1].decode().lower() if declared is not None else "utf-8"
    # A declaration that is read as ASCII is not in these, whatever it says.
    return "utf-8" if encoding.startswith(("utf-16", "utf-32", "ucs", "iso-10646")) else encoding


def _allowed(text: str) -> str:
    text = _FORBIDDEN.sub(lambda match: _BYTE if match[0] >= "\ud800" else _CONTROL, text)
    return _REFERENCE.sub(_allowed_reference, text) if "&#" in text else text


def _allowed_reference(reference: re.Match[str]) -> str:
    digits = reference[1]
    code = int(digits[1:], 16) if digits[0] == "x" else int(digits)
    allowed = code in (9, 10, 13) or any(first <= code <= last for first, last in _XML_CHARACTERS)
    return reference[0] if allowed else _CONTROL
