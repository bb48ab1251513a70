"""Lengths of texts in words, counted by the same rule for every language and everywhere.

Words between white space are counted as they are. Scripts without spaces between words count as so
many characters a word. The numbers make a text about as long as its English translation, so
that lengths of different languages can be compared. They were checked on parallel text
(docs/data.md): English-Japanese corpora, and the Universal Declaration of Human Rights in all of
these scripts. A text may mix scripts: `USBケーブルを2本` has the words `USB` and `2`, and
characters for two more.

The canary in `infra/stack/template.yaml` repeats the rule; a test compares the two.
"""

import re
from dataclasses import dataclass

__all__ = ["LENGTH_RULE", "SCRIPTS", "Script", "count_words", "is_unspaced", "text_length"]


@dataclass(frozen=True)
class Script:
    """A script without spaces between words: its letters and marks, and how many make a word."""

    name: str
    characters: float  # code points per English word of the translation
    ranges: str  # as in a class of a regular expression, without digits and punctuation


SCRIPTS = (
    Script("Han", 1.5, "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"),
    Script("hiragana", 2.5, "\u3041-\u3096\u309d-\u309f"),
    Script("katakana", 4.0, "\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"),
    Script("Thai", 4.5, "\u0e01-\u0e3a\u0e40-\u0e4e"),
    Script("Lao", 5.0, "\u0e81-\u0ecf\u0edc-\u0edf"),
    Script("Khmer", 5.0, "\u1780-\u17d3\u17d7\u17dc\u17dd"),
    Script("Burmese", 7.0, "\u1000-\u103f\u1050-\u108f\u109a-\u109f\ua9e0-\ua9ef\uaa60-\uaa7f"),
    Script("Tibetan", 4.5, "\u0f00\u0f35-\u0f39\u0f40-\u0f84\u0f86-\u0fbc"),
    # New Tai Lue, Tai Le, Tai Tham and Tai Viet.
    Script("Tai", 5.0, "\u1950-\u19c9\u1a20-\u1a7c\uaa80-\uaac2\uaadb-\uaadd"),
    Script("Javanese", 5.5, "\ua980-\ua9c0"),
    Script("Yi", 1.7, "\ua000-\ua48c"),
)

LENGTH_RULE = (
    "words between white space; in scripts without spaces, characters per word: "
    + ", ".join(f"{script.name} {script.characters:g}" for script in SCRIPTS)
)

_RUNS = tuple((re.compile(f"[{s.ranges}]+"), s.characters) for s in SCRIPTS)
# With the Ethiopic word separator, which takes the place of a space.
_UNSPACED = re.compile(f"[\u1361{''.join(script.ranges for script in SCRIPTS)}]+")
_WORD = re.compile(r"\w")


def text_length(text: str) -> float:
    """Return the length of a text in words, not rounded: lengths of parts add up to the whole."""
    if not is_unspaced(text):
        return len(text.split())
    # Stretches of other scripts between the characters are words if they hold a letter or a digit.
    others = _UNSPACED.sub(" ", text).split()
    words = float(sum(_WORD.search(other) is not None for other in others))
    left = "".join(_UNSPACED.findall(text))
    for runs, characters in _RUNS:
        rest = runs.sub("", left)
        words += (len(left) - len(rest)) / characters
        if not (left := rest):  # most texts have one or two scripts, the first ones
            break
    return words


def is_unspaced(text: str) -> bool:
    """Return whether a text has characters of a script without spaces between words."""
    return not text.isascii() and _UNSPACED.search(text) is not None


def count_words(text: str) -> int:
    """Return the length of a text in words; a text that is not blank has at least one."""
    length = text_length(text)
    return max(1, int(length + 0.5)) if length else 0
