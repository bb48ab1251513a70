"""The rules against plain reimplementations of what AWS and Li et al. write."""

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.infra.local.tuning.stopping import (
    Curve,
    HyperbandRule,
    MedianRule,
    NeverStop,
    bracket_of,
    infer_maximum,
)

values = st.lists(st.floats(-100, 100), min_size=1, max_size=6)
curves = st.lists(st.tuples(values, st.booleans()), max_size=8)


def plain_median_rule(goal: str, own: float, previous: list[list[float]], step: int) -> bool:
    averages = sorted(sum(v[:step]) / step for v in previous if len(v) >= step)
    if len(averages) < 3:
        return False
    middle = len(averages) // 2
    odd = len(averages) % 2
    median = averages[middle] if odd else (averages[middle - 1] + averages[middle]) / 2
    return own < median if goal == "Maximize" else own > median


@pytest.mark.parametrize("goal", ["Maximize", "Minimize"])
@given(job=values, others=curves)
def test_median_rule(goal: str, job: list[float], others: list[tuple[list[float], bool]]) -> None:
    rule = MedianRule(goal)
    known = [Curve(n, v, completed) for n, (v, completed) in enumerate(others)]
    completed = [v for v, done in others if done]
    for step in range(1, len(job) + 1):
        averages = [sum(v[:step]) / step for v in completed if len(v) >= step]
        if any(math.isclose(job[step - 1], a, abs_tol=1e-9) for a in averages):
            continue  # rounding may decide
        expected = plain_median_rule(goal, job[step - 1], completed, step)
        assert rule.stops(Curve(99, job), step, known) == expected


def test_median_rule_by_hand() -> None:
    # Running averages after two reports: 1.5, 2.5, 3.5; the median is 2.5.
    others = [Curve(n, (n, n + 1.0), completed=True) for n in (1, 2, 3)]
    rule = MedianRule("Maximize")
    assert rule.stops(Curve(9, (9.0, 2.4)), 2, others)
    assert not rule.stops(Curve(9, (0.0, 2.5)), 2, others)
    assert rule.stops(Curve(9, (9.0, math.nan)), 2, others)
    assert not rule.stops(Curve(9, (0.0, 0.0, 0.0)), 3, others), "nobody came as far"
    running = [Curve(n, (n, n + 1.0)) for n in (1, 2, 3)]
    assert not rule.stops(Curve(9, (0.0, 0.0)), 2, running), "none of them has completed"


def test_hyperband_rungs() -> None:
    rule = HyperbandRule("Maximize", low=2, high=54)
    assert rule.brackets == 4
    assert [rule.rungs(bracket) for bracket in (3, 2, 1, 0)] == [(2, 6, 18), (6, 18), (18,), ()]
    assert HyperbandRule("Maximize", low=5, high=5).brackets == 1


def test_hyperband_leaves_jobs_alone_below_the_minimum_and_ends_them_at_the_maximum() -> None:
    rule = HyperbandRule("Minimize", low=3, high=10)
    better = [Curve(n, (0.0,) * 10) for n in range(20)]
    worst = Curve(20, (100.0,) * 10)
    assert not any(rule.stops(worst, step, better) for step in (1, 2))
    assert rule.stops(Curve(0, (0.0,) * 10), 10, [])


@pytest.mark.parametrize("goal", ["Maximize", "Minimize"])
@given(
    own=st.floats(-10, 10),
    rivals=st.lists(st.floats(-10, 10) | st.just(math.nan), max_size=20),
    step=st.integers(1, 8),
)
def test_hyperband_keeps_the_best_third(
    goal: str, own: float, rivals: list[float], step: int
) -> None:
    rule = HyperbandRule(goal, 1, 9)
    others = [Curve(n, (value,) * 9) for n, value in enumerate(rivals)]
    for number in range(12):
        job = Curve(number, (own,) * step)
        bracket = bracket_of(number, rule.brackets)
        same = [value for n, value in enumerate(rivals) if bracket_of(n, rule.brackets) == bracket]
        ranked = sorted(
            [value for value in same if not math.isnan(value)], reverse=goal == "Maximize"
        )
        kept = max(1, (len(same) + 1) // 3)
        last = ranked[kept - 1] if len(ranked) >= kept else None
        survives = last is None or own == last or (own > last) == (goal == "Maximize")
        # The most aggressive bracket is judged after 1 and 3 reports, the next after 3.
        judged = step in {2: (1, 3), 1: (3,), 0: ()}[bracket]
        assert rule.stops(job, step, others) == (judged and not survives)


def test_hyperband_stops_what_is_no_number() -> None:
    rule = HyperbandRule("Maximize", 1, 9)
    assert bracket_of(0, rule.brackets) == 2
    assert rule.stops(Curve(0, (math.nan,)), 1, [])


@pytest.mark.parametrize("brackets", [1, 2, 3, 4])
def test_brackets_get_jobs_in_hyperbands_proportions(brackets: int) -> None:
    once = {s: math.ceil(brackets * 3**s / (s + 1)) for s in range(brackets)}
    shares = {s: share * math.ceil(9 / once[brackets - 1]) for s, share in once.items()}
    total = sum(shares.values())
    assert Counter(bracket_of(n, brackets) for n in range(total)) == shares
    assert bracket_of(0, brackets) == brackets - 1
    assert bracket_of(total, brackets) == bracket_of(0, brackets)
    order = [bracket_of(n, brackets) for n in range(total)]
    assert order == sorted(order, reverse=True), "each is filled before the next one"
    assert set(order[:9]) == {brackets - 1}, "the jobs of a small search all compete"


@pytest.mark.parametrize("low", [1, 3])
@given(
    finals=st.lists(st.floats(0, 100), min_size=1, max_size=9),
    shares=st.lists(st.lists(st.floats(0, 1), min_size=9, max_size=9), min_size=9, max_size=9),
    order=st.randoms(use_true_random=False),
)
def test_the_best_of_a_small_search_ran_its_whole_budget(
    low: int, finals: list[float], shares: list[list[float]], order: random.Random
) -> None:
    """Jobs report what they have reached so far, two at a time and never at the same pace."""
    rule = HyperbandRule("Maximize", low, 9)
    curves = {
        n: [final * share for share in sorted([*part[:8], 1.0])]
        for n, (final, part) in enumerate(zip(finals, shares, strict=False))
    }
    seen: dict[int, list[float]] = {}
    waiting, running = list(curves), list[int]()
    while waiting or running:
        while waiting and len(running) < 2:
            running.append(waiting.pop(0))
        job = order.choice(running)
        own = seen.setdefault(job, [])
        own.append(curves[job][len(own)])
        others = [Curve(n, values) for n, values in seen.items() if n != job]
        if rule.stops(Curve(job, own), len(own), others):
            running.remove(job)
    best = max(values[-1] for values in seen.values())
    assert any(values[-1] == best and len(values) == 9 for values in seen.values())


def test_no_rule_stops_nothing() -> None:
    assert not NeverStop().stops(Curve(0, (math.nan,)), 1, [])


@pytest.mark.parametrize(
    ("static", "expected"),
    [({"epochs": "12"}, 12), ({"num_epochs": "7"}, 7), ({"epochs": "x"}, None), ({}, None)],
)
def test_the_maximum_is_read_from_static_hyperparameters(
    static: dict[str, str], expected: int | None
) -> None:
    assert infer_maximum(static) == expected
