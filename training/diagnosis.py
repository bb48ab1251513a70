"""Diagnosis: what is wrong with a model on long input, and what to try.

Every symptom is counted per segment and compared between the long segments and those of medium
length of the same test, so that what the language or the model does anyway is no symptom.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from longspan.training.buckets import BUCKETS
from longspan.training.symptoms import Symptoms

__all__ = ["Diagnosis", "Finding", "Lengths", "diagnose"]

# Medium sentences, which a model should know, by source words; and the fewest that count.
_MEDIUM = (11, 30)
_FEWEST = 5
_EXAMPLES = 3


@dataclass(frozen=True)
class Lengths:
    """Tokens of the longest example that a model was trained on, None where it is not known."""

    source: int | None = None
    target: int | None = None


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `examples` are numbers of segments, worst first."""

    name: str
    evidence: str
    advice: str
    examples: tuple[int, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """What was found, and of which segments; `measures` are means by name, medium and long."""

    medium: str
    long: str
    measures: dict[str, tuple[float | None, float | None]]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class _Measure:
    """A number of each segment, and when its mean over the long ones is a finding."""

    name: str
    value: Callable[[Symptoms], float | None]
    wrong: Callable[[float, float], bool]  # of medium and long
    says: str
    advice: str
    low_is_worse: bool = False


_MEASURES = (
    _Measure(
        "length ratio",
        lambda s: s.length_ratio,
        lambda medium, long: long < 0.9 and long < medium - 0.05,
        "output is too short: {long:.2f} of the reference's length, {medium:.2f} on medium ones",
        "train with length_augmentation=0.1 and length_augmentation_max at the longest length you "
        "translate; try attention_location=progress; without training: length_penalty 1.0 and "
        "coverage_penalty 0.2 when translating",
        low_is_worse=True,
    ),
    _Measure(
        "length ratio above",
        lambda s: s.length_ratio,
        lambda medium, long: long > 1.15 and long > medium + 0.05,
        "output is too long: {long:.2f} of the reference's length, {medium:.2f} on medium ones",
        "try attention_location=progress, so that the end is found; without training: a smaller "
        "length_penalty when translating",
    ),
    _Measure(
        "repetition",
        lambda s: s.repetition,
        lambda medium, long: long > 0.05 and long > medium + 0.03,
        "output repeats itself: {long:.1%} of 4-grams come again beyond the reference's own "
        "share, {medium:.1%} on medium ones",
        "try coverage_mechanism=loss, attention_location=progress",
    ),
    _Measure(
        "dropped source",
        lambda s: s.dropped,
        lambda medium, long: long > 0.05 and long > 1.5 * medium,
        "{long:.1%} of the source is in stretches of three tokens or more that no output attends "
        "to, {medium:.1%} on medium ones: clauses are dropped",
        "try attention_location=progress, coverage_mechanism=loss; without training: "
        "coverage_penalty 0.2 when translating",
    ),
    _Measure(
        "attention spread",
        lambda s: s.spread,
        lambda medium, long: long > 6 and long > 1.5 * medium,
        "attention wanders: each output looks at {long:.1f} source tokens (exp of the entropy), "
        "{medium:.1f} on medium ones",
        "try attention_location=progress, attention_type=scaled_dot or additive with "
        "attention_heads=1 to 4, less attention_dropout; train longer",
    ),
    _Measure(
        "monotony",
        lambda s: s.monotony,
        lambda medium, long: long < 0.7 and long < medium - 0.1,
        "attention loses its place: its correlation with the position is {long:.2f}, {medium:.2f} "
        "on medium ones",
        "try attention_location=progress: it tells a phrase from its repetition further on",
        low_is_worse=True,
    ),
    _Measure(
        "sticking",
        lambda s: s.sticking,
        lambda medium, long: long > 0.1 and long > 2 * medium,
        "attention sticks: in {long:.1%} of the output it stays on one source token for eight "
        "tokens or more, {medium:.1%} on medium ones",
        "try coverage_mechanism=loss, attention_location=progress",
    ),
    _Measure(
        "unfinished",
        lambda s: float(not s.finished),
        lambda medium, long: long > 0.02,
        "{long:.1%} of translations were stopped at the length limit, {medium:.1%} of medium ones",
        "if they are not repetitions, allow more with max_length_factor when translating",
    ),
)


def diagnose(segments: Sequence[Symptoms], trained: Lengths) -> Diagnosis:
    """What is wrong on long segments; the longest bucket with enough segments stands for long."""
    medium = [i for i, s in enumerate(segments) if _MEDIUM[0] <= s.words <= _MEDIUM[1]]
    low = _long_from([s.words for s in segments])
    long = [i for i, s in enumerate(segments) if s.words >= low]
    measures: dict[str, tuple[float | None, float | None]] = {}
    findings = list(_unseen(segments, long, trained))
    for measure in _MEASURES:
        values = [measure.value(s) for s in segments]
        means = _mean(values, medium), _mean(values, long)
        measures[measure.name] = means
        found = _finding(measure, values, long, *means)
        if found is not None:
            findings.append(found)
    return Diagnosis(
        f"{_MEDIUM[0]} to {_MEDIUM[1]} words: {len(medium)} segments",
        f"{low} words and more: {len(long)} segments",
        measures,
        tuple(findings),
    )


def _finding(
    measure: _Measure,
    values: Sequence[float | None],
    long: Sequence[int],
    medium_mean: float | None,
    long_mean: float | None,
) -> Finding | None:
    if long_mean is None:
        return None
    # Without medium sentences to compare with, long ones are held against what would be right.
    beside = medium_mean if medium_mean is not None else (1.0 if measure.low_is_worse else 0.0)
    if not measure.wrong(beside, long_mean):
        return None
    sign = 1 if measure.low_is_worse else -1
    known = [(sign * value, i) for i in long if (value := values[i]) is not None]
    worst = tuple(i for _, i in sorted(known)[:_EXAMPLES])
    evidence = measure.says.format(medium=beside, long=long_mean)
    return Finding(measure.name, evidence, measure.advice, worst)


def _unseen(segments: Sequence[Symptoms], long: Sequence[int], trained: Lengths) -> list[Finding]:
    """Long input and output beyond all that the model was trained on."""
    found = []
    for side, limit, tokens in (
        ("source", trained.source, [segments[i].source_tokens for i in long]),
        ("target", trained.target, [segments[i].reference_tokens for i in long]),
    ):
        if limit is None or not tokens:
            continue
        beyond = [i for i, n in zip(long, tokens, strict=True) if n > limit]
        if beyond:
            found.append(
                Finding(
                    f"{side} lengths never seen",
                    f"{len(beyond)} of {len(long)} long segments have more {side} tokens than the "
                    f"longest training example's {limit} (up to {max(tokens)})",
                    "train with length_augmentation=0.1 and length_augmentation_max of at least "
                    f"{max(tokens)}",
                    tuple(beyond[:_EXAMPLES]),
                )
            )
    return found


def _long_from(words: Sequence[int]) -> int:
    """Least words of the longest bucket from which on there are enough segments."""
    for bucket in reversed(BUCKETS):
        if sum(n >= bucket.low for n in words) >= _FEWEST:
            return bucket.low
    return 1


def _mean(values: Sequence[float | None], members: Sequence[int]) -> float | None:
    known = [value for i in members if (value := values[i]) is not None]
    return float(np.mean(known)) if known else None
