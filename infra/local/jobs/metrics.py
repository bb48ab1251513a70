"""Metrics of a training job: its values so far, in a document and in CloudWatch.

https://docs.aws.amazon.com/sagemaker/latest/dg/define-train-metrics.html
"""

import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from longspan.infra.local.control.api import Document
from longspan.infra.local.control.documents import Documents, Key, Missing

__all__ = ["JOB_METRICS", "JobMetrics"]

JOB_METRICS = "training-metrics"  # the kind of document
_NAMESPACE = "/aws/sagemaker/TrainingJobs"
_MOST_PER_REQUEST = 1000  # PutMetricData


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
