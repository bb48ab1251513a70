"""Diagnosis: what is wrong with a model on long input, and what to try.

Every symptom is counted per segment and compared between the long segments and those of medium
length of the same test, so that what the language or the model does anyway is no symptom.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from longspan.inference.diagnosis.remedies import advice
from longspan.inference.diagnosis.symptoms import Symptoms
from longspan.training.buckets import BUCKETS
from longspan.training.hyperparameters import Hyperparameters

__all__ = ["Diagnosis", "Finding", "Lengths", "diagnose"]

# Medium sentences, which a model should know, by source words; and the fewest that count.
_MEDIUM = (11, 30)
_FEWEST = 5
# Long segments of which no more than this share is beyond what was trained on are no finding.
_FEW = 0.05
_EXAMPLES = 3


@dataclass(frozen=True)
class Lengths:
    """Tokens of the longest example that a model was trained on, None where it is not known."""

    source: int | None = None
    target: int | None = None


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, and what to try. `examples` are numbers of segments, worst first."""

    name: str
    evidence: str
    advice: tuple[str, ...]
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
    remedies: tuple[str, ...]
    figure: str = ""  # what it is called among the figures, where not as the finding
    healthy: float = 0.0  # what long ones are held against where there are no medium ones
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
    """What is wrong on long segments; the longest bucket with enough segments stands for long.

    `settings` are what `remedies.advice` takes.
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
    """What says that the long ones are wrong; None when they are not."""
    if long is None:
        return None
    beside = measure.healthy if medium is None else medium
    return measure.says.format(medium=beside, long=long) if measure.wrong(beside, long) else None


def _worst(
    measure: _Measure, values: Sequence[float | None], long: Sequence[int]
) -> tuple[int, ...]:
    sign = 1 if measure.low_is_worse else -1
    known = [(sign * value, i) for i in long if (value := values[i]) is not None]
    return tuple(i for _, i in sorted(known)[:_EXAMPLES])


def _unseen(
    segments: Sequence[Symptoms],
    long: Sequence[int],
    trained: Lengths,
    tries: tuple[str, ...],
) -> Iterator[Finding]:
    """Long input and output beyond all that the model was trained on."""
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
    """Least words of the longest bucket from which on there are enough segments."""
    for bucket in reversed(BUCKETS):
        if sum(n >= bucket.low for n in words) >= _FEWEST:
            return bucket.low
    return 1


def _mean(values: Sequence[float | None], members: Sequence[int]) -> float | None:
    known = [value for i in members if (value := values[i]) is not None]
    return float(np.mean(known)) if known else None
