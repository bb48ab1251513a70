"""The cost of a pipeline run on AWS, as a range from prices and the config's limits of time.

High: every job runs up to its limit. Low: every job takes a tenth of its limit, spot machines
cost 30 %, and early stopping ends a third of the trials half way. S3, logs and failed attempts are
not included.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from longspan.pipelines.config.config import Config
from longspan.pipelines.estimate.prices import (
    PRICES_AS_OF,
    SERVERLESS_SECOND,
    SPOT_SHARE,
    VOLUME_HOUR,
    UnknownPriceError,
    price_of,
)
from longspan.training.tables import align_rows

__all__ = [
    "LOW_SHARE",
    "MONTH_HOURS",
    "BilledJobs",
    "CostItem",
    "CostRange",
    "billed_evaluation",
    "billed_preparation",
    "billed_training",
    "cost_of",
    "endpoint_hour",
    "estimate",
]

# AWS computes a month with this number of hours.
MONTH_HOURS = 730

# The share of its limit that a job takes at least; default limits are generous.
LOW_SHARE = 0.1

# Remaining share of the time if a third of the trials stop half way.
_EARLY_STOPPING_SHARE = 1 - 1 / 3 / 2


@dataclass(frozen=True)
class CostItem:
    """One line of the estimate: a step, and its range of dollars and of machine hours."""

    name: str
    low: float
    high: float
    note: str
    hours_low: float = 0.0
    hours_high: float = 0.0


@dataclass(frozen=True)
class CostRange:
    """US dollars of one run, and of its endpoint per hour.

    `missing` names types of machines without a price, which are not included.
    """

    items: tuple[CostItem, ...]
    endpoint_low: float
    endpoint_high: float
    missing: tuple[str, ...] = ()

    @property
    def low(self) -> float:
        """Lowest cost of one run."""
        return sum(item.low for item in self.items)

    @property
    def high(self) -> float:
        """Highest cost of one run."""
        return sum(item.high for item in self.items)

    @property
    def endpoint_month(self) -> tuple[float, float]:
        """Cost of the endpoint per month, from low to high."""
        return self.endpoint_low * MONTH_HOURS, self.endpoint_high * MONTH_HOURS

    def lines(self) -> Iterator[str]:
        """Yield the range as a table, with a summary as its last line."""
        rows = [("step", "machine hours", "dollars", "what")]
        for item in self.items:
            hours = f"{item.hours_low:.1f} to {item.hours_high:.1f}"
            rows.append((item.name, hours, _span(item.low, item.high), item.note))
        rows.append(("a run", "", _span(self.low, self.high), ""))
        if self.endpoint_high:
            rows.append(("endpoint, a month", "", _span(*self.endpoint_month), ""))
        yield from align_rows(rows, "<>><")
        yield f"\n{self}"

    def __str__(self) -> str:
        text = f"{_span(self.low, self.high)} a run"
        if self.endpoint_high:
            text += f", then {_span(self.endpoint_low, self.endpoint_high)} an hour of endpoint"
        if self.missing:
            text += f", without {', '.join(self.missing)} (no price known; add one to `prices`)"
        return f"{text} (list prices of {PRICES_AS_OF}, us-east-1)"


@dataclass(frozen=True)
class BilledJobs:
    """Jobs of one kind and the values that decide their cost."""

    name: str
    machine: str
    machines: int
    volume_gb: int
    minutes: float  # the most minutes of all jobs together
    spot: bool = False
    low_share: float = LOW_SHARE
    note: str = "1 job"


def estimate(config: Config) -> CostRange:
    """Return the range of one run of the config's pipeline, with its endpoint."""
    endpoint, missing = (0.0, 0.0), tuple[str, ...]()
    try:
        endpoint = endpoint_hour(config)
    except UnknownPriceError:
        missing = (config.endpoint.instance_type,)
    run = cost_of(_run_jobs(config), config)
    missing = tuple(dict.fromkeys((*run.missing, *missing)))
    return CostRange(run.items, *endpoint, missing)


def cost_of(jobs: Iterable[BilledJobs], config: Config) -> CostRange:
    """Return the range of these jobs without an endpoint, at the prices of the config."""
    items: list[CostItem] = []
    missing: list[str] = []
    for one in jobs:
        try:
            items.append(_item(one, config))
        except UnknownPriceError:
            missing.append(one.machine)
    return CostRange(tuple(items), 0.0, 0.0, tuple(dict.fromkeys(missing)))


