"""Metrics of a training job, extracted from its log by the job's regular expressions.

https://docs.aws.amazon.com/sagemaker/latest/dg/define-train-metrics.html
"""

import contextlib
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from longspan.infra.local.control.api import Document, ValidationError
from longspan.infra.local.control.documents import Documents, Key, Missing

__all__ = ["JOB_METRICS", "JobMetrics", "Scraper"]

JOB_METRICS = "training-metrics"  # the kind of document
_NAMESPACE = "/aws/sagemaker/TrainingJobs"
_MOST_PER_REQUEST = 1000  # PutMetricData
# CloudWatch has no larger values, and neither NaN nor infinity, which JSON cannot express either.
_LARGEST = 2.0**360


class Scraper:
    """Search for metrics in lines. Raises ValidationError for an invalid regular expression."""

    def __init__(self, definitions: Sequence[Mapping[str, str]]) -> None:
        self._patterns = [(d["Name"], _compiled(d)) for d in definitions]

    def scrape(self, lines: Iterable[str]) -> Iterator[tuple[str, float]]:
        """Yield name and value of each match, in the order of the log."""
        for line in lines:
            for name, pattern in self._patterns:
                for match in pattern.finditer(line):
                    value = _number(match)
                    if value is not None:
                        yield name, value


def _compiled(definition: Mapping[str, str]) -> "re.Pattern[str]":
    name, pattern = definition["Name"], definition["Regex"]
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValidationError(
            f"Invalid regex {pattern} of the metric {name}: {error}. Please provide a valid one."
        ) from None
    return compiled


def _number(match: "re.Match[str]") -> float | None:
    """Return the number in the first group; None without a group or a number of CloudWatch."""
    try:
        value = float(match.group(1))
    except (IndexError, TypeError, ValueError):
        return None
    # NaN fails every comparison.
    return value if abs(value) <= _LARGEST else None


class JobMetrics:
    """Metrics of one job, stored in a document and published in CloudWatch."""

    def __init__(
        self, documents: Documents, cloudwatch: Any, job: Key, now: Callable[[], float]
    ) -> None:
        self._documents = documents
        self._cloudwatch = cloudwatch
        self._job = job
        self._key = Key(JOB_METRICS, job.region, job.name)
        self._now = now
        self._denied = False
        with contextlib.suppress(Missing):  # metrics of a deleted job with this name
            documents.delete(self._key)
        documents.create(self._key, {"Metrics": []})

    def add(self, values: Iterable[tuple[str, float]]) -> None:
        """Store values, and publish them, as on AWS only if the role is allowed to."""
        time = self._now()
        new = [{"MetricName": name, "Value": value, "Timestamp": time} for name, value in values]
        if not new:
            return
        self._publish(new)
        self._documents.edit(self._key, lambda document: document["Metrics"].extend(new))

    def _publish(self, new: Sequence[Document]) -> None:
        dimensions = [{"Name": "TrainingJobName", "Value": self._job.name}]
        for start in range(0, len(new), _MOST_PER_REQUEST):
            data = [
                {**metric, "Dimensions": dimensions}
                for metric in new[start : start + _MOST_PER_REQUEST]
            ]
            try:
                if not self._denied:
                    self._cloudwatch.put_metric_data(Namespace=_NAMESPACE, MetricData=data)
            except (ClientError, BotoCoreError) as error:
                self._denied = True
                logging.getLogger(__name__).warning("no metrics of %s: %s", self._job.name, error)

    def final(self) -> list[Document]:
        """Return the last value of each metric: FinalMetricDataList."""
        # A later value replaces the earlier one of the same name.
        last = {m["MetricName"]: m for m in self._documents.get(self._key)["Metrics"]}
        return list(last.values())
