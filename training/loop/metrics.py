"""Metric names, the text that prints a metric and the regular expression that reads it.

All three follow from one table. `metric_definitions` returns SageMaker's `MetricDefinitions`:
https://docs.aws.amazon.com/sagemaker/latest/dg/define-train-metrics.html
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = [
    "CHECKPOINT",
    "METRICS",
    "OBJECTIVES",
    "Metric",
    "metric_definitions",
    "metrics_line",
    "parse_checkpoint",
]

# Begin of the line about a checkpoint, before its updates and its metrics.
CHECKPOINT = "checkpoint at update"

_NUMBER = r"(-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)"


@dataclass(frozen=True)
class Metric:
    """One number that a job prints."""

    name: str
    digits: int  # significant digits, as printed
    goal: str  # of a tuner: Minimize | Maximize
    meaning: str

    @property
    def regex(self) -> str:
        """A regular expression for this metric's text in a line; group 1 is the value."""
        # From the start of a word, so that a longer name with the same end does not match.
        return rf"(?:^|\s){re.escape(self.name)}={_NUMBER}"

    def text(self, value: float) -> str:
        """Return `name=value`. Raises ValueError for a value that is not finite."""
        if not math.isfinite(value):
            raise ValueError(f"{self.name}: expected a finite number, got {value}")
        return f"{self.name}={value:.{self.digits}g}"


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("train:loss", 6, "Minimize", "nats per target token, since the previous line"),
        Metric("train:perplexity", 6, "Minimize", "exp of train:loss"),
        Metric("train:accuracy", 5, "Maximize", "share of target tokens ranked first"),
        Metric("train:tokens_per_second", 6, "Maximize", "target tokens, padding not counted"),
        Metric("train:learning_rate", 6, "Minimize", "of the last update"),
        Metric("validation:loss", 6, "Minimize", "nats per target token"),
        Metric("validation:perplexity", 6, "Minimize", "exp of validation:loss"),
        Metric("validation:accuracy", 5, "Maximize", "share of target tokens ranked first"),
        Metric("validation:bleu", 5, "Maximize", "greedy search on validation"),
        Metric("validation:bleu_long", 5, "Maximize", "greedy search on its long part"),
    )
}

# The metrics that a tuner may optimise: the values of `optimized_metric`, of validation.
OBJECTIVES = tuple(f"validation:{name}" for name in ("perplexity", "accuracy", "bleu", "bleu_long"))


def metrics_line(values: Mapping[str, float]) -> str:
    """Return the metrics as one line. Raises KeyError for a name that is not in `METRICS`."""
    return " ".join(METRICS[name].text(value) for name, value in values.items())


def parse_checkpoint(line: str) -> tuple[int, dict[str, float]] | None:
    """Read updates and metrics from the line about a checkpoint; None for any other line."""
    found = re.match(rf"{CHECKPOINT} ([0-9]+),", line)
    return None if found is None else (int(found.group(1)), _parse_metrics(line))


def metric_definitions() -> list[dict[str, str]]:
    """Return SageMaker's `MetricDefinitions`: `{"Name": ..., "Regex": ...}` for each metric."""
    return [{"Name": metric.name, "Regex": metric.regex} for metric in METRICS.values()]


def _parse_metrics(line: str) -> dict[str, float]:
    """Read all metrics of a line."""
    found = {name: re.search(metric.regex, line) for name, metric in METRICS.items()}
    return {name: float(match.group(1)) for name, match in found.items() if match}
