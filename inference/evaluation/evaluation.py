"""Evaluation by sentence length: all figures for each bucket of source words, and for all segments.

It needs no model: translations of other systems are evaluated in the same way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from longspan.inference.accounting.account import TranslationAccount
from longspan.inference.evaluation.bootstrap import Interval, Paired, compare, interval
from longspan.training.bleu_tokenizers import AUTO, choose_tokenizer
from longspan.training.buckets import BUCKETS, LEAST_BLEU, MEDIUM, Bucket, bucket_of, share_kept
from longspan.training.errors import DataError
from longspan.training.lengths import count_words
from longspan.training.scores import (
    Statistics,
    bleu_of,
    chrf_of,
    long_part,
    statistics,
)

__all__ = [
    "Evaluation",
    "Group",
    "Members",
    "Quality",
    "Segments",
    "compare_evaluations",
    "evaluate_translations",
]

Members = NDArray[np.int64]


@dataclass(frozen=True)
class Quality:
    """Figures of some segments. Rates are shares from 0 to 1; BLEU and chrF go up to 100.

    A figure is None without segments, or where it would be divided by 0. `repetition_rate` is the
    share of the hypotheses' 4-grams that occurred earlier in their segment (seq-rep-4 of Welleck et
    al. 2020, pooled over segments). The references have one too, because text repeats itself.
    `length_ratio` is hypothesis tokens over reference tokens. `unfinished_rate` is the share of
    translations that were stopped at the length limit, `looping_rate` the share that were stopped
    because they repeated themselves; None where that is not known. `omission_rate` is the share of
    source tokens in spans that the translation omits, `duplication_rate` that of translation tokens
    in spans that say something again; None where translations were not checked.
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
    omission_rate: float | None = None
    duplication_rate: float | None = None


@dataclass(frozen=True)
class Group:
    """Segments of similar length: all of them, and the natural and the joined ones separately.

    A joined segment was made of several neighbours, because natural ones of its length are rare.
    """

    name: str
    low: int
    high: int | None
    quality: Quality
    natural: Quality
    joined: Quality
    members: Members = field(repr=False, compare=False)


@dataclass(frozen=True)
class Segments:
    """Segments with their translations: each field has one entry a segment."""

    sources: Sequence[str]
    references: Sequence[str]
    hypotheses: Sequence[str]
    words: Sequence[int]
    joined: Sequence[bool]
    finished: Sequence[bool] | None
    looping: Sequence[bool] | None
    scores: Sequence[float] | None
    accounts: Sequence[TranslationAccount] | None = None

    @property
    def cut(self) -> list[bool] | None:
        """Whether the length limit stopped each translation; None where that is not known."""
        if self.finished is None:
            return None
        looping = self.looping if self.looping is not None else [False] * len(self.finished)
        return [not ended and not loop for ended, loop in zip(self.finished, looping, strict=True)]


@dataclass(frozen=True)
class Evaluation:
    """One system's quality by length. `bleu_long` is measured on `long`.

    `kept` is BLEU of `long` over BLEU at 11 to 20 words. It is None where one of the two is not
    known, or the second is below `least_bleu`.
    """

    all: Group
    long: Group
    buckets: tuple[Group, ...]
    kept: float | None
    least_bleu: float
    tokenizer: str
    tokenizer_reason: str
    bleu_signature: str
    chrf_signature: str
    resamples: int
    seed: int
    notes: tuple[str, ...]
    segments: Segments = field(repr=False, compare=False)
    statistics: Statistics = field(repr=False, compare=False)


def evaluate_translations(
    sources: Sequence[str],
    references: Sequence[str],
    hypotheses: Sequence[str],
    *,
    joined: Sequence[bool] | None = None,
    finished: Sequence[bool] | None = None,
    looping: Sequence[bool] | None = None,
    scores: Sequence[float] | None = None,
    accounts: Sequence[TranslationAccount] | None = None,
    tokenize: str = AUTO,
    language: str | None = None,
    resamples: int = 1000,
    seed: int = 1,
    least_bleu: float = LEAST_BLEU,
) -> Evaluation:
    """Evaluate `hypotheses` by the length of `sources`.

    `tokenize` is a sacreBLEU tokenizer; `auto` chooses one by the references and their `language`.
    `joined`, `finished`, `looping`, `scores` and `accounts` describe each segment where they are
    known; a looping translation is not finished. With BLEU below `least_bleu` at 11 to 20 words,
    `kept` is None. The bootstrap is seeded, so the same input always has the same figures.

    Raises DataError for no segments, or lists of unequal length.
    """
    if not sources:
        raise DataError("expected at least one segment to evaluate, got none; is the test empty?")
    for name, given in (
        ("references", references),
        ("hypotheses", hypotheses),
        ("joined marks", joined),
        ("finished marks", finished),
        ("looping marks", looping),
        ("scores", scores),
        ("accounts", accounts),
    ):
        if given is not None and len(given) != len(sources):
            raise DataError(f"expected {len(sources)} {name}, one a source, got {len(given)}")
    segments = Segments(
        sources,
        references,
        hypotheses,
        [count_words(source) for source in sources],
        joined if joined is not None else [False] * len(sources),
        finished,
        looping,
        scores,
        accounts,
    )
    tokenizer = choose_tokenizer(references, language, tokenize)
    counted = statistics(hypotheses, references, tokenizer.name)
    measure = _Measure(counted, segments, resamples, seed)
    buckets = tuple(
        measure.group(b.name, b.low, b.high, _in_bucket(segments.words, b)) for b in BUCKETS
    )
    part = long_part(segments.words)
    everything = np.arange(len(sources))
    long = measure.group(part.name, part.low, None, part.members)
    medium = next(group.quality.bleu for group in buckets if group.name == MEDIUM)
    return Evaluation(
        all=measure.group("all", 0, None, everything),
        long=long,
        buckets=buckets,
        kept=share_kept(long.quality.bleu, medium, least_bleu),
        least_bleu=least_bleu,
        tokenizer=tokenizer.name,
        tokenizer_reason=tokenizer.reason,
        bleu_signature=counted.bleu_signature,
        chrf_signature=counted.chrf_signature,
        resamples=resamples,
        seed=seed,
        notes=(
            *_notes(buckets, part.low, part.name, len(part.members)),
            *_kept_notes(medium, least_bleu),
        ),
        segments=segments,
        statistics=counted,
    )