def billed_preparation(config: Config, name: str, machines: int = 1) -> BilledJobs:
    """Return one preparation job of `machines` machines."""
    preparation = config.preparation
    return BilledJobs(
        name,
        preparation.instance_type,
        machines,
        preparation.volume_gb,
        preparation.max_runtime_minutes,
    )


def billed_training(
    config: Config, name: str, jobs: int, minutes: float, low_share: float = LOW_SHARE
) -> BilledJobs:
    """Return `jobs` training jobs that take at most `minutes` together."""
    training = config.training
    return BilledJobs(
        name,
        training.instance_type,
        training.instance_count,
        training.volume_gb,
        minutes,
        training.spot,
        low_share,
        _count(jobs) + (", spot" if training.spot else ""),
    )


def billed_evaluation(config: Config, name: str, jobs: int = 1) -> BilledJobs:
    """Return `jobs` evaluation jobs."""
    evaluation = config.evaluation
    return BilledJobs(
        name,
        evaluation.instance_type,
        1,
        evaluation.volume_gb,
        jobs * evaluation.max_runtime_minutes,
        note=_count(jobs),
    )


def _run_jobs(config: Config) -> Iterator[BilledJobs]:
    """Yield the jobs of the pipeline, step by step."""
    machines = config.preparation.instance_count
    if machines > 1:
        yield billed_preparation(config, "Collect", machines)
    yield billed_preparation(config, "Prepare")
    jobs = config.tuning.number_of_jobs
    yield billed_training(config, "Tune", jobs, _tuning_minutes(config), _tuning_share(config))
    if config.baseline.enabled:
        yield billed_training(config, "TrainBaseline", 1, config.training.max_runtime_minutes)
    yield billed_evaluation(config, "Evaluate")


def _count(jobs: int) -> str:
    return f"{jobs} job{'s' * (jobs > 1)}"


def _tuning_minutes(config: Config) -> float:
    """Return the most minutes of all trials: their own limits, or that of the whole search."""
    tuning = config.tuning
    every = tuning.number_of_jobs * config.training.max_runtime_minutes
    if tuning.max_runtime_minutes is None:
        return every
    # Within the limit of the search, so many trials run side by side all the time.
    return min(every, tuning.max_runtime_minutes * tuning.parallel_jobs)


def _tuning_share(config: Config) -> float:
    stops_early = config.tuning.early_stopping or config.tuning.strategy == "Hyperband"
    return LOW_SHARE * (_EARLY_STOPPING_SHARE if stops_early else 1)


def _item(step: BilledJobs, config: Config) -> CostItem:
    # Highest: every job runs to its limit, on demand. Lowest: a share of it, at the spot price.
    hours = step.minutes / 60 * step.machines
    machine = price_of(step.machine, config.prices)
    disk = step.volume_gb * VOLUME_HOUR
    low = hours * step.low_share * (machine * (SPOT_SHARE if step.spot else 1) + disk)
    note = f"{step.note} on {step.machines} x {step.machine}"
    return CostItem(step.name, low, hours * (machine + disk), note, hours * step.low_share, hours)


def endpoint_hour(config: Config) -> tuple[float, float]:
    """Return the lowest and highest dollars per hour of the endpoint.

    Machines cost the same with and without requests; serverless costs only for requests. Raises
    UnknownPriceError.
    """
    endpoint = config.endpoint
    if not endpoint.enabled:
        return 0.0, 0.0
    if endpoint.serverless is not None:
        # Dollars for one second of one request.
        second = endpoint.serverless.memory_mb / 1024 * SERVERLESS_SECOND
        return 0.0, endpoint.serverless.max_concurrency * second * 3600
    price = price_of(endpoint.instance_type, config.prices)
    if endpoint.autoscaling is None:
        return price * endpoint.instance_count, price * endpoint.instance_count
    scaling = endpoint.autoscaling
    return price * scaling.min_instances, price * scaling.max_instances


def _span(low: float, high: float) -> str:
    return f"${low:,.2f}" if low == high else f"${low:,.2f} to ${high:,.2f}"
