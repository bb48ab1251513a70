"""The result of a study: BLEU by length for each course, and a verdict on each.

Intervals come from a bootstrap over segments and seeds: each resample draws as many test segments
and seeds as there are, with replacement, and the same segments for all courses.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from longspan.inference.evaluation.evidence import read_evidence
from longspan.inference.evaluation.files import read_evaluation, unescape
from longspan.training.buckets import BUCKETS, LEAST_BLEU, MEDIUM, share_kept
from longspan.training.errors import DataError
from longspan.training.model.outcome import read_training
from longspan.training.scores import bleu_of, statistics

__all__ = ["CURED", "CourseResult", "Figure", "StudyResult", "measure_study"]

# A course cures if long sentences keep this share of the BLEU of medium ones.
CURED = 0.9
# The least gain in BLEU that counts, however certain it is.
_LEAST_GAIN = 1.0
_LONG = BUCKETS[-1].name
_RESAMPLES = 500
_CONFIDENCE = 0.95

_Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """Mean BLEU of all seeds, and its confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class CourseResult:
    """The figures of one course.

    `buckets` holds BLEU by bucket, None for one without segments; `seeds` the BLEU of long
    sentences for each seed. `gain` is the BLEU of long sentences minus the baseline's, None for the
    baseline. `kept` is the BLEU of long sentences divided by that of medium ones, of the course or
    of the baseline, whichever is higher: losing quality on medium sentences must not raise it.
    `kept` is None if the BLEU of medium sentences is below `least_bleu` of the evaluations.
    `updates` and `cpu_seconds` are means over training jobs, None if unknown. `early` has a
    sentence for each seed whose training ended before its budget.
    """

    name: str
    title: str
    buckets: Mapping[str, Figure | None]
    seeds: tuple[float, ...]
    gain: Figure | None
    kept: float | None
    updates: float | None = None
    cpu_seconds: float | None = None
    early: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """One of `baseline`, `cures`, `helps` and `no cure`."""
        if self.gain is None:
            return "baseline"
        if self.gain.low <= 0 or self.gain.value < _LEAST_GAIN:
            return "no cure"
        return "cures" if self.kept is not None and self.kept >= CURED else "helps"


@dataclass(frozen=True)
class StudyResult:
    """All courses, the baseline first; `long` and `medium` name the compared buckets."""

    courses: tuple[CourseResult, ...]
    medium: str
    long: str
    seeds: int
    signature: str
    budget: str  # limits of each training job

    def to_json(self) -> dict[str, Any]:
        """Return the content of `study.json`."""
        return {
            "medium": self.medium,
            "long": self.long,
            "seeds": self.seeds,
            "signature": self.signature,
            "budget": self.budget,
            "courses": [
                {
                    "name": course.name,
                    "title": course.title,
                    "verdict": course.verdict,
                    "kept": course.kept,
                    "updates": course.updates,
                    "cpu_seconds": course.cpu_seconds,
                    "early": list(course.early),
                    "gain": vars(course.gain) if course.gain else None,
                    "long_by_seed": list(course.seeds),
                    "buckets": {
                        name: vars(figure) if figure else None
                        for name, figure in course.buckets.items()
                    },
                }
                for course in self.courses
            ],
        }


def measure_study(
    evaluations: Mapping[tuple[str, str], Sequence[Path]], budget: str, *, seed: int = 1
) -> StudyResult:
    """Compare the courses by the folders that `longspan evaluate` wrote.

    `evaluations` holds a folder per seed for each course, by name and title. `budget` describes the
    limits of each training job; `seed` is that of the bootstrap. Raises DataError unless all
    evaluations have the same test and all courses equally many seeds.
    """
    loaded = {
        names: [_load(folder) for folder in folders] for names, folders in evaluations.items()
    }
    count = _seeds_of(loaded)
    first = next(iter(loaded.values()))[0]
    members = {b.name: np.flatnonzero(first.buckets == b.name) for b in BUCKETS}
    known = {name: rows for name, rows in members.items() if len(rows)}
    # A small test may lack these buckets: then its shortest and its longest sentences.
    compared = (
        MEDIUM if MEDIUM in known else next(iter(known)),
        _LONG if _LONG in known else list(known)[-1],
    )
    # One set of draws for all courses, so that their differences are paired.
    draws = {name: _draws(len(rows), count, seed) for name, rows in known.items()}
    sampled = {
        names: {b: _bleu(all_seeds, rows, draws[b]) for b, rows in known.items()}
        for names, all_seeds in loaded.items()
    }
    base = next(iter(sampled.values()))
    courses = [
        _course(*names, all_seeds, sampled[names], base, compared, first.least_bleu)
        for names, all_seeds in loaded.items()
    ]
    return StudyResult(tuple(courses), *compared, count, first.signature, budget)


