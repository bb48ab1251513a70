"""The figures that a release is decided by: plain numbers, never null.

A pipeline's condition compares what `JsonGet` reads with a threshold, and can do nothing with
null. So 0 stands where there is nothing to measure, and a note says so.
"""

from dataclasses import dataclass

import numpy as np

from longspan.training.ending import Ending
from longspan.training.evaluation import Evaluation
from longspan.training.scores import bleu_of

__all__ = ["SHORT_WORDS", "Gate", "gate_of"]

# The most source words of a short segment: where models without attention still do well.
SHORT_WORDS = 20


@dataclass(frozen=True)
class Gate:
    """BLEU of long and short segments, and what each gained on the baseline (0 without one).

    `training_complete` is 0 where a limit of time or a stop ended training early, else 1.
    """

    bleu_long: float
    bleu_short: float
    bleu_long_change: float
    bleu_short_change: float
    training_complete: float
    notes: tuple[str, ...] = ()

    @property
    def figures(self) -> dict[str, float]:
        """By name, as `evaluation.json` has them: to two digits, which messages show."""
        names = (
            "bleu_long", "bleu_short", "bleu_long_change", "bleu_short_change",
            "training_complete",
        )  # fmt: skip
        return {name: round(getattr(self, name), 2) for name in names}


def gate_of(
    evaluation: Evaluation, against: Evaluation | None = None, ending: Ending | None = None
) -> Gate:
    """The figures of `evaluation`, and its changes from `against` on the same segments.

    `ending` is how the model's training ended, None for a file of translations.
    """
    long, short = _long(evaluation), _short(evaluation)
    notes = []
    if short is None:
        notes.append(
            f"no segments of at most {SHORT_WORDS} source words: gate.bleu_short and its change "
            "are 0"
        )
    if ending is not None and ending.complete is None:
        notes.append(
            "the model does not say whether its training used the whole budget: "
            "gate.training_complete is 1"
        )
    return Gate(
        bleu_long=long,
        bleu_short=short or 0.0,
        bleu_long_change=long - _long(against) if against is not None else 0.0,
        bleu_short_change=(short or 0.0) - (_short(against) or 0.0) if against is not None else 0.0,
        training_complete=float(ending is None or ending.complete is not False),
        notes=tuple(notes),
    )


def _long(evaluation: Evaluation) -> float:
    # There is always some: where no segment is long, all of them are measured.
    return evaluation.long.quality.bleu or 0.0


def _short(evaluation: Evaluation) -> float | None:
    """BLEU of the short segments together, which is not the mean of their buckets'."""
    members = np.flatnonzero(np.asarray(evaluation.segments.words) <= SHORT_WORDS)
    if not len(members):
        return None
    return float(bleu_of(evaluation.statistics.bleu[members].sum(0)))
