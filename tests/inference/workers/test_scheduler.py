"""Whose turn it is: like lengths together, long and short side by side, oldest first."""

import json

import pytest
import torch

from longspan.inference.search.search import search
from longspan.inference.search.settings import SearchSettings
from longspan.inference.search.spelling import Spelling
from longspan.inference.workers.messages import TranslationJob, TranslationResult
from longspan.inference.workers.scheduler import SearchScheduler

GREEDY = SearchSettings(beam_size=1, length_penalty=0.0, max_length=6)
BEAM = SearchSettings(beam_size=3, length_penalty=0.6, max_length=6)
LONG = 60  # source tokens


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def job(number: int, length: int = 4, settings: SearchSettings = GREEDY, **more) -> TranslationJob:
    ids = (*(4 + (number * k) % 5 for k in range(1, length)), 3)
    return TranslationJob(number, ids, settings, **more)


def drain(scheduler: SearchScheduler) -> list:
    turns = []
    while not scheduler.is_idle:
        turns.append(scheduler.turn())
    return turns


def results_of(scheduler: SearchScheduler) -> list[int]:
    """The numbers of the jobs that one turn ends; none fails."""
    turn = scheduler.turn()
    assert not turn.failures
    return [result.number for result in turn.results]


@pytest.fixture
def scheduler(table_model) -> SearchScheduler:
    return SearchScheduler(table_model(9), Spelling(), torch.device("cpu"), clock=Clock())


def test_every_job_gets_what_a_search_of_its_own_finds(table_model, scheduler):
    jobs = [job(i, 2 + i % 7, BEAM if i % 3 else GREEDY) for i in range(20)]
    for one in jobs:
        scheduler.add(one)
    found = {r.number: r.hypotheses for turn in drain(scheduler) for r in turn.results}
    assert sorted(found) == list(range(20))
    for one in jobs:
        source, lengths = torch.tensor([one.ids]), torch.tensor([len(one.ids)])
        [alone] = search(table_model(9), source, lengths, one.settings, Spelling())
        assert [h.ids for h in found[one.number]] == [h.ids for h in alone]


def test_given_targets_are_scored_beside_searches(table_model, scheduler):
    targets = {1: (4, 5, 6, 4), 3: (), 5: (8,)}
    jobs = [job(i, 3 + i, target=targets.get(i)) for i in range(6)]
    for one in jobs:
        scheduler.add(TranslationJob.of(json.loads(one.frame().pack()[8:])["job"]))
    results = {r.number: r for turn in drain(scheduler) for r in turn.results}
    assert sorted(results) == list(range(6))
    for one in jobs:
        frame = results[one.number].frame()
        [back] = TranslationResult.of(
            json.loads(json.dumps(frame.content))["result"], b""
        ).hypotheses
        source, lengths = torch.tensor([one.ids]), torch.tensor([len(one.ids)])
        given = None if one.target is None else [one.target]
        [[alone]] = search(table_model(9), source, lengths, one.settings, Spelling(), given)
        assert back.ids == alone.ids
        assert back.log_probability == alone.log_probability
        if one.target is not None:
            assert back.ids == list(one.target)
            assert list(back.token_log_probabilities) == list(alone.token_log_probabilities)


def test_like_lengths_and_settings_go_together_up_to_the_size(table_model):
    scheduler = SearchScheduler(table_model(9), Spelling(), torch.device("cpu"), batch_size=3)
    for number in range(5):
        scheduler.add(job(number))
    scheduler.add(job(5, 40))
    scheduler.add(job(6, settings=BEAM))
    together = {r.number: r.together for turn in drain(scheduler) for r in turn.results}
    assert together == {0: 3, 1: 3, 2: 3, 3: 2, 4: 2, 5: 1, 6: 1}


def test_a_short_one_that_comes_later_does_not_wait_for_a_long_one(scheduler):
    scheduler.add(
        job(
            0, LONG, SearchSettings(beam_size=1, length_penalty=0.0, max_length=500, min_length=499)
        )
    )
    for _ in range(10):
        assert not results_of(scheduler)
    scheduler.add(job(1))
    steps = 1
    while not results_of(scheduler):
        steps += 1
    assert steps <= 2 * GREEDY.max_length  # every second turn is its own


def test_a_short_one_waits_for_a_few_steps_of_a_full_batch(table_model):
    clock = Clock()
    model = table_model(9)
    take = model.step

    def step(previous, *rest):
        clock.now += len(previous)  # a second a row
        return take(previous, *rest)

    model.step = step
    scheduler = SearchScheduler(model, Spelling(), torch.device("cpu"), batch_size=64, clock=clock)
    for number in range(64):
        scheduler.add(
            job(
                number,
                LONG,
                SearchSettings(beam_size=1, length_penalty=0.0, max_length=100, min_length=99),
            )
        )
    for _ in range(10):
        assert not results_of(scheduler)
    scheduler.add(job(99))
    come, ended = clock.now, []
    while not ended:
        ended = results_of(scheduler)
    assert ended == [99]
    assert clock.now - come <= GREEDY.max_length + 64  # its own steps, and one of the others


