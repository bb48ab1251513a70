"""What a run of the pipeline may cost on AWS: a range, from prices and the limits of the config.

High: every job runs up to its limit. Low: every job takes a tenth of its limit, spot machines
cost 30 %, and early stopping ends a third of the tuning jobs half way. What is neither: S3,
logs, and what AWS charges for failed tries.
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

# As AWS reckons a month.
MONTH_HOURS = 730

# Of its limit, what a job takes at least. Limits are set generously; ours are defaults.
LOW_SHARE = 0.1

# A third of the jobs, each stopped half way.
_EARLY_STOPPING_SHARE = 1 - 1 / 3 / 2


@dataclass(frozen=True)
class CostItem:
    """One line of the estimate: a step, dollars from `low` to `high`, machine hours likewise."""

    name: str
    low: float
    high: float
    note: str
    hours_low: float = 0.0
    hours_high: float = 0.0


@dataclass(frozen=True)
class CostRange:
    """US dollars of one run, and of an hour of the endpoint that it leaves behind."""

    items: tuple[CostItem, ...]
    endpoint_low: float
    endpoint_high: float
    missing: tuple[str, ...] = ()

    @property
    def low(self) -> float:
        """Of one run."""
        return sum(item.low for item in self.items)

    @property
    def high(self) -> float:
        """Of one run."""
        return sum(item.high for item in self.items)

    @property
    def endpoint_month(self) -> tuple[float, float]:
        """Of the endpoint for a month, from low to high."""
        return self.endpoint_low * MONTH_HOURS, self.endpoint_high * MONTH_HOURS

    def lines(self) -> Iterator[str]:
        """As a table, with the sum of it in words at its end."""
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
            text += f", and what {', '.join(self.missing)} costs (add it to prices)"
        return f"{text} (list prices of {PRICES_AS_OF}, us-east-1)"


@dataclass(frozen=True)
class BilledJobs:
    """Jobs of one kind, as they are billed."""

    name: str
    machine: str
    machines: int
    volume_gb: int
    minutes: float  # of all of them, one after the other, at most
    spot: bool = False
    low_share: float = LOW_SHARE
    note: str = "1 job"


def estimate(config: Config) -> CostRange:
    """The range of one run; a machine without a known price is left out and named in `missing`."""
    endpoint, missing = (0.0, 0.0), tuple[str, ...]()
    try:
        endpoint = endpoint_hour(config)
    except UnknownPriceError:
        missing = (config.endpoint.instance_type,)
    run = cost_of(_run_jobs(config), config)
    missing = tuple(dict.fromkeys((*run.missing, *missing)))
    return CostRange(run.items, *endpoint, missing)


def cost_of(jobs: Iterable[BilledJobs], config: Config) -> CostRange:
    """The range of these jobs alone, with the prices of the config."""
    items: list[CostItem] = []
    missing: list[str] = []
    for one in jobs:
        try:
            items.append(_item(one, config))
        except UnknownPriceError:
            missing.append(one.machine)
    return CostRange(tuple(items), 0.0, 0.0, tuple(dict.fromkeys(missing)))


def billed_preparation(config: Config, name: str, machines: int = 1) -> BilledJobs:
    """One, of `machines`."""
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
    """`jobs` of them, of `minutes` together."""
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
    """`jobs` of them."""
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
    """Of the pipeline, step by step."""
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
    """All jobs to their limits, or the tuning job's own limit where that ends them sooner."""
    tuning = config.tuning
    every = tuning.number_of_jobs * config.training.max_runtime_minutes
    if tuning.max_runtime_minutes is None:
        return every
    return min(every, tuning.max_runtime_minutes * tuning.parallel_jobs)


def _tuning_share(config: Config) -> float:
    stops_early = config.tuning.early_stopping or config.tuning.strategy == "Hyperband"
    return LOW_SHARE * (_EARLY_STOPPING_SHARE if stops_early else 1)


def _item(step: BilledJobs, config: Config) -> CostItem:
    hours = step.minutes / 60 * step.machines
    machine = price_of(step.machine, config.prices)
    disk = step.volume_gb * VOLUME_HOUR
    low = hours * step.low_share * (machine * (SPOT_SHARE if step.spot else 1) + disk)
    note = f"{step.note} on {step.machines} x {step.machine}"
    return CostItem(step.name, low, hours * (machine + disk), note, hours * step.low_share, hours)


def endpoint_hour(config: Config) -> tuple[float, float]:
    """Dollars an hour: machines whether they are used or not, serverless only for requests.

    Raises UnknownPriceError.
    """
    endpoint = config.endpoint
    if not endpoint.enabled:
        return 0.0, 0.0
    if endpoint.serverless is not None:
        second = endpoint.serverless.memory_mb / 1024 * SERVERLESS_SECOND
        return 0.0, endpoint.serverless.max_concurrency * second * 3600
    price = price_of(endpoint.instance_type, config.prices)
    if endpoint.autoscaling is None:
        return price * endpoint.instance_count, price * endpoint.instance_count
    scaling = endpoint.autoscaling
    return price * scaling.min_instances, price * scaling.max_instances


def _span(low: float, high: float) -> str:
    return f"${low:,.2f}" if low == high else f"${low:,.2f} to ${high:,.2f}"
