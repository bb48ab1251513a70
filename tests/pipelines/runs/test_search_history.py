"""The jobs of a search, from the API's answers to the report."""

from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber

from longspan.pipelines.runs.search_history import search_history

NAME = "tune-1"
ARN = "arn:aws:sagemaker:eu-west-1:123456789012"


def summary(name, value=None, **tuned):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    job = {
        "TrainingJobName": name, "TrainingJobArn": f"{ARN}:training-job/{name}",
        "CreationTime": 0, "TrainingJobStatus": "Completed" if value is not None else "Failed",
        "TunedHyperParameters": tuned, "TrainingStartTime": start,
        "TrainingEndTime": start.replace(minute=2),
    }  # fmt: skip
    if value is not None:
        measured = {"MetricName": "validation:bleu_long", "Value": value}
        job["FinalHyperParameterTuningJobObjectiveMetric"] = measured
    return job


@pytest.fixture
def sagemaker():
    yield from stubbed("sagemaker")


@pytest.fixture
def logs():
    yield from stubbed("logs")


def stubbed(service):
    client = boto3.client(
        service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(client) as stubber:
        client.stubber = stubber
        yield client


def checkpoint(job, updates, bleu):
    line = f"checkpoint at update {updates}, epoch 0.05: train:loss=2 validation:bleu_long={bleu}"
    return {"logStreamName": f"{job}/algo-1-1", "message": f"{line} (best so far)"}


def search(sagemaker):
    """The answers about a search of two jobs, on two pages."""
    objective = {"Type": "Maximize", "MetricName": "validation:bleu_long"}
    sagemaker.stubber.add_response(
        "describe_hyper_parameter_tuning_job",
        {
            "HyperParameterTuningJobName": NAME,
            "HyperParameterTuningJobArn": f"{ARN}:hyper-parameter-tuning-job/x",
            "HyperParameterTuningJobConfig": {
                "Strategy": "Bayesian",
                "HyperParameterTuningJobObjective": objective,
                "ResourceLimits": {"MaxParallelTrainingJobs": 1},
            },
            "TrainingJobDefinition": {
                "StaticHyperParameters": {"max_num_batches": "300"},
                "AlgorithmSpecification": {"TrainingInputMode": "File"},
                "RoleArn": f"{ARN}:role/longspan-execution-role",
                "OutputDataConfig": {"S3OutputPath": "s3://bucket"},
                "StoppingCondition": {},
            },
            "HyperParameterTuningJobStatus": "Completed",
            "CreationTime": 0,
            "TrainingJobStatusCounters": {},
            "ObjectiveStatusCounters": {},
        },
        {"HyperParameterTuningJobName": NAME},
    )
    order = {
        "HyperParameterTuningJobName": NAME,
        "SortBy": "CreationTime",
        "SortOrder": "Ascending",
    }
    list_jobs = "list_training_jobs_for_hyper_parameter_tuning_job"
    first = {"TrainingJobSummaries": [summary("a", 1.5, attention_heads="2")], "NextToken": "t"}
    sagemaker.stubber.add_response(list_jobs, first, order)
    second = {"TrainingJobSummaries": [summary("b", attention_heads="4")]}
    sagemaker.stubber.add_response(list_jobs, second, order | {"NextToken": "t"})


QUESTION = {
    "logGroupName": "/aws/sagemaker/TrainingJobs",
    "logStreamNamePrefix": f"{NAME}-",
    "filterPattern": '"checkpoint at update"',
}


def test_all_jobs_of_all_pages_in_their_order_with_their_curves(sagemaker, logs):
    search(sagemaker)
    first = [checkpoint("a", 100, 0.5), checkpoint("b", 100, 0.25), {"message": "another"}]
    logs.stubber.add_response("filter_log_events", {"events": first, "nextToken": "t"}, QUESTION)
    # A spot machine was taken away: its updates from the last checkpoint on are done again.
    second = [checkpoint("a", 200, 1.5), checkpoint("a", 100, 0.5), checkpoint("a", 200, 1.5)]
    logs.stubber.add_response(
        "filter_log_events", {"events": second}, QUESTION | {"nextToken": "t"}
    )
    assert search_history(sagemaker, logs, NAME) == {
        "metric": "validation:bleu_long",
        "direction": "Maximize",
        "updates": 300,
        "jobs": [
            {
                "name": "a",
                "status": "Completed",
                "objective": 1.5,
                "hyperparameters": {"attention_heads": "2"},
                "seconds": 120.0,
                "updates": 200,
                "curve": [[100, 0.5], [200, 1.5]],
            },
            {
                "name": "b",
                "status": "Failed",
                "objective": None,
                "hyperparameters": {"attention_heads": "4"},
                "seconds": 120.0,
                "updates": 100,
                "curve": [[100, 0.25]],
            },
        ],
    }
    sagemaker.stubber.assert_no_pending_responses()
    logs.stubber.assert_no_pending_responses()


def test_a_role_that_may_not_read_logs_gets_the_jobs_without_curves(sagemaker, logs):
    search(sagemaker)
    logs.stubber.add_client_error("filter_log_events", "AccessDeniedException")
    jobs = search_history(sagemaker, logs, NAME)["jobs"]
    assert [(job["name"], job["updates"], job["curve"]) for job in jobs] == [
        ("a", None, []),
        ("b", None, []),
    ]
