import statistics
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longspan.infra.local.tuning.parameter_space import (
    Categorical,
    Continuous,
    Integer,
    ParameterSpace,
    TunedParameter,
)
from longspan.infra.local.tuning.strategies import (
    GridStrategy,
    Strategy,
    StudyStrategy,
    bayesian,
    random_search,
)

Maker = Callable[[ParameterSpace, str, int | None], StudyStrategy]
MAKERS = pytest.mark.parametrize("make", [random_search, bayesian])
MIXED = ParameterSpace(
    (Integer("heads", 1, 8), Continuous("dropout", 0.0, 0.5), Categorical("type", ("a", "b", "c")))
)

parameters = st.one_of(
    st.builds(
        lambda low, width, scaling: Integer("i", low, low + width, scaling),
        st.integers(1, 50),
        st.integers(0, 5000),
        st.sampled_from(["Auto", "Linear", "Logarithmic"]),
    ),
    st.builds(
        lambda low, width, scaling: Continuous("c", low, low + width, scaling),
        st.floats(1e-5, 10),
        st.floats(0, 100),
        st.sampled_from(["Auto", "Linear", "Logarithmic"]),
    ),
    st.builds(
        lambda low: Continuous("c", low, 0.999, "ReverseLogarithmic"),
        st.floats(0, 0.99),
    ),
    st.builds(lambda n: Categorical("k", tuple(map(str, range(n)))), st.integers(1, 6)),
)


@MAKERS
@settings(max_examples=25, deadline=None)
@given(parameter=parameters, seed=st.integers(0, 2**31))
def test_every_point_is_in_range(make: Maker, parameter: TunedParameter, seed: int) -> None:
    space = ParameterSpace((parameter, Categorical("z", ("u", "v"))))
    strategy = make(space, "Maximize", seed)
    for number in range(8):
        proposal = strategy.ask()
        if proposal is None:
            assert space.size is not None
            assert number == space.size
            break
        space.inner(proposal.values)  # raises ValueError outside
        strategy.tell(proposal, float(number) if number % 3 else None)


@MAKERS
@pytest.mark.parametrize("parallel", [1, 4])
def test_a_finite_space_is_searched_whole_without_repeats(make: Maker, parallel: int) -> None:
    space = ParameterSpace((Integer("a", 1, 4), Categorical("b", ("x", "y", "z"))))
    strategy = make(space, "Maximize", 0)
    tried, running = [], []
    while (proposal := strategy.ask()) is not None:
        tried.append(tuple(proposal.values.values()))
        running.append(proposal)
        if len(running) == parallel:
            done = running.pop(0)
            strategy.tell(done, float(done.values["a"]))
    assert len(tried) == len(set(tried)) == space.size == 12


@MAKERS
def test_a_space_of_one_point_that_is_not_counted_does_not_hang(make: Maker) -> None:
    strategy = make(ParameterSpace((Continuous("c", 0.5, 0.5),)), "Maximize", 0)
    for _ in range(3):
        proposal = strategy.ask()
        assert proposal is not None
        assert proposal.values == {"c": "0.5"}
        strategy.tell(proposal, 1.0)


@MAKERS
def test_the_same_seed_gives_the_same_points(make: Maker) -> None:
    def points(seed: int) -> list[dict[str, str]]:
        strategy = make(MIXED, "Minimize", seed)
        found = []
        for _ in range(15):
            proposal = strategy.ask()
            assert proposal is not None
            found.append(dict(proposal.values))
            strategy.tell(proposal, float(proposal.values["heads"]))
        return found

    assert points(1) == points(1) != points(2)


def score(values: dict[str, str]) -> float:
    """Best (4) at four heads, dropout 0.2, type b."""
    heads, dropout = int(values["heads"]), float(values["dropout"])
    return 4 - abs(heads - 4) / 2 - 8 * abs(dropout - 0.2) - (values["type"] != "b")


def best_of(strategy: Strategy, jobs: int, sign: int) -> float:
    found = []
    for _ in range(jobs):
        proposal = strategy.ask()
        assert proposal is not None
        found.append(score(dict(proposal.values)))
        strategy.tell(proposal, sign * found[-1])
    return max(found)


@pytest.mark.parametrize(("goal", "sign"), [("Maximize", 1), ("Minimize", -1)])
def test_bayesian_search_beats_chance(goal: str, sign: int) -> None:
    seeds = range(12)
    by_chance = [best_of(random_search(MIXED, goal, seed), 30, sign) for seed in seeds]
    by_model = [best_of(bayesian(MIXED, goal, seed), 30, sign) for seed in seeds]
    assert statistics.mean(by_model) > statistics.mean(by_chance)
    better = sum(model > chance for model, chance in zip(by_model, by_chance, strict=True))
    assert better > len(seeds) / 2


def test_what_is_learnt_elsewhere_leads_the_search() -> None:
    def distance(*, taught: bool) -> float:
        strategy = bayesian(ParameterSpace((Continuous("x", 0, 1),)), "Maximize", 0)
        for index in range(21 if taught else 0):
            strategy.learn({"x": str(index / 20), "other": "1"}, -abs(index / 20 - 0.8))
        proposals = [strategy.ask() for _ in range(5)]
        return statistics.mean(abs(float(p.values["x"]) - 0.8) for p in proposals if p)

    assert distance(taught=True) < distance(taught=False) / 2


@MAKERS
def test_points_to_try_first_come_first(make: Maker) -> None:
    strategy = make(MIXED, "Maximize", 0)
    wanted = [
        {"heads": "3", "dropout": "0.25", "type": "c"},
        {"heads": "8", "dropout": "0.5", "type": "a"},
    ]
    for values in wanted:
        strategy.try_first(values)
    with pytest.raises(ValueError, match="dropout"):
        strategy.try_first({"heads": "3", "type": "c"})
    first, second, third = (strategy.ask() for _ in range(3))
    assert first is not None
    assert second is not None
    assert third is not None
    assert [first.values, second.values] == wanted
    assert third.values not in wanted


def test_a_grid_is_walked_in_order_whatever_it_is_told() -> None:
    space = ParameterSpace((Categorical("a", ("1", "2")), Categorical("b", ("x", "y"))))
    grid = GridStrategy(space)
    found = []
    while (proposal := grid.ask()) is not None:
        found.append("".join(proposal.values.values()))
        grid.tell(proposal, None)
    assert found == ["1x", "1y", "2x", "2y"]
