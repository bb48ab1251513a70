"""How the next point is chosen: at random, by a grid, by a model of the results so far.

Bayesian search is Optuna's tree-structured Parzen estimator (Bergstra et al. 2011), with the
worst value so far assumed for jobs that still run, so that parallel jobs spread. Hyperband draws
at random and stops jobs early (Li et al. 2018), which `stopping` does.
https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-how-it-works.html
"""

import logging
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import optuna

from longspan.infra.local.tuning.parameter_space import ParameterSpace

__all__ = ["GridStrategy", "Proposal", "Strategy", "StudyStrategy", "bayesian", "random_search"]

# A model of fewer results than these is worse than chance; jobs are few, so no more than these.
_RANDOM_FIRST = 5
# How often a sampler may repeat itself before a point that was not tried is taken instead.
_PATIENCE = 20


@dataclass(frozen=True)
class Proposal:
    """A point to try; `number` names it to the strategy that proposed it."""

    number: int
    values: Mapping[str, str]


class Strategy(Protocol):
    """Proposes points and learns from their results."""

    def ask(self) -> Proposal | None:
        """The next point; None when there is no other."""
        ...

    def tell(self, proposal: Proposal, objective: float | None) -> None:
        """The result of a point, None when there is none."""
        ...

    def learn(self, values: Mapping[str, str], objective: float) -> None:
        """A result from elsewhere. Raises ValueError for a point outside the space."""
        ...

    def try_first(self, values: Mapping[str, str]) -> None:
        """Propose this point before others. Raises ValueError for one outside the space."""
        ...


class GridStrategy:
    """Every point once, in the order of the ranges; learns nothing."""

    def __init__(self, space: ParameterSpace) -> None:
        self._space = space
        self._next = 0

    def ask(self) -> Proposal | None:
        """The next point; None after the last."""
        if self._next >= (self._space.size or 0):
            return None
        number, self._next = self._next, self._next + 1
        return Proposal(number, self._space.point(number))

    def tell(self, proposal: Proposal, objective: float | None) -> None:
        """Changes nothing."""

    def learn(self, values: Mapping[str, str], objective: float) -> None:
        """Changes nothing."""

    def try_first(self, values: Mapping[str, str]) -> None:
        """Changes nothing: every point is tried."""


class StudyStrategy:
    """A sampler of Optuna's, asked and told; never proposes a point twice in a finite space."""

    def __init__(
        self,
        space: ParameterSpace,
        sampler: optuna.samplers.BaseSampler,
        goal: str,
        seed: int | None = None,
    ) -> None:
        """`goal` is `Maximize` or `Minimize`; `seed` is for what the sampler does not choose."""
        logging.getLogger("optuna").setLevel(logging.WARNING)
        self._space = space
        self._study = optuna.create_study(
            direction="maximize" if goal == "Maximize" else "minimize",
            sampler=sampler,
        )
        self._trials: dict[int, optuna.Trial] = {}
        self._tried: set[tuple[str, ...]] = set()
        self._random = random.Random(seed)

    def ask(self) -> Proposal | None:
        """The next point; None when all were tried."""
        if len(self._tried) == self._space.size:
            return None
        trial, values = self._draw()
        for _ in range(_PATIENCE):
            if tuple(values.values()) not in self._tried:
                return self._propose(trial, values)
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
            trial, values = self._draw()
        if self._space.size is None:  # ranges so narrow that floating point repeats itself
            return self._propose(trial, values)
        self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        self._study.enqueue_trial(self._space.inner(self._untried(self._space.size)))
        return self._propose(*self._draw())

    def tell(self, proposal: Proposal, objective: float | None) -> None:
        """A point without a result is left out of the model."""
        trial = self._trials.pop(proposal.number)
        if objective is None:
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(trial, objective)

    def learn(self, values: Mapping[str, str], objective: float) -> None:
        """As if the point had been proposed here, but it may be proposed again."""
        self._study.add_trial(
            optuna.trial.create_trial(
                params=self._space.inner(values),
                distributions=self._space.distributions,
                value=objective,
            )
        )

    def try_first(self, values: Mapping[str, str]) -> None:
        """In the order of these calls."""
        self._study.enqueue_trial(self._space.inner(values))

    def _propose(self, trial: optuna.Trial, values: dict[str, str]) -> Proposal:
        self._trials[trial.number] = trial
        self._tried.add(tuple(values.values()))
        return Proposal(trial.number, values)

    def _draw(self) -> tuple[optuna.Trial, dict[str, str]]:
        trial = self._study.ask(self._space.distributions)
        return trial, self._space.texts(trial.params)

    def _untried(self, size: int) -> dict[str, str]:
        """A point at random of the `size` points, or the nearest after it that is left."""
        index = self._random.randrange(size)
        while tuple((values := self._space.point(index % size)).values()) in self._tried:
            index += 1
        return values


def random_search(space: ParameterSpace, goal: str, seed: int | None) -> StudyStrategy:
    """Every point as likely as its ranges' scaling says."""
    return StudyStrategy(space, optuna.samplers.RandomSampler(seed=seed), goal, seed)


def bayesian(space: ParameterSpace, goal: str, seed: int | None) -> StudyStrategy:
    """Points near the good ones, more of them the more results there are."""
    sampler = optuna.samplers.TPESampler(
        seed=seed, n_startup_trials=_RANDOM_FIRST, multivariate=True, constant_liar=True
    )
    return StudyStrategy(space, sampler, goal, seed)
