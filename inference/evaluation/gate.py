"""The figures that decide about a release: plain numbers, never null.

A condition of a pipeline compares a number that `JsonGet` reads with a threshold, and fails for
null. So a figure is 0 where there is nothing to measure, and a note says so.
"""

from dataclasses import dataclass

import numpy as np

from longspan.inference.evaluation.evaluation import Evaluation, Segments
from longspan.training.buckets import MEDIUM, share_kept
from longspan.training.model.outcome import TrainingOutcome
from longspan.training.scores import bleu_of

__all__ = ["SHORT_WORDS", "Gate", "gate_of"]

# The most source words of a short segment: where models without attention still do well.
SHORT_WORDS = 20


@dataclass(frozen=True)
class Gate:
    """BLEU by length, its gain on the baseline (0 without one), and three shares.

    `bleu_short` is measured up to 20 source words, `bleu_medium` at 11 to 20. `share_kept` is
    `bleu_long` over `bleu_medium`. `distinct` is the number of different translations over that of
    different references, at most 1; it is near 0 for a model with one translation for every text.
    `training_complete` is 0 where a limit of time or a stop ended training early, else 1.
    """

    bleu_long: float
    bleu_short: float
    bleu_medium: float
    bleu_long_change: float
    bleu_short_change: float
    share_kept: float
    distinct: float
    training_complete: float
    notes: tuple[str, ...] = ()

    @property
    def figures(self) -> dict[str, float]:
        """The figures by name, rounded as in `evaluation.json` and in messages."""
        bleu = (
            "bleu_long", "bleu_short", "bleu_medium", "bleu_long_change", "bleu_short_change",
        )  # fmt: skip
        shares = ("share_kept", "distinct", "training_complete")
        digits = {**dict.fromkeys(bleu, 2), **dict.fromkeys(shares, 3)}
        return {name: round(getattr(self, name), places) for name, places in digits.items()}


def gate_of(
    evaluation: Evaluation, against: Evaluation | None = None, ending: TrainingOutcome | None = None
) -> Gate:
    """Return the figures of `evaluation`, and its gains on `against` for the same segments.

    `ending` says how the model's training ended; None for a file of translations.
    """
    long, short, medium = _long(evaluation), _short(evaluation), _medium(evaluation)
    notes = []
    if short is None:
        notes.append(
            f"no segments of at most {SHORT_WORDS} source words: gate.bleu_short, its change, "
            "gate.bleu_medium and gate.share_kept are 0"
        )
    elif medium is None:
        notes.append(f"no segments of {MEDIUM} source words: gate.bleu_medium is gate.bleu_short")
    if ending is not None and ending.complete is None:
        notes.append(
            "the model does not say whether its training used the whole budget: "
            "gate.training_complete is 1"
        )
    # Rounded, because `least_bleu` is compared with the rounded figure.
    medium = round(medium if medium is not None else short or 0.0, 2)
    return Gate(
        bleu_long=long,
        bleu_short=short or 0.0,
        bleu_medium=medium,
        share_kept=share_kept(long, medium, evaluation.least_bleu) or 0.0,
        distinct=_distinct(evaluation.segments),
        bleu_long_change=long - _long(against) if against is not None else 0.0,
        bleu_short_change=(short or 0.0) - (_short(against) or 0.0) if against is not None else 0.0,
        training_complete=float(ending is None or ending.complete is not False),
        notes=tuple(notes),
    )


def _long(evaluation: Evaluation) -> float:
    # Never None: where no segment is long, `long` has all segments.
    return evaluation.long.quality.bleu or 0.0


def _medium(evaluation: Evaluation) -> float | None:
    return next(group.quality.bleu for group in evaluation.buckets if group.name == MEDIUM)


def _distinct(segments: Segments) -> float:
    """Return different translations over different references, at most 1.

    The references are counted too, because texts such as software messages repeat.
    """
    return min(1.0, len(set(segments.hypotheses)) / len(set(segments.references)))


def _short(evaluation: Evaluation) -> float | None:
    """Return BLEU of all short segments together, which is not the mean of their buckets."""
    members = np.flatnonzero(np.asarray(evaluation.segments.words) <= SHORT_WORDS)
    if not len(members):
        return None
    return float(bleu_of(evaluation.statistics.bleu[members].sum(0)))
