"""Scores of translations against references: BLEU, chrF, length ratio, repetition.

Scores are computed from counts of each segment, which add up: a corpus, a length bucket and a
bootstrap resample are sums of rows. BLEU (Papineni et al. 2002) and chrF (Popovic 2015) equal those
of sacreBLEU (Post 2018), and have its signatures. Private methods of sacreBLEU are used, so its
version is pinned.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from longspan.training.bleu_tokenizers import TOKENIZERS
from longspan.training.buckets import BUCKETS
from longspan.training.errors import DataError

__all__ = [
    "LEAST_LONG",
    "LongPart",
    "Statistics",
    "bleu_of",
    "check_tokenizer",
    "chrf_of",
    "corpus_bleu",
    "long_part",
    "statistics",
]

_Counts = NDArray[np.float64]

LEAST_LONG = 20
_ORDER = 4  # of n-grams, for BLEU and for repetition


@dataclass(frozen=True)
class Statistics:
    """Counts of each segment in one row; sums of rows are the counts of a corpus."""

    bleu: _Counts  # (segment, 10): hypothesis and reference tokens, 4 matches, 4 totals
    chrf: _Counts  # (segment, 18): hypothesis, reference and matching n-grams of 6 orders
    repeats: _Counts  # (segment, 4): repeated and all 4-grams of hypothesis, then of reference
    empty: NDArray[np.bool_]  # (segment,): a hypothesis without text
    bleu_signature: str
    chrf_signature: str


def statistics(hypotheses: Sequence[str], references: Sequence[str], tokenize: str) -> Statistics:
    """Count segments, with the tokens of sacreBLEU's tokenizer `tokenize`.

    Raises DataError for unequal numbers of hypotheses and references, and for an unknown tokenizer.
    """
    _check_equal(hypotheses, references)
    bleu, chrf = _bleu(tokenize), CHRF()
    rows = bleu._extract_corpus_statistics(hypotheses, [references]) if hypotheses else []
    character_rows = chrf._extract_corpus_statistics(hypotheses, [references]) if hypotheses else []
    repeats = [
        [*_repeats(bleu._preprocess_segment(h)), *_repeats(bleu._preprocess_segment(r))]
        for h, r in zip(hypotheses, references, strict=True)
    ]
    bleu.num_refs = chrf.num_refs = 1
    return Statistics(
        bleu=np.array(rows, dtype=np.float64).reshape(-1, 2 + 2 * _ORDER),
        chrf=np.array(character_rows, dtype=np.float64).reshape(-1, 3 * CHRF.CHAR_ORDER),
        repeats=np.array(repeats, dtype=np.float64).reshape(-1, 4),
        empty=np.array([not h.strip() for h in hypotheses], dtype=np.bool_),
        bleu_signature=str(bleu.get_signature()),
        chrf_signature=str(chrf.get_signature()),
    )


def check_tokenizer(tokenize: str) -> None:
    """Raise DataError for a tokenizer that sacreBLEU does not have, or without its dictionary."""
    _bleu(tokenize)


def bleu_of(counts: _Counts) -> _Counts:
    """Return BLEU, 0 to 100, of summed rows (..., 10) of `Statistics.bleu`: (...).

    As sacreBLEU does by default, orders without a match are smoothed exponentially (Chen and Cherry
    2014, method 3). The score is 0 if the hypotheses have no n-gram of some order, or no match.
    """
    lengths, references = counts[..., 0], counts[..., 1]
    matches, totals = counts[..., 2 : 2 + _ORDER], counts[..., 2 + _ORDER :]
    missed = matches == 0
    # The k-th order without a match counts as 2^-k matches.
    smoothed = np.where(missed, 0.5 ** np.cumsum(missed, axis=-1), matches)
    possible = (totals > 0).all(axis=-1) & ~missed.all(axis=-1)
    precisions = smoothed / np.where(totals > 0, totals, 1)
    # Logarithm of the brevity penalty: 0 unless hypotheses are shorter than references.
    brevity = np.minimum(0.0, 1 - references / np.where(lengths > 0, lengths, 1))
    scores = 100 * np.exp(brevity + np.log(precisions).mean(axis=-1))
    return np.where(possible, scores, 0.0)


def chrf_of(counts: _Counts) -> float:
    """Return chrF, 0 to 100, of one summed row (18,) of `Statistics.chrf`."""
    return float(CHRF()._compute_f_score(counts.tolist()))


def corpus_bleu(hypotheses: Sequence[str], references: Sequence[str], tokenize: str) -> float:
    """Return BLEU of a corpus, 0 to 100.

    Raises DataError without segments, for unequal numbers, and for an unknown tokenizer.
    """
    _check_equal(hypotheses, references)
    if not hypotheses:
        raise DataError("BLEU: expected at least one segment, got none; give a test with pairs")
    return float(_bleu(tokenize).corpus_score(hypotheses, [references]).score)


@dataclass(frozen=True)
class LongPart:
    """The segments that `bleu_long` is measured on."""

    low: int  # fewest source words
    name: str
    members: NDArray[np.int64]  # segment numbers


def long_part(words: Sequence[int], least: int = LEAST_LONG) -> LongPart:
    """Return the segments of over 100 source words, or of more buckets if these are too few.

    Buckets are added from the longest down until there are `least` segments. If there are fewer in
    all, all segments are returned.
    """
    lengths = np.asarray(words, dtype=np.int64)
    for bucket in reversed(BUCKETS[1:]):
        members = np.flatnonzero(lengths >= bucket.low)
        if len(members) >= least:
            name = bucket.name if bucket.high is None else f"{bucket.low} words and more"
            return LongPart(bucket.low, name, members)
    return LongPart(0, "all lengths", np.arange(len(lengths)))


def _bleu(tokenize: str) -> BLEU:
    if tokenize not in TOKENIZERS:
        raise DataError(
            f"expected a tokenizer of {', '.join(TOKENIZERS)}, got {tokenize}; give one of these"
        )
    try:
        return BLEU(tokenize=tokenize, force=True)
    except RuntimeError as error:  # its dictionary is not installed
        raise DataError(
            f"expected the dictionary of the tokenizer {tokenize}, got none; do: "
            f"pip install 'sacrebleu[{tokenize.partition('-')[0]}]'"
        ) from error


def _repeats(tokenised: str) -> tuple[int, int]:
    """Count the 4-grams of a segment that occur earlier in it, and all of its 4-grams."""
    tokens = tokenised.split()
    ngrams = list(zip(*(tokens[n:] for n in range(_ORDER)), strict=False))
    return len(ngrams) - len(set(ngrams)), len(ngrams)


def _check_equal(hypotheses: Sequence[str], references: Sequence[str]) -> None:
    if len(hypotheses) != len(references):
        raise DataError(
            f"expected as many hypotheses as references, got {len(hypotheses)} and "
            f"{len(references)}"
        )