def compare_evaluations(evaluation: Evaluation, against: Evaluation) -> dict[str, Paired | None]:
    """Return BLEU of `evaluation` minus BLEU of `against`, with its significance, by group name.

    The names are "all", "long" and those of the buckets; a group without segments has None. Raises
    DataError unless both are of the same references with the same tokenizer.
    """
    same_text = list(evaluation.segments.references) == list(against.segments.references)
    if not same_text or evaluation.tokenizer != against.tokenizer:
        raise DataError(
            "expected two evaluations of the same references with the same tokenizer, got "
            f"{len(evaluation.segments.references)} segments ({evaluation.tokenizer}) and "
            f"{len(against.segments.references)} ({against.tokenizer}); evaluate both on one test"
        )
    groups = {"all": evaluation.all, "long": evaluation.long}
    groups |= {group.name: group for group in evaluation.buckets}
    return {
        name: compare(
            evaluation.statistics.bleu[group.members],
            against.statistics.bleu[group.members],
            bleu_of,
            resamples=evaluation.resamples,
            seed=evaluation.seed,
        )
        if len(group.members)
        else None
        for name, group in groups.items()
    }


@dataclass(frozen=True)
class _Measure:
    """Computes the figures of any part of the segments."""

    counted: Statistics
    segments: Segments
    resamples: int
    seed: int

    def group(self, name: str, low: int, high: int | None, members: Members) -> Group:
        joined = np.asarray(self.segments.joined, dtype=np.bool_)[members]
        whole = self.quality(members)
        # Usually all segments are of one kind, and intervals take the most time of all figures.
        natural = self.quality(members[~joined]) if joined.any() else whole
        return Group(name, low, high, whole, natural, self.quality(members[joined]), members)

    def quality(self, members: Members) -> Quality:
        if not len(members):
            return Quality(0)
        rows = self.counted.bleu[members]
        # Counts are added up before a score is computed: BLEU of a corpus is not a mean.
        bleu, repeats = rows.sum(0), self.counted.repeats[members].sum(0)
        return Quality(
            segments=len(members),
            bleu=float(bleu_of(bleu)),
            bleu_interval=interval(rows, bleu_of, resamples=self.resamples, seed=self.seed),
            chrf=chrf_of(self.counted.chrf[members].sum(0)),
            length_ratio=_ratio(bleu[0], bleu[1]),
            repetition_rate=_ratio(repeats[0], repeats[1]),
            reference_repetition_rate=_ratio(repeats[2], repeats[3]),
            empty_rate=float(self.counted.empty[members].mean()),
            unfinished_rate=_share(self.segments.cut, members),
            looping_rate=_share(self.segments.looping, members),
            **_accounted(self.segments.accounts, members),
        )


def _in_bucket(words: Sequence[int], bucket: Bucket) -> Members:
    return np.array([i for i, n in enumerate(words) if bucket_of(n) == bucket], dtype=np.int64)


def _share(marks: Sequence[bool] | None, members: Members) -> float | None:
    """Return the share of the members that are marked; None without marks."""
    return None if marks is None else float(np.asarray(marks, dtype=np.bool_)[members].mean())


def _accounted(
    accounts: Sequence[TranslationAccount] | None, members: Members
) -> dict[str, float | None]:
    """Return the rates of omission and duplication, pooled over segments."""
    if accounts is None:
        return {}
    some = [accounts[number] for number in members]
    omitted = sum(one.omitted_tokens for one in some)
    duplicated = sum(one.duplicated_tokens for one in some)
    return {
        "omission_rate": _ratio(omitted, sum(one.source_tokens for one in some)),
        "duplication_rate": _ratio(duplicated, sum(one.target_tokens for one in some)),
    }


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def _notes(buckets: Sequence[Group], low: int, name: str, count: int) -> tuple[str, ...]:
    notes = []
    if empty := [group.name for group in buckets if not group.quality.segments]:
        notes.append(f"no segments of {', '.join(empty)} source words")
    if low <= BUCKETS[-1].low - 1:
        notes.append(
            f"too few segments of over {BUCKETS[-1].low - 1} source words: bleu_long is measured "
            f"on {name} ({count} segments)"
        )
    return tuple(notes)


def _kept_notes(medium: float | None, least: float) -> tuple[str, ...]:
    if medium is None or medium >= least:
        return ()
    return (f"BLEU at {MEDIUM} words is below {least:g}: the share kept would say nothing",)
