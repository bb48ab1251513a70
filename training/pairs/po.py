"""PO: catalogs of gettext, with messages and their translations."""

import gettext
import re
from collections.abc import Callable, Iterator
from typing import Any

from longspan.training.errors import DataError
from longspan.training.pairs.rows import UNTRANSLATED, Report, Row, is_blank, one_line
from longspan.training.pairs.tags import is_tag_of, is_translation

__all__ = ["read_po"]

_CHARSET = re.compile(rb"charset=([A-Za-z][\w.:-]*)")
_PLURAL = re.compile(r"\bplural\s*=([^;]+)")
_KEYWORD = r"(?:msgctxt|msgid|msgid_plural|msgstr(?:\[\d+\])?)"
_LINE = re.compile(rf'\s*(?:#.*|(?:{_KEYWORD}\s*)?"(?:[^"\\]|\\.)*"\s*|)')
# Line ends for the library, control characters for cleaning.
_SEPARATORS = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# A number whose form is the general plural in most languages.
_MANY = 100
_ENGLISH = "en"


def read_po(
    chunks: Iterator[bytes], name: str, languages: tuple[str, str], report: Report
) -> Iterator[Row]:
    """Yield a row for each translated message, and one more for its plural.

    Messages without a translation, with a fuzzy or with an obsolete one are reported. A catalog
    that translates from the target language to the source language is read in reverse. Raises
    DataError for a damaged file, and for a catalog of other languages.
    """
    catalog = _parsed(b"".join(chunks), name)
    reverse = _is_reverse(catalog.metadata, name, languages)
    form = _plural_forms(catalog.metadata.get("Plural-Forms", ""))
    for entry in catalog:
        reason = _untranslated(entry)
        if reason:
            report(UNTRANSLATED, name, entry.linenum, reason)
            continue
        for message, translation in _texts(entry, form):
            if is_blank(translation):
                report(UNTRANSLATED, name, entry.linenum, "has an empty translation")
            else:
                # Line breaks are those of a terminal or a dialog.
                sides = one_line(message), one_line(translation)
                yield Row(entry.linenum, *(sides[::-1] if reverse else sides))


def _parsed(data: bytes, name: str) -> Any:
    import polib

    charset = _CHARSET.search(data)
    encoding = charset[1].decode() if charset is not None else "utf-8"
    try:
        if encoding == "CHARSET":  # of a template
            encoding = "utf-8"
        # Wrong bytes become surrogates, which cleaning counts.
        text = data.decode(encoding, "surrogateescape").removeprefix("\ufeff")
        text = _SEPARATORS.sub("\x1a", text)
        _refuse_other_lines(text, name)
        # A text that ends with a line break is not taken for the name of a file.
        return polib.pofile(text + "\n")
    except (OSError, UnicodeError, LookupError, ValueError, IndexError) as error:
        raise DataError(
            f"{name}: expected a PO file, got: {error}; check it with msgfmt"
        ) from error


def _refuse_other_lines(text: str, name: str) -> None:
    # The library takes any text for a string, and cuts off what should be its quotes.
    for number, line in enumerate(text.splitlines(), start=1):
        if not _LINE.fullmatch(line):
            raise DataError(
                f"{name}:{number}: expected a keyword, a string in quotes or a comment, got: "
                f"{line[:40]}; check the file with msgfmt"
            )


def _untranslated(entry: Any) -> str:
    """Return why a message has no translation, or an empty text."""
    if entry.obsolete:
        return "is obsolete"
    if entry.fuzzy:
        return "has a fuzzy translation"
    return "" if entry.translated() else "has no translation"


def _texts(entry: Any, form: Callable[[int], int] | None) -> Iterator[tuple[str, str]]:
    """Yield a message with its translation, or singular and plural with theirs."""
    if not entry.msgid_plural:
        yield entry.msgid, entry.msgstr
        return
    forms = {int(number): text for number, text in entry.msgstr_plural.items()}
    last = max(forms)
    one, many = (0, last) if form is None else (form(1), form(_MANY))
    # A language without a plural has one form, which is that of the general number.
    if one != many:
        yield entry.msgid, forms.get(one, "")
    yield entry.msgid_plural, forms.get(many, forms[last])


def _plural_forms(header: str) -> Callable[[int], int] | None:
    """Return the function from a number to its form; None without a usable one."""
    found = _PLURAL.search(header)
    try:
        return gettext.c2py(found[1]) if found is not None else None
    except (ValueError, RecursionError, OverflowError):
        return None


def _is_reverse(header: dict[str, str], name: str, languages: tuple[str, str]) -> bool:
    source = _tag(header.get("X-Source-Language", ""))
    target = _tag(header.get("Language", ""))
    forward, back = is_translation(source, target, languages)
    # Messages without a language are English; the languages asked for are right otherwise.
    back = back and target is not None and is_tag_of(source or _ENGLISH, languages[1])
    if not forward and not back:
        raise DataError(
            f"{name}: expected a catalog from {' to '.join(languages)}, got one from "
            f"{source or 'messages'} to {target or 'an unnamed language'}; give its languages with "
            "--source-language and --target-language"
        )
    return not forward


def _tag(locale: str) -> str | None:
    # sr@latin, ja_JP.UTF-8
    plain = re.split("[.@]", locale.strip())[0]
    return plain or None
