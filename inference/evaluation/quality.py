"""Quality: the figures of some segments, and of a group of like length."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from longspan.inference.evaluation.bootstrap import Interval

__all__ = ["Group", "Members", "Quality"]

Members = NDArray[np.int64]


@dataclass(frozen=True)
class Quality:
    """Figures of some segments; rates are shares from 0 to 1, BLEU and chrF go to 100.

    None where there are no segments, or nothing to divide by. `repetition_rate` is the share of
    the hypotheses' 4-grams that occurred earlier in their segment (seq-rep-4 of Welleck et al.
    2020, pooled over segments); the reference's own is beside it, since text repeats itself.
    `length_ratio` is hypothesis tokens over reference tokens. `unfinished_rate` is the share that
    the length limit stopped, `looping_rate` the share that the search stopped because it repeated
    itself; None where they are not known.
    """

    segments: int
    bleu: float | None = None
    bleu_interval: Interval | None = None
    chrf: float | None = None
    length_ratio: float | None = None
    repetition_rate: float | None = None
    reference_repetition_rate: float | None = None
    empty_rate: float | None = None
    unfinished_rate: float | None = None
    looping_rate: float | None = None


@dataclass(frozen=True)
class Group:
    """Segments of like length: together, and the natural and the joined ones apart.

    A joined segment was made of several neighbours, because real ones of its length are rare.
    """

    name: str
    low: int
    high: int | None
    quality: Quality
    natural: Quality
    joined: Quality
    members: Members = field(repr=False, compare=False)
