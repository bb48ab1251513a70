"""The diagnosis of models that are made to fail in one way on long sentences.

The target language is the source language, so that a translation is the course of a finger over
the source: which place each output is of, and where the attention was meanwhile.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from longspan.inference.diagnosis.diagnose import diagnose_pairs, render_diagnosis, to_json
from longspan.inference.diagnosis.diagnosis import Lengths
from longspan.inference.search.search import SearchSettings
from longspan.inference.translation.translator import Translator
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.pairs.pairs import Pair
from longspan.training.tokenizer.tokenizer import EOS, Tokenizer, WordVocabulary

WORDS = WordVocabulary(["<pad>", "<unk>", "<s>", "</s>", *(f"w{n}" for n in range(150))])
MEDIUM, LONG = 15, 120
UNKNOWN = Lengths()
SOURCES = [
    " ".join(f"w{(7 * row + place) % 150}" for place in range(words))
    for words in (MEDIUM, LONG)
    for row in range(6)
]
PAIRS = [Pair(source, source) for source in SOURCES]

Course = Callable[[int], list[int]]  # words of a sentence -> the place of each output
Gaze = Callable[[list[int], int], Tensor]  # a course, source tokens -> (target, source)


def straight(words: int) -> list[int]:
    return list(range(words))


def on_it(course: list[int], source: int) -> Tensor:
    return nn.functional.one_hot(torch.tensor(course), source).float()


def all_around(course: list[int], source: int) -> Tensor:
    near = (torch.arange(source) - torch.tensor(course)[:, None]).abs() <= 6
    return near / near.sum(1, keepdim=True)


def stuck(course: list[int], source: int) -> Tensor:
    """Mostly on each tenth word, with a glance at the right one."""
    return 0.7 * on_it([place - place % 10 for place in course], source) + 0.3 * on_it(
        course, source
    )


@dataclass(frozen=True)
class Rows:
    ids: Tensor  # (batch, source)
    lengths: Tensor  # (batch,)
    mask: Tensor  # (batch, source)

    def select(self, index: Tensor) -> "Rows":
        return Rows(self.ids[index], self.lengths[index], self.mask[index])


@dataclass(frozen=True)
class Position:
    at: Tensor  # (batch,)

    def select(self, index: Tensor) -> "Position":
        return Position(self.at[index])


class Faulty(nn.Module):
    """Copies medium sentences word by word; long ones by a course and with a gaze of its own."""

    has_attention = True
    own_walk = None

    def __init__(self, course: Course, gaze: Gaze) -> None:
        super().__init__()
        self.course, self.gaze = course, gaze

    def encode(self, source: Tensor, lengths: Tensor) -> Rows:
        return Rows(source, lengths, torch.arange(source.shape[1]) < lengths[:, None])

    def initial_state(self, memory: Rows) -> Position:
        return Position(torch.zeros_like(memory.lengths))

    def step(
        self, previous: Tensor, state: Position, memory: Rows
    ) -> tuple[Tensor, Position, Tensor]:
        logits = torch.full((len(previous), len(WORDS)), -20.0)
        weights = torch.zeros(len(previous), 1, memory.ids.shape[1])
        for row, at in enumerate(state.at.tolist()):
            words = int(memory.lengths[row]) - 1
            course, gaze = straight(words), on_it
            if words == LONG:
                course, gaze = self.course(words), self.gaze
            over = at >= len(course)
            logits[row, EOS if over else memory.ids[row, course[at]]] = 0.0
            seen = [words] if over else [course[at]]
            weights[row, 0, : words + 1] = gaze(seen, words + 1)[0]
        return logits, Position(state.at + 1), weights


def diagnosed(
    course: Course = straight, gaze: Gaze = on_it, trained: Lengths = UNKNOWN, **settings: object
):
    search = SearchSettings(beam_size=1, with_alignment=True)
    translator = Translator(
        Faulty(course, gaze), Tokenizer(WORDS, WORDS, joint=True), search, report=lambda _: None
    )
    return diagnose_pairs(translator, PAIRS, trained, Hyperparameters(**settings))


def names(done) -> set[str]:
    return {finding.name for finding in done.diagnosis.findings}


def test_a_model_that_copies_is_healthy():
    done = diagnosed(trained=Lengths(121, 120))
    assert names(done) == set()
    assert "nothing is wrong" in render_diagnosis(done)


def clauses_in_another_order(words: int) -> list[int]:
    return [start + place for start in (80, 40, 0) for place in range(40)]


@pytest.mark.parametrize(
    ("course", "gaze", "expected", "said"),
    [
        pytest.param(
            lambda words: straight(words // 2), on_it,
            {"quality", "length ratio", "dropped source"},
            "output is too short: 0.50 of the reference's length",
            id="ends too early",
        ),
        pytest.param(
            lambda words: [p for p in straight(words) if not 40 <= p < 50], on_it,
            {"dropped source"}, "8.3% of the source is in stretches", id="drops a clause",
        ),
        pytest.param(
            lambda words: straight(words - 20) + list(range(words - 40, words - 20)), on_it,
            {"repetition", "dropped source"}, "output repeats itself", id="repeats a clause",
        ),
        pytest.param(
            lambda words: straight(words) + 3 * list(range(words - 20, words)), on_it,
            {"length ratio above", "repetition"},
            "output is too long: 1.50", id="does not find the end",
        ),
        pytest.param(
            lambda words: straight(words) + 9 * list(range(words - 20, words)), on_it,
            {"length ratio above", "repetition", "looping"},
            "100.0% of translations repeated themselves", id="goes round",
        ),
        pytest.param(
            lambda words: [place % words for place in range(10 * words)], on_it,
            {"quality", "length ratio above", "repetition", "monotony", "unfinished"},
            "100.0% of translations were stopped", id="never ends",
        ),
        pytest.param(
            straight, all_around, {"attention spread"}, "attention wanders", id="wanders"
        ),
        pytest.param(straight, stuck, {"sticking"}, "attention sticks: in 100.0%", id="sticks"),
        pytest.param(
            clauses_in_another_order, on_it, {"monotony"}, "attention loses its place",
            id="loses its place",
        ),
    ],
)  # fmt: skip
def test_each_fault_of_a_model_is_told(course, gaze, expected, said):
    done = diagnosed(course, gaze)
    assert names(done) == expected
    text = render_diagnosis(done)
    assert said in text
    for finding in done.diagnosis.findings:
        assert finding.advice
        assert finding.examples
        assert all(PAIRS[number].source.count(" ") > 100 for number in finding.examples)


def test_the_clause_that_was_dropped_is_shown():
    done = diagnosed(lambda words: [p for p in straight(words) if not 40 <= p < 50])
    first = done.diagnosis.findings[0].examples[0]
    clause = " ".join(SOURCES[first].split()[40:50])
    assert f"not read: {clause}\n" in render_diagnosis(done) + "\n"
    assert json.loads(to_json(done))["segments"][str(first)]["unread"] == [clause]


def test_lengths_never_seen_are_told_on_both_sides():
    done = diagnosed(trained=Lengths(source=60, target=60), length_augmentation=0.1)
    assert names(done) == {"source lengths never seen", "target lengths never seen"}
    assert "6 of 6 long segments have more source tokens" in render_diagnosis(done)
