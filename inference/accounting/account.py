"""An account of a translation: what it leaves out of the source, and what it says twice."""

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["TextSpan", "TranslationAccount", "join_accounts"]


@dataclass(frozen=True)
class TextSpan:
    """A span of a text, from character `start` to before `stop`. `score` is from 0 to 1."""

    start: int
    stop: int
    score: float

    def moved(self, by: int) -> "TextSpan":
        """Return the span in a text that has so many more characters in front."""
        return TextSpan(self.start + by, self.stop + by, self.score)


@dataclass(frozen=True)
class TranslationAccount:
    """Spans of the source that no part of the translation says, and spans of the translation that
    say what an earlier one said.

    The counts are in tokens, without end tokens. `repairs` is the number of spans that were
    translated again or removed.
    """

    omissions: tuple[TextSpan, ...] = ()
    duplications: tuple[TextSpan, ...] = ()
    source_tokens: int = 0
    omitted_tokens: int = 0
    target_tokens: int = 0
    duplicated_tokens: int = 0
    repairs: int = 0


def join_accounts(parts: Iterable[tuple[int, int, TranslationAccount]]) -> TranslationAccount:
    """Return one account of a text's parts, each with its place in the source and in the
    translation."""
    found = list(parts)
    return TranslationAccount(
        tuple(span.moved(source) for source, _, one in found for span in one.omissions),
        tuple(span.moved(target) for _, target, one in found for span in one.duplications),
        sum(one.source_tokens for _, _, one in found),
        sum(one.omitted_tokens for _, _, one in found),
        sum(one.target_tokens for _, _, one in found),
        sum(one.duplicated_tokens for _, _, one in found),
        sum(one.repairs for _, _, one in found),
    )
