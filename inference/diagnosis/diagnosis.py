"""Diagnosis: findings about a model on long input, and what to try.

Every symptom is measured for each segment. Its mean over long segments is compared with that over
medium ones of the same test, so that a property of the language or of the model at every length is
not a finding.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from longspan.inference.diagnosis.remedies import advice
from longspan.inference.diagnosis.symptoms import Symptoms
from longspan.training.buckets import BUCKETS
from longspan.training.hyperparameters import Hyperparameters

__all__ = ["Diagnosis", "Finding", "Lengths", "diagnose"]

# Source words of medium sentences, which a model should know, and the fewest segments that count.
_MEDIUM = (11, 30)
_FEWEST = 5
# The share of long segments that may be longer than all training examples without a finding.
_FEW = 0.05
_EXAMPLES = 3


@dataclass(frozen=True)
class Lengths:
    """Tokens of a model's longest training example; None where they are not known."""

    source: int | None = None
    target: int | None = None


@dataclass(frozen=True)
class Finding:
    """One problem, and what to try. `examples` are numbers of segments, worst first."""

    name: str
    evidence: str
    advice: tuple[str, ...]
    examples: tuple[int, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """Findings, and the segments that they are about.

    `measures` are means by name: medium, long.
    """

    medium: str
    long: str
    measures: dict[str, tuple[float | None, float | None]]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class _Measure:
    """A number of each segment, and the condition under which it is a finding."""

    name: str
    value: Callable[[Symptoms], float | None]
    wrong: Callable[[float, float], bool]  # takes the means of medium and long segments
    says: str
    remedies: tuple[str, ...]
    figure: str = ""  # its name among the figures, where that is not the name of the finding
    healthy: float = 0.0  # the mean to compare with where there are no medium segments
    low_is_worse: bool = False


_MEASURES = (
    _Measure(
        "quality",
        lambda s: s.quality,
        lambda medium, long: long < 0.8 * medium,
        "quality falls with length: chrF {long:.0f} on long segments, {medium:.0f} on medium ones",
        ("attention", "location", "augmentation", "window"),
        low_is_worse=True,
    ),
    _Measure(
        "length ratio",
        lambda s: s.length_ratio,
        lambda medium, long: long < 0.9 and long < medium - 0.05,
        "output is too short: {long:.2f} of the reference's length, {medium:.2f} on medium ones",
        ("augmentation", "attention", "location", "longer", "coverage penalty"),
        healthy=1.0,
        low_is_worse=True,
    ),
    _Measure(
        "length ratio above",
        lambda s: s.length_ratio,
        lambda medium, long: long > 1.15 and long > medium + 0.05,
        "output is too long: {long:.2f} of the reference's length, {medium:.2f} on medium ones",
        ("attention", "location", "augmentation", "shorter"),
        figure="length ratio",
        healthy=1.0,
    ),
    _Measure(
        "repetition",
        lambda s: s.repetition,
        lambda medium, long: long > 0.05 and long > medium + 0.03,
        "output repeats itself: {long:.1%} of 4-grams come again beyond the reference's own "
        "share, {medium:.1%} on medium ones",
        ("attention", "location", "coverage", "no repeats"),
    ),
    _Measure(
        "dropped source",
        lambda s: s.dropped,
        lambda medium, long: long > 0.05 and long > 1.5 * medium,
        "{long:.1%} of the source is in stretches of three tokens or more that no output attends "
        "to, {medium:.1%} on medium ones: clauses are dropped",
        ("location", "augmentation", "coverage", "coverage penalty"),
    ),
    _Measure(
        "attention spread",
        lambda s: s.spread,
        lambda medium, long: long > 6 and long > 1.5 * medium,
        "attention wanders: each output looks at {long:.1f} source tokens (exp of the entropy), "
        "{medium:.1f} on medium ones",
        ("location", "sharper", "window"),
    ),
    _Measure(
        "monotony",
        lambda s: s.monotony,
        lambda medium, long: long < 0.7 and long < medium - 0.1,
        "attention loses its place: its correlation with the position is {long:.2f}, {medium:.2f} "
        "on medium ones",
        ("location", "augmentation", "window"),
        healthy=1.0,
        low_is_worse=True,
    ),
    _Measure(
        "sticking",
        lambda s: s.sticking,
        lambda medium, long: long > 0.1 and long > 2 * medium,
        "attention sticks: in {long:.1%} of the output it stays on one source token for eight "
        "tokens or more, {medium:.1%} on medium ones",
        ("location", "coverage"),
    ),
    _Measure(
        "unfinished",
        lambda s: float(not s.finished and not s.looping),
        lambda medium, long: long > 0.02,
        "{long:.1%} of translations were stopped at the length limit, {medium:.1%} of medium ones",
        ("no repeats", "limit"),
    ),
    _Measure(
        "looping",
        lambda s: float(s.looping),
        lambda medium, long: long > 0.02,
        "{long:.1%} of translations repeated themselves and were stopped, {medium:.1%} of medium "
        "ones",
        ("attention", "location", "coverage", "no repeats"),
    ),
)


def diagnose(
    segments: Sequence[Symptoms], trained: Lengths, settings: Hyperparameters
) -> Diagnosis:
    """Find problems on long segments: those of the longest bucket with enough segments, and longer.

    `trained` are the lengths of the training examples, `settings` those of `remedies.advice`.
    """
    medium = [i for i, s in enumerate(segments) if _MEDIUM[0] <= s.words <= _MEDIUM[1]]
    low = _long_from([s.words for s in segments])
    long = [i for i, s in enumerate(segments) if s.words >= low]
    longest = max((segments[i].source_tokens for i in long), default=0)
    measures: dict[str, tuple[float | None, float | None]] = {}
    findings = list(_unseen(segments, long, trained, advice(("augmentation",), settings, longest)))
    for measure in _MEASURES:
        values = [measure.value(s) for s in segments]
        means = _mean(values, medium), _mean(values, long)
        measures[measure.figure or measure.name] = means
        evidence = _evidence(measure, *means)
        if evidence is not None:
            tries = advice(measure.remedies, settings, longest)
            findings.append(Finding(measure.name, evidence, tries, _worst(measure, values, long)))
    return Diagnosis(
        f"{_MEDIUM[0]} to {_MEDIUM[1]} words: {len(medium)} segments",
        f"{low} words and more: {len(long)} segments",
        measures,
        tuple(findings),
    )


def _evidence(measure: _Measure, medium: float | None, long: float | None) -> str | None:
    """Return the sentence that states the finding; None without one."""
    if long is None:
        return None
    beside = measure.healthy if medium is None else medium
    return measure.says.format(medium=beside, long=long) if measure.wrong(beside, long) else None


def _worst(
    measure: _Measure, values: Sequence[float | None], long: Sequence[int]
) -> tuple[int, ...]:
    # The worst value comes first in a rising order.
    sign = 1 if measure.low_is_worse else -1
    known = [(sign * value, i) for i in long if (value := values[i]) is not None]
    return tuple(i for _, i in sorted(known)[:_EXAMPLES])


def _unseen(
    segments: Sequence[Symptoms],
    long: Sequence[int],
    trained: Lengths,
    tries: tuple[str, ...],
) -> Iterator[Finding]:
    """Yield findings about long segments beyond the longest training example."""
    for side, limit, tokens in (
        ("source", trained.source, [segments[i].source_tokens for i in long]),
        ("target", trained.target, [segments[i].reference_tokens for i in long]),
    ):
        beyond = [i for i, n in zip(long, tokens, strict=True) if limit is not None and n > limit]
        if len(beyond) > _FEW * len(long):
            yield Finding(
                f"{side} lengths never seen",
                f"{len(beyond)} of {len(long)} long segments have more {side} tokens than the "
                f"longest training example's {limit} (up to {max(tokens)})",
                tries,
                tuple(beyond[:_EXAMPLES]),
            )


def _long_from(words: Sequence[int]) -> int:
    """Return the least words of the longest bucket with enough segments in it and above it."""
    # From the longest down, and with all that is longer: a few segments prove nothing.
    for bucket in reversed(BUCKETS):
        if sum(n >= bucket.low for n in words) >= _FEWEST:
            return bucket.low
    return 1


def _mean(values: Sequence[float | None], members: Sequence[int]) -> float | None:
    known = [value for i in members if (value := values[i]) is not None]
    return float(np.mean(known)) if known else None
