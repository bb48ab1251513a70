"""The jobs of a search, from the API's answers to the report."""

import boto3
import pytest
from botocore.stub import Stubber

from longspan.pipelines.search_history import search_history

NAME = "tune-1"
ARN = "arn:aws:sagemaker:eu-west-1:123456789012"


def summary(name, value=None, **tuned):
    job = {
        "TrainingJobName": name, "TrainingJobArn": f"{ARN}:training-job/{name}",
        "CreationTime": 0, "TrainingJobStatus": "Completed" if value is not None else "Failed",
        "TunedHyperParameters": tuned,
    }  # fmt: skip
    if value is not None:
        measured = {"MetricName": "validation:bleu_long", "Value": value}
        job["FinalHyperParameterTuningJobObjectiveMetric"] = measured
    return job


@pytest.fixture
def sagemaker():
    client = boto3.client(
        "sagemaker", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(client) as stubber:
        client.stubber = stubber
        yield client


def test_all_jobs_of_all_pages_in_their_order(sagemaker):
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
    assert search_history(sagemaker, NAME) == {
        "metric": "validation:bleu_long",
        "direction": "Maximize",
        "jobs": [
            {
                "name": "a",
                "status": "Completed",
                "objective": 1.5,
                "hyperparameters": {"attention_heads": "2"},
            },
            {
                "name": "b",
                "status": "Failed",
                "objective": None,
                "hyperparameters": {"attention_heads": "4"},
            },
        ],
    }
    sagemaker.stubber.assert_no_pending_responses()
