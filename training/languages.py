"""Languages: which codes there are, so that a wrong one is told and not taken for another."""

import locale
import re

__all__ = ["ALLOWED_LANGUAGES", "language_code"]

ALLOWED_LANGUAGES = "the ISO 639 code of a language, such as en, ja or pt-br"

# https://www.loc.gov/standards/iso639-2/php/code_list.php, those of two letters (ISO 639-1).
_TWO_LETTERS = frozenset(
    "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da "
    "de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy "
    "hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg "
    "li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or "
    "os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta "
    "te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu".split()
)
# Of the thousands of three letters those that Python has a locale for: none of them stands for a
# language of two letters, as jpn would.
_THREE_LETTERS = frozenset(re.findall(r"\b[a-z]{3}(?=_)", " ".join(locale.locale_alias.values())))
_FORM = re.compile(r"([a-z]{2,3})(-[a-z0-9]{2,8})*")


def language_code(text: str) -> str:
    """`text` as a code in small letters with hyphens: `pt_BR` is pt-br.

    Raises ValueError where there is no such language.
    """
    code = text.strip().lower().replace("_", "-")
    match = _FORM.fullmatch(code)
    if match is None or match[1] not in _TWO_LETTERS | _THREE_LETTERS:
        raise ValueError(f"{text}: expected {ALLOWED_LANGUAGES}")
    return code
