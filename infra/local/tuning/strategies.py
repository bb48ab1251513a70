"""Strategies that choose the next point: at random, by a grid, or by a model of the results.

Bayesian search uses Optuna's tree-structured Parzen estimator (Bergstra et al. 2011). It assumes
the worst value so far for jobs that still run, so that parallel jobs try different points.
Hyperband (Li et al. 2018) draws at random; `stopping` stops its jobs early.
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

# Random points before the first model: fewer results make a bad model, and jobs are few.
_RANDOM_FIRST = 5
# Draws of points that were tried already, before an untried point is chosen instead.
_MOST_DRAWS = 20


@dataclass(frozen=True)
class Proposal:
    """Point to try; `number` identifies it for the strategy that proposed it."""

    number: int
    values: Mapping[str, str]


class Strategy(Protocol):
    """Search strategy: it proposes points and learns from their results."""

    def ask(self) -> Proposal | None:
        """Return the next point, None when there is no other."""
        ...

    def tell(self, proposal: Proposal, objective: float | None) -> None:
        """Take the result of a point, None without a result."""
        ...

    def learn(self, values: Mapping[str, str], objective: float) -> None:
        """Take a result of another tuning job. Raises ValueError for a point outside the space."""
        ...

    def try_first(self, values: Mapping[str, str]) -> None:
        """Propose a point before all others. Raises ValueError for a point outside the space."""
        ...


class GridStrategy:
    """Strategy that proposes each point once, in the order of the ranges."""

    def __init__(self, space: ParameterSpace) -> None:
        self._space = space
        self._next = 0

    def ask(self) -> Proposal | None:
        """Return the next point, None after the last one."""
        if self._next >= (self._space.size or 0):
            return None
        number, self._next = self._next, self._next + 1
        return Proposal(number, self._space.point(number))

    def tell(self, proposal: Proposal, objective: float | None) -> None:
        """Do nothing."""

    def learn(self, values: Mapping[str, str], objective: float) -> None:
        """Do nothing."""

    def try_first(self, values: Mapping[str, str]) -> None:
        """Do nothing: every point is tried."""


class StudyStrategy:
    """Strategy by one of Optuna's samplers; proposes each point of a finite space at most once."""

    def __init__(
        self,
        space: ParameterSpace,
        sampler: optuna.samplers.BaseSampler,
        goal: str,
        seed: int | None = None,
    ) -> None:
        """`goal` is `Maximize` or `Minimize`; `seed` is for points that replace repeated ones."""
        # At the level INFO, Optuna reports every trial.
        logging.getLogger("optuna").setLevel(logging.WARNING)
        self._space = space
        self._study = optuna.create_study(
            direction="maximize" if goal == "Maximize" else "minimize",
            sampler=sampler,
        )
        self._trials: dict[int, optuna.Trial] = {}  # asked, and not told yet
        self._tried: set[tuple[str, ...]] = set()
        self._random = random.Random(seed)

    def ask(self) -> Proposal | None:
        """Return the next point, None when all were tried."""
        if len(self._tried) == self._space.size:
            return None
        trial, values = self._draw()
        for _ in range(_MOST_DRAWS):
            if tuple(values.values()) not in self._tried:
                return self._propose(trial, values)
            # Failed trials do not count in the model.
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
            trial, values = self._draw()
        if self._space.size is None:  # ranges so narrow that they hold few floating-point numbers
            return self._propose(trial, values)
        self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        # Through the queue and a draw, since `tell` needs a trial of the study.
        self._study.enqueue_trial(self._space.inner(self._untried(self._space.size)))
        return self._propose(*self._draw())

    def tell(self, proposal: Proposal, objective: float | None) -> None:
        """Take the result of a point; a point without a result is left out of the model."""
        trial = self._trials.pop(proposal.number)
        if objective is None:
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(trial, objective)

    def learn(self, values: Mapping[str, str], objective: float) -> None:
        """Take a result of another tuning job; its point may still be proposed."""
        self._study.add_trial(
            optuna.trial.create_trial(
                params=self._space.inner(values),
                distributions=self._space.distributions,
                value=objective,
            )
        )

    def try_first(self, values: Mapping[str, str]) -> None:
        """Propose a point before all others, in the order of these calls."""
        self._study.enqueue_trial(self._space.inner(values))

    def _propose(self, trial: optuna.Trial, values: dict[str, str]) -> Proposal:
        self._trials[trial.number] = trial
        self._tried.add(tuple(values.values()))
        return Proposal(trial.number, values)

    def _draw(self) -> tuple[optuna.Trial, dict[str, str]]:
        trial = self._study.ask(self._space.distributions)
        return trial, self._space.texts(trial.params)

    def _untried(self, size: int) -> dict[str, str]:
        """Return an untried point: a random one, or the next one after it."""
        # Ends: `ask` has found that fewer points were tried than the space has.
        index = self._random.randrange(size)
        while tuple((values := self._space.point(index % size)).values()) in self._tried:
            index += 1
        return values


def random_search(space: ParameterSpace, goal: str, seed: int | None) -> StudyStrategy:
    """Return a strategy that draws points at random, by the scaling of their ranges."""
    return StudyStrategy(space, optuna.samplers.RandomSampler(seed=seed), goal, seed)


def bayesian(space: ParameterSpace, goal: str, seed: int | None) -> StudyStrategy:
    """Return a strategy that draws points from a model of the results so far."""
    sampler = optuna.samplers.TPESampler(
        seed=seed, n_startup_trials=_RANDOM_FIRST, multivariate=True, constant_liar=True
    )
    return StudyStrategy(space, sampler, goal, seed)
