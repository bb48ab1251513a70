"""Cost before a run, from the config, and after it, from billable seconds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from longspan.pipelines.config import parse_config, template
from longspan.pipelines.estimate.cost import MONTH_HOURS, estimate
from longspan.pipelines.estimate.prices import PRICES, VOLUME_HOUR
from longspan.pipelines.runs.bill import bill
from longspan.pipelines.runs.execution import ExecutionState, StepState

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ARN = "arn:aws:sagemaker:us-east-1:1:"


class SageMaker:
    """Jobs as they are described."""

    def describe_processing_job(self, ProcessingJobName: str) -> dict[str, Any]:  # noqa: N803
        cluster = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 3, "VolumeSizeInGB": 30}
        return {
            "ProcessingResources": {"ClusterConfig": cluster},
            "ProcessingStartTime": NOW - timedelta(hours=2),
            "ProcessingEndTime": None if ProcessingJobName == "runs" else NOW - timedelta(hours=1),
        }

    def describe_training_job(self, TrainingJobName: str) -> dict[str, Any]:  # noqa: N803
        machine = "ml.new.large" if TrainingJobName == "new" else "ml.g5.xlarge"
        return {
            "ResourceConfig": {"InstanceType": machine, "InstanceCount": 2, "VolumeSizeInGB": 50},
            "TrainingTimeInSeconds": 3600,
            "BillableTimeInSeconds": 1080,
        }

    def get_paginator(self, name: str) -> Any:
        assert name == "list_training_jobs_for_hyper_parameter_tuning_job"
        return self

    def paginate(self, **_: str) -> Any:
        return [{"TrainingJobSummaries": [{"TrainingJobName": n} for n in ("a", "b")]}] * 2


def step(name: str, kind: str, job: str = "x", cached: bool = False) -> StepState:
    return StepState(name, "Succeeded", resource=f"{ARN}{kind}/{job}", cached=cached)


def billed(*steps: StepState, prices: dict[str, float] | None = None) -> Any:
    state = ExecutionState(ARN, "Succeeded", "", steps)
    return bill(SageMaker(), state, prices or {}, NOW)


def test_machines_count_and_so_does_the_disk():
    result = billed(step("Prepare", "processing-job"))
    [prepare] = result.steps
    assert (prepare.jobs, prepare.hours, prepare.saved_hours) == (1, 3.0, 0.0)
    assert result.dollars == pytest.approx(3 * (PRICES["ml.m5.xlarge"] + 30 * VOLUME_HOUR))


def test_spot_is_billed_by_sagemakers_own_count():
    [train] = billed(step("TrainBaseline", "training-job")).steps
    assert train.hours == pytest.approx(2 * 0.3)
    assert train.saved_hours == pytest.approx(2 * 0.7)


def test_every_job_of_a_search_is_billed():
    [tune] = billed(step("Tune", "hyper-parameter-tuning-job")).steps
    assert (tune.jobs, tune.hours) == (4, pytest.approx(4 * 2 * 0.3))


def test_cached_steps_and_steps_without_jobs_cost_nothing():
    result = billed(step("Prepare", "processing-job", cached=True), step("Register", "model"))
    assert result.steps == ()
    assert result.dollars == 0


def test_a_job_that_runs_is_billed_until_now():
    [prepare] = billed(step("Prepare", "processing-job", "runs")).steps
    assert prepare.hours == 6.0


def test_a_machine_without_a_price_is_named_and_can_be_given_one():
    new = step("TrainBaseline", "training-job", "new")
    assert billed(new).missing == ("ml.new.large",)
    assert billed(new).dollars == 0
    assert billed(new, prices={"ml.new.large": 10.0}).dollars > 6


def test_the_estimate_has_hours_and_a_month_of_endpoint():
    cost = estimate(parse_config(template(), "the template"))
    for item in cost.items:
        assert 0 < item.hours_low < item.hours_high
    low, high = cost.endpoint_month
    assert (low, high) == (cost.endpoint_low * MONTH_HOURS, cost.endpoint_high * MONTH_HOURS)


def test_prices_of_the_config_replace_the_tables():
    config = parse_config(template(), "the template")
    doubled = {name: 2 * price for name, price in PRICES.items()}
    assert (
        estimate(config.model_copy(update={"prices": doubled})).high > 1.8 * estimate(config).high
    )
