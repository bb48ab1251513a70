"""Cleaning: the rules by which pairs are removed, with counts and examples.

A rule removes a whole pair. No text is changed or cut, except by Unicode's NFKC if asked for.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from longspan.training.lengths import count_words
from longspan.training.pairs.pairs import Pair
from longspan.training.pairs.rows import INVALID_UTF8, MALFORMED, UNTRANSLATED, Problem, is_blank
from longspan.training.preparation.settings import CleaningRules

__all__ = ["RULES", "Removals", "broken_rule", "normalised", "unusable"]

CONTROL = "control characters"
EMPTY = "empty side"
LENGTH = "length"
RATIO = "length ratio"
DUPLICATE = "duplicate"
HELD_OUT = "held out"
# In the order in which rules are tried and shown.
RULES = (
    MALFORMED,
    INVALID_UTF8,
    UNTRANSLATED,
    CONTROL,
    EMPTY,
    LENGTH,
    RATIO,
    DUPLICATE,
    HELD_OUT,
)

# C0 and C1 controls, and the two separators that some programs read as line ends.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SURROGATES = re.compile("[\ud800-\udfff]")
# Short texts such as "no" and "いいえ、違います" differ more, so this length is added to the limit.
_RATIO_ALLOWANCE = 10
_EXAMPLES = 5
_EXAMPLE_CHARACTERS = 200


def normalised(pair: Pair, rules: CleaningRules) -> Pair:
    """Return the pair, in NFKC form if the rules ask for it."""
    if not rules.nfkc:
        return pair
    source, target = (unicodedata.normalize("NFKC", s) for s in (pair.source, pair.target))
    return replace(pair, source=source, target=target)


def broken_rule(pair: Pair, rules: CleaningRules) -> str | None:
    """Return the first rule that removes the pair, or None."""
    return unusable(pair) or _broken_length(pair, rules)


def _broken_length(pair: Pair, rules: CleaningRules) -> str | None:
    sizes = (len(pair.source), len(pair.target))
    short, long = min(sizes), max(sizes)
    if short < rules.min_characters or long > rules.max_characters:
        return LENGTH
    # Counting words takes longer, and a text that is not blank has one word to one per character.
    if rules.min_words > 1 or long > rules.max_words:
        words = (count_words(pair.source), count_words(pair.target))
        if min(words) < rules.min_words or max(words) > rules.max_words:
            return LENGTH
    return RATIO if long > rules.max_ratio * short + _RATIO_ALLOWANCE else None


def unusable(pair: Pair) -> str | None:
    """Return the rule by which a pair cannot be used at all, or None.

    These rules hold for held-out pairs too.
    """
    for text in (pair.source, pair.target, pair.document or ""):
        # The usual case for English, without a search through the text.
        if text.isascii() and text.isprintable():
            continue
        if _CONTROLS.search(text):
            return CONTROL
        if _SURROGATES.search(text):
            return INVALID_UTF8
    if is_blank(pair.source) or is_blank(pair.target):
        return EMPTY
    return None


class Removals:
    """The number of pairs that each rule removed, with the first few as examples."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(RULES, 0)
        self.examples: dict[str, list[dict[str, str]]] = {rule: [] for rule in RULES}

    def add_pair(self, rule: str, pair: Pair) -> None:
        """Count a removed pair; the first pairs of a rule become its examples."""
        self.counts[rule] += 1
        if len(self.examples[rule]) < _EXAMPLES:
            self.examples[rule].append(
                {
                    "origin": _origin(pair.origin),
                    "source": _excerpt(pair.source),
                    "target": _excerpt(pair.target),
                }
            )

    def add_problem(self, problem: Problem) -> None:
        """Count a row that could not be read."""
        self.counts[problem.rule] += 1
        if len(self.examples[problem.rule]) < _EXAMPLES:
            example = {"origin": _origin(problem.origin), "detail": _excerpt(problem.detail)}
            self.examples[problem.rule].append(example)

    def add_counted(self, counted: Mapping[str, Any]) -> None:
        """Add the removals of another part of the input, as `to_json` returned them."""
        for rule in RULES:
            found = counted[rule]
            self.counts[rule] += found["pairs"]
            # Parts come in the order of the input, so these are the examples that one machine
            # keeps.
            room = _EXAMPLES - len(self.examples[rule])
            self.examples[rule] += found["examples"][:room]

    @property
    def total(self) -> int:
        """Number of pairs that all rules removed."""
        return sum(self.counts.values())

    def summary(self, rules: Iterable[str] = RULES) -> str:
        """Return a list of rules by falling count, such as `3 by length, 1 by duplicate`."""
        taken = sorted(((self.counts[rule], rule) for rule in rules), reverse=True)
        return ", ".join(f"{count:,} by {rule}" for count, rule in taken if count) or "none"

    def to_json(self) -> dict[str, Any]:
        """Return count and examples of each rule, for the manifest."""
        return {
            rule: {"pairs": self.counts[rule], "examples": self.examples[rule]} for rule in RULES
        }


def _origin(origin: str) -> str:
    # Without folders, so that the same files in another place give the same manifest.
    return Path(origin).name


def _excerpt(text: str) -> str:
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= _EXAMPLE_CHARACTERS else text[:_EXAMPLE_CHARACTERS] + "…"
