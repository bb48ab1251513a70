"""Examinations: a translation's account, by questions to a model that someone else answers.

An examination is a generator. It yields lists of questions, receives their answers, and returns its
result. So the same code serves a command, which has the model, and the server, whose workers have
it; `answer_all` runs many at a time.

    Question(source, None)      translate these tokens         -> the best hypothesis
    Question(source, target)    score this target              -> the target as a hypothesis

Target units are examined in chunks. A chunk's units are scored against the source units within
reach of where they are expected: on from the last match. So time and memory grow linearly with the
text, and a place once lost is found again: a unit that matches nothing is tried with a wider reach.
"""

from bisect import bisect_right
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from longspan.inference.accounting.ledger import Evidence, Ledger
from longspan.inference.accounting.units import Unit, split_units
from longspan.inference.search.hypothesis import Hypothesis
from longspan.inference.search.settings import SearchSettings
from longspan.training.tokenizer.tokenizer import EOS, Tokenizer

__all__ = ["Question", "Questions", "Scores", "answer_all", "examine_text"]

_CHUNK = 8  # target units
_REACH, _WIDEST = 5, 20  # source units on either side
# Mean log-probability of a target unit's tokens, below which its source unit is elsewhere.
_UNLIKELY = -4.0
_PAIR = SearchSettings(beam_size=1, length_penalty=0.0, with_alignment=True)

_Ids = tuple[int, ...]
_ResultT = TypeVar("_ResultT")


@dataclass(frozen=True)
class Question:
    """A source to translate, EOS last, or with `target`, without EOS, a target to score."""

    source: _Ids
    target: _Ids | None
    settings: SearchSettings


Questions = Generator[list[Question], list[Hypothesis], _ResultT]


@dataclass(frozen=True)
class Scores:
    """The result of an examination.

    `omission` has a number for each source unit, `duplication` one for each target unit, from 0 to
    1. `matches` is the source unit of each target unit, None where there is none.
    """

    source_units: Sequence[Unit]
    target_units: Sequence[Unit]
    omission: Sequence[float]
    duplication: Sequence[float]
    matches: Sequence[int | None]


def examine_text(tokenizer: Tokenizer, text: str, source: _Ids, target: _Ids) -> Questions[Scores]:
    """Examine a target, token ids without EOS, as the translation of a text.

    `source` are the text's ids without EOS. Returns the scores of its units and of the target's.
    """
    written = tokenizer.target.decode(target)
    source_units = split_units(text, tokenizer.source.offsets(text, source))
    target_units = split_units(written, tokenizer.target.offsets(written, target))
    ledger = Ledger(source_units, target_units)
    for start in range(0, len(target_units) if source_units else 0, _CHUNK):
        chunk = target_units[start : start + _CHUNK]
        places = _places(ledger, start, len(source), len(target))
        evidence = yield from _evidence(source, target, ledger, chunk, places)
        for found, place in zip(evidence, places, strict=True):
            ledger.enter(found, place)
    return Scores(
        source_units, target_units, ledger.omission.tolist(), ledger.duplication, ledger.matches
    )


def _places(ledger: Ledger, start: int, source: int, target: int) -> list[float]:
    """Return where the source of each target unit of the next chunk is expected, in tokens.

    It is on the line from the end of the last match to the end of both texts.
    """
    matched = [(j, i) for j, i in enumerate(ledger.matches) if i is not None]
    from_target, from_source = 0, 0
    if matched:
        last, match = matched[-1]
        from_target, from_source = ledger.target_units[last][1], ledger.source_units[match][1]
    slope = (source - from_source) / max(1, target - from_target)
    chunk = ledger.target_units[start : start + _CHUNK]
    return [from_source + ((a + b) / 2 - from_target) * slope for a, b in chunk]


def _evidence(
    source: _Ids, target: _Ids, ledger: Ledger, chunk: Sequence[Unit], places: Sequence[float]
) -> Questions[list[list[Evidence]]]:
    """Score each unit of a chunk against the source units near its place: evidence by unit.

    A unit that is not probable from any of them is scored again, within a wider reach.
    """
    found: dict[int, list[Evidence]] = {}
    for reach in (_REACH, _WIDEST):
        near = {
            j: _near(ledger.source_units, place, reach)
            for j, place in enumerate(places)
            if not _explained(found.get(j, []))
        }
        if not near:
            break
        answers = yield [
            Question(
                (*source[slice(*ledger.source_units[i])], EOS), target[slice(*chunk[j])], _PAIR
            )
            for j, numbers in near.items()
            for i in numbers
        ]
        rest = iter(answers)
        for j, numbers in near.items():
            found[j] = [_read(ledger.source_units[i], i, next(rest)) for i in numbers]
        if all(len(numbers) == len(ledger.source_units) for numbers in near.values()):
            break
    return [found[j] for j in range(len(chunk))]


def _explained(evidence: Sequence[Evidence]) -> bool:
    return any(one.chances.mean() > _UNLIKELY for one in evidence)


def _near(units: Sequence[Unit], place: float, reach: int) -> range:
    """Return the numbers of the units within reach of the one at a place, in tokens."""
    at = bisect_right([stop for _, stop in units], place)
    return range(max(0, min(at, len(units) - 1) - reach), min(len(units), at + reach + 1))


def _read(unit: Unit, number: int, answer: Hypothesis) -> Evidence:
    """Return the evidence of one pair, without the end tokens of both sides."""
    assert answer.token_log_probabilities is not None
    chances = np.array(answer.token_log_probabilities[:-1])
    weights = np.zeros((len(chances), unit[1] - unit[0]))
    if answer.alignment is not None:
        weights += answer.alignment[:, :-1]
    return Evidence(number, chances, weights)


def answer_all(
    examinations: "Sequence[Questions[_ResultT]]",
    answer: Callable[[list[Question]], list[Hypothesis]],
) -> list[_ResultT]:
    """Run examinations side by side; each call of `answer` has the questions of all of them."""
    results: dict[int, _ResultT] = {}
    waiting: dict[int, list[Question]] = {}

    def advance(number: int, answers: list[Hypothesis] | None) -> None:
        try:
            one = examinations[number]
            waiting[number] = next(one) if answers is None else one.send(answers)
        except StopIteration as end:
            results[number] = end.value

    for number in range(len(examinations)):
        advance(number, None)
    while waiting:
        asked, waiting = waiting, {}
        answers = iter(answer([question for some in asked.values() for question in some]))
        for number, questions in asked.items():
            advance(number, [next(answers) for _ in questions])
    return [results[number] for number in range(len(examinations))]
