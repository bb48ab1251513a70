"""Languages as files name them: codes, locales and names, compared with the languages asked for.

Codes, names and their relations are those of the IANA registry and of Unicode's CLDR.
"""

import re
from collections.abc import Container
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import langcodes
from langcodes import Language
from langcodes.tag_parser import LanguageTagError
from language_data.names import load_trie, normalize_name
from language_data.util import data_filename

__all__ = ["is_language", "is_same_language", "is_tag_of", "is_translation", "normal_tag"]

_FORM = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
# Portuguese (Brazil), 中文（简体）
_WITH_PLACE = re.compile(r"(.+?)\s*[(（](.+)[)）]")
_ANY = "und"
# Two codes for one language, such as no and nb, are this close in CLDR.
_SAME = 1


@lru_cache(4096)
def normal_tag(code: str) -> str:
    """Return a code in small letters with hyphens."""
    return code.strip().lower().replace("_", "-")


def is_tag_of(code: str, asked: str) -> bool:
    """Return whether a code or locale stands for the language asked for.

    `en_US`, `eng` and `en` stand for `en-US` and the other way round; `en-GB` and `en-US` differ.
    """
    if normal_tag(code) == normal_tag(asked):
        return True
    found, wanted = _tag(code), _tag(asked)
    return found is not None and wanted is not None and _agree(found, wanted)


def is_same_language(text: str, asked: str) -> bool:
    """Return whether a code, a locale or a name stands for the language asked for."""
    if is_tag_of(text, asked):
        return True
    wanted = _tag(asked)
    if wanted is None:
        return False
    # A name may be that of another language elsewhere.
    found = [_named(text, language) for language in ("en", wanted.language or _ANY, _ANY)]
    return any(tag is not None and _agree(tag, wanted) for tag in found)


def is_language(text: str) -> bool:
    """Return whether a text is the code, locale or name of a widely used language.

    A name is in English or in the language itself. `Hi` and `No` are words, `hi` and `NO` are
    codes.
    """
    tag = _tag(text)
    if tag is not None:
        main = re.split("[-_]", text.strip())[0]
        return _is_common(tag) and (main.islower() or main.isupper())
    found = _named(text, "en") or _named(text, _ANY)
    if found is None or not _is_common(found):
        return False
    return any(_named(text, language) for language in ("en", found.language or _ANY))


def is_translation(
    source: str | None, target: str | None, asked: tuple[str, str]
) -> tuple[bool, bool]:
    """Return whether texts in two languages are a translation as asked for, and in reverse.

    None is a language that the file does not name, which may be any.
    """
    forward, back = (
        (source is None or is_tag_of(source, one)) and (target is None or is_tag_of(target, other))
        for one, other in (asked, asked[::-1])
    )
    return forward, back


@lru_cache(4096)
def _tag(code: str) -> Language | None:
    code = code.strip()
    if not _FORM.fullmatch(code):
        return None
    try:
        # With macro languages: cmn is zh.
        tag = Language.get(langcodes.standardize_tag(code, macro=True))
    except LanguageTagError:
        return None
    return tag if tag.language and tag.is_valid() else None


@lru_cache(1024)
def _named(text: str, language: str) -> Language | None:
    """Return the language of a name in `language`; the name may have a place, as `English (US)`."""
    whole = _named_exactly(text, language)
    match = _WITH_PLACE.fullmatch(text.strip())
    if whole is not None or match is None:
        return whole
    name = _named_exactly(match[1], language)
    if name is not None:
        for kind in ("territory", "script"):
            with suppress(LookupError):
                return name.update(Language.find_name(kind, match[2]))
    return None


def _named_exactly(text: str, language: str) -> Language | None:
    # The library finds a name at the start of a text too: German in `Germany`.
    # A control character is a separator in its table.
    if not text.isprintable() or normalize_name(text) not in _known_names(language):
        return None
    return Language.find(text, language)


@lru_cache(16)
def _known_names(language: str) -> Container[str]:
    """Return the names of languages in one language, or in any for `und`."""
    path = Path(data_filename(f"trie/{language}/name_to_language.marisa"))
    return load_trie(str(path)) if path.is_file() else ()


def _agree(one: Language, other: Language) -> bool:
    """Return whether language, script and territory agree where both tags have them."""
    parts = ((_script(one), _script(other)), (one.territory, other.territory))
    if any(a and b and a != b for a, b in parts):
        return False
    return langcodes.tag_distance(one.language or _ANY, other.language or _ANY) <= _SAME


def _script(tag: Language) -> str | None:
    # A territory implies a script: zh-TW is zh-Hant.
    return tag.script or (tag.maximize().script if tag.territory else None)


def _is_common(tag: Language) -> bool:
    # Three letters alone would take words such as `the` for a language.
    return len(tag.language or "") == 2
