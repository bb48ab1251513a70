"""Metrics as the job's own regular expressions find them."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from longspan.infra.local.control.api import ValidationError
from longspan.infra.local.control.documents import Documents, Key
from longspan.infra.local.jobs.metrics import JOB_METRICS as KIND
from longspan.infra.local.jobs.metrics import JobMetrics, Scraper
from longspan.training.loop.metrics import METRICS, metric_definitions, metrics_line


class CloudWatch:
    def __init__(self) -> None:
        self.sizes: list[int] = []

    def put_metric_data(self, Namespace: str, MetricData: list[object]) -> None:  # noqa: N803
        self.sizes.append(len(MetricData))


def test_values_come_in_the_order_of_the_log() -> None:
    scraper = Scraper([{"Name": "loss", "Regex": "loss=([0-9.e-]+)"}])
    found = list(scraper.scrape(["loss=2 loss=1e-3", "nothing", "loss=0.5"]))
    assert found == [("loss", 2.0), ("loss", 0.001), ("loss", 0.5)]


@pytest.mark.parametrize("pattern", ["loss=[0-9]+", "loss=([a-z]+)", "(x)?loss"])
def test_a_match_without_a_number_is_none(pattern: str) -> None:
    assert list(Scraper([{"Name": "loss", "Regex": pattern}]).scrape(["loss=abc loss=1"])) == []


@given(
    st.sampled_from(["nan", "-nan", "NaN", "inf", "-inf", "Infinity", "1e999", "-1e400"])
    | st.floats(min_value=2.0**361).map(repr)
)
def test_a_value_that_cloudwatch_refuses_is_left_out(word: str) -> None:
    scraper = Scraper([{"Name": "loss", "Regex": r"loss=(\S+)"}])
    assert list(scraper.scrape([f"loss={word} loss=0.5"])) == [("loss", 0.5)]


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


def test_a_pattern_that_is_none_is_named() -> None:
    with pytest.raises(ValidationError, match=r"loss=\(.*of the metric loss"):
        Scraper([{"Name": "loss", "Regex": "loss=("}])


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


@given(st.floats(min_value=-1e6, max_value=1e6, allow_nan=False))
def test_the_trainers_own_lines_are_found(value: float) -> None:
    for name in METRICS:
        found = dict(Scraper(metric_definitions()).scrape([metrics_line({name: value})]))
        assert set(found) == {name}
        assert found[name] == pytest.approx(value, rel=1e-4, abs=1e-4)
