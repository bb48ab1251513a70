"""The choice of sacreBLEU's tokenizer, which cuts translations and references into words for BLEU.

The target language decides: `ja-mecab` for Japanese and `zh` for Chinese, as in sacreBLEU itself;
`char` for languages that write no spaces between words, of which `13a` would take a whole sentence
for one word and BLEU would be 0; `13a` for all others. Text that is tokenised already keeps its
words (`none`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from longspan.training.lengths import SCRIPTS

__all__ = ["AUTO", "TOKENIZERS", "BleuTokenizer", "BleuTokenizerName", "choose_tokenizer"]

AUTO = "auto"
BleuTokenizerName = Literal["auto", "13a", "intl", "zh", "ja-mecab", "ko-mecab", "char", "none"]
TOKENIZERS: tuple[str, ...] = get_args(BleuTokenizerName)[1:]

_RANGES = {script.name: script.ranges for script in SCRIPTS}
_HAN = _RANGES.pop("Han")
_KANA = _RANGES.pop("hiragana") + _RANGES.pop("katakana")
_WITHOUT_SPACES = "".join(_RANGES.values())  # Thai, Lao, Khmer and others
_LONGEST_TOKEN = 8  # mean characters of a word of Japanese or Chinese, at most
_CJK = re.compile(f"[{_HAN}{_KANA}]")
_GAP = re.compile(f"[{_HAN}{_KANA}] +(?=[{_HAN}{_KANA}])")
# Full stops and commas that end a word. No language has a space before them. French has one before
# ? ! ; : and inside quotation marks, so those say nothing about tokenisation.
_MARKS = re.compile(r"(?<![.,])[.,](?=\s|$)")


@dataclass(frozen=True)
class BleuTokenizer:
    """A tokenizer of sacreBLEU by name, and why it was chosen."""

    name: str
    reason: str


@dataclass(frozen=True)
class _Family:
    """Languages with a tokenizer of their own, and the characters that their texts have."""

    tokenizer: str
    codes: str
    characters: re.Pattern[str]

    def has(self, language: str) -> bool:
        return re.split("[-_]", language.lower())[0] in self.codes.split()

    def share(self, references: Sequence[str]) -> float:
        """Return the share of references with such characters; 1 without references."""
        found = sum(self.characters.search(text) is not None for text in references)
        return found / len(references) if references else 1.0


_JAPANESE = _Family("ja-mecab", "ja jpn", _CJK)
_CHINESE = _Family(
    "zh", "zh zho chi cmn yue wuu hsn gan hak nan cjy cdo lzh", re.compile(f"[{_HAN}]")
)
_SPACELESS = _Family(
    "char",
    "th tha lo lao km khm my mya bur bo bod tib dz dzo shn mnw nod khb tdd blt kkh ii iii",
    re.compile(f"[{_WITHOUT_SPACES}]"),
)
_HAS_KANA = re.compile(f"[{_KANA}]")
# Fewest references with characters of the target language: a wrong code changes no figure.
_LEAST_SHARE = 0.1


def choose_tokenizer(
    references: Sequence[str], language: str | None = None, wanted: str = AUTO
) -> BleuTokenizer:
    """Choose the tokenizer for references in `language` ("ja", "zh-tw", ...; None: by the script).

    `wanted` is the name of a tokenizer, or `auto`. Japanese and Chinese count as tokenised with at
    least one space for eight characters, other text with a space before its full stops and commas,
    in more than half of the segments that are long enough or have such marks.
    """
    if wanted != AUTO:
        return BleuTokenizer(wanted, "named by the user")
    family, reason = _family_by_language(references, language)
    if family is None and (by_script := _family_of(references)) is not None:
        family, reason = by_script, "script of the references"
    if _is_tokenised(references, family):
        return BleuTokenizer("none", "the references are tokenised already")
    return BleuTokenizer(family.tokenizer if family is not None else "13a", reason)


def _family_by_language(
    references: Sequence[str], language: str | None
) -> tuple[_Family | None, str]:
    """Return the family of a language, None for most; and the reason for the choice."""
    if language is None:
        return None, "script of the references"
    family = next((f for f in (_JAPANESE, _CHINESE, _SPACELESS) if f.has(language)), None)
    if family is not None and family.share(references) < _LEAST_SHARE:
        return None, f"hardly any reference is in the script of {language}"
    return family, f"target language {language}"


def _family_of(references: Sequence[str]) -> _Family | None:
    """Return the family that more than half of the references belong to by their characters."""
    if not references:
        return None
    if _SPACELESS.share(references) > 0.5:
        return _SPACELESS
    if _JAPANESE.share(references) <= 0.5:
        return None
    kana = sum(_HAS_KANA.search(text) is not None for text in references)
    return _JAPANESE if 5 * kana > len(references) * _CHINESE.share(references) else _CHINESE


def _is_tokenised(references: Sequence[str], family: _Family | None) -> bool:
    if family is _SPACELESS:
        return False  # `char` ignores spaces
    if family is None:
        marks = [_marks(text) for text in references]
        return _most([spaced > attached for spaced, attached in marks if spaced + attached])
    counts = [(len(_CJK.findall(text)), len(_GAP.findall(text))) for text in references]
    telling = [pair for pair in counts if pair[0] >= 4] or counts
    return _most([gaps > 0 and gaps * _LONGEST_TOKEN >= size for size, gaps in telling])


def _marks(text: str) -> tuple[int, int]:
    """Count the full stops and commas with a space before them, and those without."""
    places = [match.start() for match in _MARKS.finditer(text)]
    spaced = sum(place > 0 and text[place - 1].isspace() for place in places)
    return spaced, len(places) - spaced


def _most(answers: Sequence[bool]) -> bool:
    return 2 * sum(answers) > len(answers)