def _seeds_of(loaded: Mapping[tuple[str, str], Sequence["_Loaded"]]) -> int:
    """Return the number of seeds, which all courses share. Raises DataError."""
    tests = {tuple(one.references) for all_seeds in loaded.values() for one in all_seeds}
    seeds = {len(all_seeds) for all_seeds in loaded.values()}
    if len(tests) != 1 or len(seeds) != 1:
        raise DataError(
            f"expected evaluations of one test with as many seeds of each course, got {len(tests)} "
            f"tests and {sorted(seeds)} seeds; run the study again"
        )
    return seeds.pop()


Sampled = Mapping[str, tuple[_Numbers, _Numbers]]  # results of `_bleu` by bucket


def _course(
    name: str,
    title: str,
    all_seeds: Sequence["_Loaded"],
    sampled: Sampled,
    base: Sampled,
    compared: tuple[str, str],
    least_bleu: float,
) -> CourseResult:
    """Compare a course with the baseline `base`; `compared` names the medium and long buckets."""
    medium, long = compared
    values, resamples = sampled[long]
    gain = None
    if sampled is not base:
        other, other_resamples = base[long]
        gain = _figure(np.array([values.mean() - other.mean()]), resamples - other_resamples)
    own_medium, base_medium = (float(one[medium][0].mean()) for one in (sampled, base))
    kept = share_kept(float(values.mean()), own_medium, least_bleu)
    if kept is not None:
        # long / own_medium * own_medium / max(...) = long / max(own_medium, base_medium)
        kept *= own_medium / max(own_medium, base_medium)
    return CourseResult(
        name,
        title,
        {b.name: _figure(*sampled[b.name]) if b.name in sampled else None for b in BUCKETS},
        tuple(values.tolist()),
        gain,
        kept,
        _mean([one.updates for one in all_seeds]),
        _mean([one.cpu_seconds for one in all_seeds]),
        tuple(
            f"seed {number}: {one.early}"
            for number, one in enumerate(all_seeds, 1)
            if one.early is not None
        ),
    )


@dataclass(frozen=True)
class _Loaded:
    references: list[str]
    buckets: NDArray[np.str_]
    counts: _Numbers  # (segment, 10)
    signature: str
    least_bleu: float
    updates: float | None
    cpu_seconds: float | None
    early: str | None


def _load(folder: Path) -> _Loaded:
    document = read_evaluation(folder)
    rows = list(_rows(folder / "translations.tsv"))
    references = [unescape(row["reference"]) for row in rows]
    hypotheses = [unescape(row["hypothesis"]) for row in rows]
    metrics = document["metrics"]
    counted = statistics(hypotheses, references, metrics["tokenizer"])
    buckets = np.array([row["bucket"] for row in rows])
    history = read_evidence(folder).get("model", {}).get("history", [])
    last = history[-1] if history else {}
    ending = read_training(document).get("model")
    return _Loaded(
        references,
        buckets,
        counted.bleu,
        counted.bleu_signature,
        metrics.get("least_bleu", LEAST_BLEU),
        last.get("updates"),
        last.get("cpu_seconds"),
        None if ending is None else ending.early_line,
    )


def _rows(path: Path) -> Iterator[Mapping[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def _draws(segments: int, seeds: int, seed: int) -> tuple[_Numbers, NDArray[np.int64]]:
    """Draw how often each segment (resample, segment) and which seeds (resample, seed) count."""
    generator = np.random.default_rng([seed, segments])
    shares = np.full(segments, 1 / max(1, segments))
    # How often each segment was drawn is enough: statistics of BLEU add up, so that a matrix
    # product measures all resamples at once.
    weights = generator.multinomial(segments, shares, _RESAMPLES).astype(np.float64)
    return weights, generator.integers(0, seeds, (_RESAMPLES, seeds))


def _bleu(
    all_seeds: Sequence[_Loaded],
    members: NDArray[np.int64],
    draws: tuple[_Numbers, NDArray[np.int64]],
) -> tuple[_Numbers, _Numbers]:
    """Return BLEU of each seed (seed,), and of each resample its mean over seeds (resample,)."""
    weights, chosen = draws
    values = np.array([float(bleu_of(one.counts[members].sum(0))) for one in all_seeds])
    # (resample, segment) @ (segment, 10) -> (resample, 10) -> (resample,), for each seed
    by_seed = np.stack([bleu_of(weights @ one.counts[members]) for one in all_seeds], axis=1)
    return values, np.take_along_axis(by_seed, chosen, axis=1).mean(1)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _figure(values: _Numbers, resamples: _Numbers) -> Figure:
    low, high = np.quantile(resamples, [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2])
    return Figure(float(values.mean()), float(low), float(high))
