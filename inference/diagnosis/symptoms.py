"""Symptoms: one translation and its alignment, in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Symptoms", "dropped_stretches", "symptoms"]

_Matrix = NDArray[np.float32]  # (target, source), rows sum to 1

# A source token counts as read when all outputs together gave it this much attention. Fewer unread
# tokens in a row may be a word that the target language leaves out.
_READ = 0.1
_STRETCH = 3
# Outputs in a row on one source token: more than the translation of a word has.
_STUCK = 8
_ORDER = 4


@dataclass(frozen=True)
class Symptoms:
    """Numbers of one segment; None without an alignment, or with nothing to measure.

    `quality` is chrF, from 0 to 100. `length_ratio` is output tokens over the reference's.
    `repetition` is the share of 4-grams that occurred before, less that of the reference. `dropped`
    is the share of source tokens in unread `stretches`. `spread` is the number of source tokens
    that an output attends to: exp(entropy). `monotony` is the correlation of the output's position
    with the place that it attends to. `sticking` is the share of outputs in runs that attend to one
    token.
    """

    words: int
    source_tokens: int
    reference_tokens: int
    length_ratio: float
    repetition: float
    finished: bool
    looping: bool = False
    quality: float | None = None
    dropped: float | None = None
    spread: float | None = None
    monotony: float | None = None
    sticking: float | None = None
    stretches: tuple[tuple[int, int], ...] = ()


def symptoms(
    words: int,
    source_tokens: int,
    output: Sequence[str],
    reference: Sequence[str],
    *,
    finished: bool,
    looping: bool = False,
    alignment: _Matrix | None,
    quality: float | None = None,
) -> Symptoms:
    """Measure one translation; `output` and `reference` are tokens without EOS.

    An alignment of zeros is that of a model without attention, and counts as none.
    """
    figures = {}
    stretches: tuple[tuple[int, int], ...] = ()
    if alignment is not None and len(alignment) and alignment.any():
        stretches = dropped_stretches(alignment)
        figures = {
            "dropped": sum(stop - start for start, stop in stretches) / alignment.shape[1],
            "spread": _spread(alignment),
            "monotony": _monotony(alignment),
            "sticking": _sticking(alignment),
        }
    return Symptoms(
        words,
        source_tokens,
        len(reference),
        len(output) / max(1, len(reference)),
        _repeated(output) - _repeated(reference),
        finished,
        looping,
        quality,
        **figures,
        stretches=stretches,
    )


def dropped_stretches(alignment: _Matrix) -> tuple[tuple[int, int], ...]:
    """Return (start, stop) of each stretch of unread source tokens, without the end token."""
    read = alignment.sum(0)[:-1] >= _READ
    # With a read token assumed at both ends, edges are starts and stops in turn:
    #
    #     read     [1] 1 1 0 0 0 1 0 0 [1]
    #     edges            2     5 6   8        stretches 2 to 5 and 6 to 8
    edges = np.flatnonzero(np.diff(np.concatenate([[True], read, [True]]).astype(np.int8)))
    starts, stops = edges[::2].tolist(), edges[1::2].tolist()
    runs = zip(starts, stops, strict=True)
    return tuple((start, stop) for start, stop in runs if stop - start >= _STRETCH)


def _spread(alignment: _Matrix) -> float:
    # (target,): of the weights of each output, in nats
    entropy = -(alignment * np.log(np.maximum(alignment, 1e-12))).sum(1)
    return float(np.exp(entropy).mean())


def _monotony(alignment: _Matrix) -> float | None:
    target, source = alignment.shape
    if target < 3 or source < 3:
        return None
    # (target,): the mean source position that each output attends to
    places = alignment @ np.arange(source)
    if places.std() < 1e-6:
        return 0.0
    return float(np.corrcoef(np.arange(target), places)[0, 1])


def _sticking(alignment: _Matrix) -> float:
    places = alignment.argmax(1)
    edges = np.flatnonzero(np.diff(places)) + 1
    # Lengths of the runs of outputs whose largest weight is on the same token.
    runs = np.diff(np.concatenate([[0], edges, [len(places)]]))
    return float(runs[runs >= _STUCK].sum() / len(places))


def _repeated(tokens: Sequence[str]) -> float:
    grams = [tuple(tokens[i : i + _ORDER]) for i in range(len(tokens) - _ORDER + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0