def test_a_short_one_does_not_wait_for_any_number_of_long_ones_of_many_kinds(scheduler):
    for number in range(12):
        alone = SearchSettings(
            beam_size=1, length_penalty=number / 10, max_length=500, min_length=499
        )
        scheduler.add(job(number, LONG, alone))
    for _ in range(20):
        assert not results_of(scheduler)
    scheduler.add(job(99))
    turns = 1
    while not (ended := results_of(scheduler)):
        turns += 1
    assert ended == [99]
    assert turns <= 12 * GREEDY.max_length


def test_a_long_one_does_not_wait_for_short_ones_that_come_later(scheduler):
    kinds = [
        SearchSettings(beam_size=1, length_penalty=number / 10, max_length=6, min_length=5)
        for number in range(12)
    ]
    for number in range(1, 9):
        scheduler.add(job(number, settings=kinds[number]))
    scheduler.add(
        job(0, LONG, SearchSettings(beam_size=1, length_penalty=0.0, max_length=40, min_length=39))
    )
    ended: list[int] = []
    for number in range(9, 1000):  # meanwhile a short one comes with every turn
        scheduler.add(job(number, settings=kinds[number % 12]))
        ended += results_of(scheduler)
        if 0 in ended:
            break
    assert 0 in ended


def test_a_turn_reads_the_source_of_one_search(table_model, monkeypatch):
    model = table_model(9)
    scheduler = SearchScheduler(model, Spelling(), torch.device("cpu"))
    for number in range(4):
        scheduler.add(
            job(
                number,
                settings=SearchSettings(beam_size=1, length_penalty=number / 10, max_length=6),
            )
        )
    read, encode = [], model.encode
    monkeypatch.setattr(model, "encode", lambda *source: (read.append(1), encode(*source))[1])
    for taken in range(1, 5):
        scheduler.turn()
        assert len(read) == taken


def test_a_job_may_wait_for_others_and_not_longer(table_model):
    clock = Clock()
    scheduler = SearchScheduler(table_model(9), Spelling(), torch.device("cpu"), clock=clock)
    scheduler.add(job(0, delay=0.5))
    assert scheduler.patience == 0.5
    assert not scheduler.turn().results
    clock.now = 0.2
    scheduler.add(job(1, delay=0.5))
    clock.now = 0.5
    assert scheduler.patience == 0.0
    assert {r.together for turn in drain(scheduler) for r in turn.results} == {2}
    assert scheduler.patience is None


def test_what_is_dropped_is_not_answered(scheduler):
    for number in range(3):
        scheduler.add(
            job(
                number,
                settings=SearchSettings(
                    beam_size=1, length_penalty=0.0, max_length=50, min_length=49
                ),
            )
        )
    scheduler.drop(1)  # waits
    scheduler.turn()
    scheduler.drop(2)  # runs
    scheduler.drop(77)
    assert [r.number for turn in drain(scheduler) for r in turn.results] == [0]


def test_partial_output_grows_to_the_whole(table_model):
    clock = Clock()
    scheduler = SearchScheduler(table_model(9), Spelling(), torch.device("cpu"), clock=clock)
    scheduler.add(
        job(
            0,
            12,
            SearchSettings(beam_size=1, length_penalty=0.0, max_length=20, min_length=15),
            partial=True,
        )
    )
    scheduler.add(
        job(1, 12, SearchSettings(beam_size=1, length_penalty=0.0, max_length=20, min_length=15))
    )
    partials, results = [], []
    while not scheduler.is_idle:
        clock.now += 1
        turn = scheduler.turn()
        partials += turn.partials
        results += turn.results
    assert {partial.number for partial in partials} == {0}
    [whole] = next(result.hypotheses for result in results if result.number == 0)
    for partial in partials:
        assert whole.ids[: len(partial.ids)] == partial.ids
    assert len(partials) > 10


def test_a_model_that_breaks_fails_its_own_jobs_alone(table_model):
    model = table_model(9)
    scheduler = SearchScheduler(model, Spelling(), torch.device("cpu"))
    scheduler.add(job(0))
    scheduler.add(
        job(1, settings=SearchSettings(beam_size=1, length_penalty=0.0, coverage_penalty=0.3))
    )
    model.attention = False  # so that a coverage penalty cannot be had
    turns = drain(scheduler)
    assert [f.number for turn in turns for f in turn.failures] == [1]
    assert [r.number for turn in turns for r in turn.results] == [0]
