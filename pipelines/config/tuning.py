"""Section `tuning`: the search for hyperparameters, its strategy and its objective."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from longspan.pipelines.config.search_space import (
    DEFAULT_SPACE,
    Range,
    SearchSpaceSection,
    combinations,
)
from longspan.pipelines.config.section import ConfigSection
from longspan.training.loop.metrics import METRICS, OBJECTIVES
from longspan.training.mistakes import Mistake

__all__ = ["HyperbandSection", "TuningSection", "WarmStartSection"]

_DEFAULT_JOBS = 8

JobName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,31}$")]


def _default_space() -> dict[str, Any]:
    return {
        name: Range(**values) if isinstance(values, dict) else values
        for name, values in DEFAULT_SPACE.items()
    }


class WarmStartSection(ConfigSection):
    """Earlier tuning jobs that the search learns from."""

    parents: list[JobName] = Field(
        min_length=1,
        max_length=5,
        description="names of earlier tuning jobs",
        examples=[["an-earlier-tuning-job"]],
    )
    type: Literal["IdenticalDataAndAlgorithm", "TransferLearning"] = Field(
        "TransferLearning", description="identical: same data and image, ranges may change"
    )


class HyperbandSection(ConfigSection):
    """Resources of the strategy Hyperband, in checkpoints; a job reports the objective at each."""

    min_resource: int = Field(1, ge=1, description="checkpoints before a job may be stopped")
    max_resource: int = Field(
        ge=1, description="checkpoints of a whole job, after which it is stopped", examples=[9]
    )


class TuningSection(ConfigSection):
    """The search for hyperparameters: many training jobs; the best one gives the model."""

    strategy: Literal["Bayesian", "Random", "Grid", "Hyperband"] = Field(
        "Bayesian", description="how the next combination is chosen"
    )
    jobs: int | None = Field(
        None,
        ge=1,
        le=750,
        description="training jobs in all; left out: 8, for Grid all combinations",
        examples=[8],
    )
    parallel_jobs: int = Field(2, ge=1, le=100, description="training jobs at a time")
    early_stopping: bool = Field(
        False, description="stop jobs that are not promising; Hyperband always does that"
    )
    objective: str = Field("validation:bleu_long", description="the metric to tune for")
    direction: Literal["Maximize", "Minimize"] | None = Field(
        None,
        description="of the objective; left out: the one that fits the metric",
        examples=["Maximize"],
    )
    seed: int | None = Field(
        1, ge=0, le=2**31 - 1, description="seed of the search, which makes it repeatable"
    )
    max_runtime_minutes: int | None = Field(
        None,
        ge=2,
        le=43_200,
        description="limit of all jobs together; left out: only each job's own limit",
        examples=[600],
    )
    warm_start: WarmStartSection | None = Field(None, description="learn from earlier tuning jobs")
    hyperband: HyperbandSection | None = Field(None, description="only for the strategy Hyperband")
    search_space: SearchSpaceSection = Field(
        default_factory=_default_space,
        description="for each hyperparameter a list of values, or {min, max, scaling} for numbers",
    )

    @property
    def number_of_jobs(self) -> int:
        """Most training jobs: `jobs`, else the number of combinations for Grid, else 8."""
        if self.jobs is not None:
            return self.jobs
        total = combinations(self.search_space) if self.strategy == "Grid" else None
        # A grid with a range has no number of combinations; `_grid_mistakes` reports it.
        return total or _DEFAULT_JOBS

    @property
    def goal(self) -> str:
        """`Maximize` or `Minimize`."""
        return self.direction or METRICS[self.objective].goal

    def mistakes(self) -> Iterator[Mistake]:
        """Yield an unknown objective, and options that the strategy does not allow."""
        if self.objective not in OBJECTIVES:
            yield Mistake(
                ("objective",), f"expected one of {', '.join(OBJECTIVES)}, got {self.objective}"
            )
        elif self.goal != METRICS[self.objective].goal:
            yield Mistake(
                ("direction",),
                f"expected {METRICS[self.objective].goal} for {self.objective}, got {self.goal}",
            )
        if self.parallel_jobs > self.number_of_jobs:
            yield Mistake(
                ("parallel_jobs",),
                f"expected at most {self.number_of_jobs}, the number of jobs, "
                f"got {self.parallel_jobs}",
            )
        yield from self._strategy_mistakes()

    def _strategy_mistakes(self) -> Iterator[Mistake]:
        if self.strategy == "Grid":
            yield from self._grid_mistakes()
        if self.strategy == "Hyperband" and self.early_stopping:
            yield Mistake(
                ("early_stopping",), "Hyperband stops jobs itself; set false, or choose Bayesian"
            )
        if self.strategy == "Hyperband" and self.hyperband is None:
            yield Mistake(
                ("strategy",),
                "Hyperband needs the number of checkpoints of a whole job; set "
                "hyperband: {max_resource: NUMBER}",
            )
        if self.hyperband is not None and self.strategy != "Hyperband":
            yield Mistake(
                ("hyperband",), f"is for the strategy Hyperband, not {self.strategy}; leave it out"
            )
        elif self.hyperband is not None and self.hyperband.min_resource > (
            self.hyperband.max_resource
        ):
            yield Mistake(
                ("hyperband", "min_resource"),
                f"expected at most max_resource={self.hyperband.max_resource}, "
                f"got {self.hyperband.min_resource}",
            )

    def _grid_mistakes(self) -> Iterator[Mistake]:
        for name, values in self.search_space.items():
            if not isinstance(values, list):
                yield Mistake(
                    ("search_space", name), "expected a list of values for Grid, got a range"
                )
        total = combinations(self.search_space)
        if total is not None and self.jobs is not None and self.jobs != total:
            yield Mistake(
                ("jobs",),
                f"expected {total}, the number of combinations, for Grid, got {self.jobs}; "
                "leave jobs out",
            )
        if self.warm_start is not None:
            yield Mistake(("warm_start",), "Grid does not learn from earlier jobs; leave it out")
