"""Translations: the hypotheses of a search as text.

Imports no torch, which the HTTP server does without.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from longspan.inference.accounting.account import TranslationAccount
from longspan.inference.search.hypothesis import Hypothesis
from longspan.training.tokenizer.tokenizer import Tokenizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["BLANK", "Candidate", "Translation", "read_translation", "with_account"]

_END = "</s>"


@dataclass(frozen=True)
class Candidate:
    """One translation of a text.

    `score` is `log_probability` after the penalties. `alignment` (target, source) has a row for
    each of `tokens` and a column for each of the translation's `source_tokens`. It is None unless
    the settings ask for it.
    """

    text: str
    score: float
    log_probability: float
    finished: bool
    tokens: tuple[str, ...] = ()
    alignment: "NDArray[np.float32] | None" = None
    looping: bool = False
    ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Translation:
    """The best translation of a text. `n_best` has this one and the next ones.

    `finished` is False where the translation was stopped: at the length limit, or because it
    repeated itself (`looping`). `source_tokens` end with "</s>", which the model reads too. A blank
    text has an empty translation and no `n_best`. `account` names what the translation omits and
    what it says twice; None where nobody asked.
    """

    text: str
    score: float
    log_probability: float
    finished: bool
    tokens: tuple[str, ...] = ()
    source_tokens: tuple[str, ...] = ()
    alignment: "NDArray[np.float32] | None" = None
    n_best: tuple[Candidate, ...] = ()
    looping: bool = False
    ids: tuple[int, ...] = ()  # target token ids, without EOS
    account: TranslationAccount | None = None


BLANK = Translation("", 0.0, 0.0, finished=True)


def read_translation(
    tokenizer: Tokenizer, ids: Sequence[int], hypotheses: Sequence[Hypothesis]
) -> Translation:
    """Return the translation of source `ids` (EOS last) from its `hypotheses`, best first."""
    n_best = tuple(_candidate(tokenizer, hypothesis) for hypothesis in hypotheses)
    best = n_best[0]
    return Translation(
        text=best.text,
        score=best.score,
        log_probability=best.log_probability,
        finished=best.finished,
        tokens=best.tokens,
        source_tokens=(*tokenizer.source.pieces(ids[:-1]), _END),
        alignment=best.alignment,
        n_best=n_best,
        looping=best.looping,
        ids=best.ids,
    )


def with_account(
    tokenizer: Tokenizer,
    translation: Translation,
    account: TranslationAccount,
    repaired: Hypothesis | None,
) -> Translation:
    """Return a translation with its account; a `repaired` hypothesis takes the place of the best.

    The other translations of `n_best` stay as they are.
    """
    if repaired is None:
        return replace(translation, account=account)
    best = _candidate(tokenizer, repaired)
    return replace(
        translation,
        text=best.text,
        score=best.score,
        log_probability=best.log_probability,
        finished=best.finished,
        tokens=best.tokens,
        alignment=best.alignment,
        n_best=(best, *translation.n_best[1:]),
        looping=False,
        ids=best.ids,
        account=account,
    )


def _candidate(tokenizer: Tokenizer, hypothesis: Hypothesis) -> Candidate:
    return Candidate(
        text=tokenizer.decode_target(hypothesis.ids),
        score=hypothesis.score,
        log_probability=hypothesis.log_probability,
        finished=hypothesis.finished,
        tokens=tuple(tokenizer.target.pieces(hypothesis.ids)),
        alignment=hypothesis.alignment,
        looping=hypothesis.looping,
        ids=tuple(map(int, hypothesis.ids)),
    )
