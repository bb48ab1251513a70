"""Metrics of a job: all values are kept and published, the last ones are the final ones."""

from typing import Any

from botocore.exceptions import ClientError

from longspan.infra.local.control.documents import Documents, Key
from longspan.infra.local.jobs.metrics import JOB_METRICS as KIND
from longspan.infra.local.jobs.metrics import JobMetrics


class CloudWatch:
    def __init__(self) -> None:
        self.sizes: list[int] = []

    def put_metric_data(self, Namespace: str, MetricData: list[object]) -> None:  # noqa: N803
        self.sizes.append(len(MetricData))


def test_metrics_are_kept_for_a_role_that_may_not_publish_them() -> None:
    asked = []

    class Denying:
        def put_metric_data(self, **request: Any) -> None:
            asked.append(request)
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutMetricData")

    metrics = JobMetrics(Documents(), Denying(), Key("training-job", "r", "job"), lambda: 1.0)
    metrics.add([("loss", 2.0)])
    metrics.add([("loss", 1.0)])
    assert [metric["Value"] for metric in metrics.final()] == [1.0]
    assert len(asked) == 1


def test_the_last_value_is_the_final_one() -> None:
    documents, cloudwatch = Documents(), CloudWatch()
    times = iter([1.0, 2.0])
    metrics = JobMetrics(
        documents, cloudwatch, Key("training-job", "r", "job"), lambda: next(times)
    )
    metrics.add([("loss", 2.0)] * 1500)
    metrics.add([("loss", 1.0), ("bleu", 30.0)])
    final = {m["MetricName"]: (m["Value"], m["Timestamp"]) for m in metrics.final()}
    assert final == {"loss": (1.0, 2.0), "bleu": (30.0, 2.0)}
    assert len(documents.get(Key(KIND, "r", "job"))["Metrics"]) == 1502
    assert cloudwatch.sizes == [1000, 500, 2]
