"""What steps ask of SageMaker, beyond creating and describing."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from longspan.infra.local.control.clients import RoleClients
from longspan.infra.local.pipeline.definition.faults import StepFailure, invoking
from longspan.infra.local.pipeline.definition.resources import RESOURCES
from longspan.infra.local.pipeline.execution.makers import Maker


def refusal(message: str, code: str = "ValidationException", status: int = 400) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "Operation")


class Recorder:
    """A client whose answers are given by method; errors among them are raised."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def client(self, service: str) -> "Recorder":
        assert service == "sagemaker"
        return self

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            self.calls.append((method, request))
            answer = self._answers[method]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def maker(kind: str, recorder: Recorder) -> Maker:
    return Maker(cast(RoleClients, recorder), RESOURCES[kind])


@pytest.mark.parametrize(
    ("config", "order"),
    [
        ({"HyperParameterTuningJobObjective": {"Type": "Maximize"}}, "Descending"),
        ({"HyperParameterTuningJobObjective": {"Type": "Minimize"}}, "Ascending"),
        ({}, "Ascending"),
    ],
)
def test_a_tuning_jobs_properties_have_its_best_jobs_first(
    config: Mapping[str, Any], order: str
) -> None:
    job = {
        "HyperParameterTuningJobName": "tune",
        "HyperParameterTuningJobConfig": config,
        "TrainingJobDefinitions": [{"TuningObjective": {"Type": "Minimize"}}],
        "CreationTime": datetime(2026, 1, 2, tzinfo=UTC),
        "ResponseMetadata": {},
    }
    best = [{"TrainingJobName": "tune-002"}, {"TrainingJobName": "tune-001"}]
    recorder = Recorder(
        describe_hyper_parameter_tuning_job=job,
        list_training_jobs_for_hyper_parameter_tuning_job={"TrainingJobSummaries": best},
    )
    found = maker("Tuning", recorder).describe("arn:aws:sagemaker:hyper-parameter-tuning-job/tune")
    assert found["TrainingJobSummaries"] == best
    assert found["CreationTime"] == "2026-01-02T00:00:00+00:00"
    assert "ResponseMetadata" not in found
    assert recorder.calls[1][1] == {
        "HyperParameterTuningJobName": "tune",
        "SortBy": "FinalObjectiveMetricValue",
        "SortOrder": order,
        "MaxResults": 50,
    }


def test_a_group_of_model_packages_is_created_once() -> None:
    created = {"create_model_package": {"ModelPackageArn": "arn"}}
    there = Recorder(describe_model_package_group={}, **created)
    assert maker("RegisterModel", there).create({"ModelPackageGroupName": "g"}, "unused") == "arn"
    assert [method for method, _ in there.calls][1:] == ["create_model_package"]
    missing = Recorder(
        describe_model_package_group=refusal("Model Package Group g does not exist."),
        create_model_package_group=refusal("Model Package Group already exists: g"),
        **created,
    )
    assert maker("RegisterModel", missing).create({"ModelPackageGroupName": "g"}, "x") == "arn"
    assert [method for method, _ in missing.calls][1:] == [
        "create_model_package_group",
        "create_model_package",
    ]


def test_an_endpoint_that_is_there_is_updated() -> None:
    request = {"EndpointConfigName": "c", "Tags": []}
    new = Recorder(
        describe_endpoint=refusal('Could not find endpoint "e".'),
        create_endpoint={"EndpointArn": "arn"},
    )
    assert maker("Endpoint", new).create(request, "e") == "arn"
    assert new.calls[1] == ("create_endpoint", {**request, "EndpointName": "e"})
    old = Recorder(describe_endpoint={}, update_endpoint={"EndpointArn": "arn"})
    assert maker("Endpoint", old).create(request, "e") == "arn"
    assert old.calls[1] == ("update_endpoint", {"EndpointConfigName": "c", "EndpointName": "e"})


def test_a_job_that_has_ended_need_not_be_stopped() -> None:
    ended = Recorder(stop_training_job=refusal("The request was rejected because the job ended."))
    maker("Training", ended).stop("job")
    refused = Recorder(stop_training_job=refusal("not allowed", "AccessDeniedException"))
    with pytest.raises(StepFailure, match="Failed to invoke sagemaker:StopTrainingJob"):
        maker("Training", refused).stop("job")


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (refusal("Rate exceeded", "ThrottlingException"), "Step.THROTTLING"),
        (refusal("Rate exceeded"), "Step.THROTTLING"),
        (refusal("oh", "InternalFailure", 500), "Step.SERVICE_FAULT"),
        (refusal("oh", "ServiceUnavailable", 503), "Step.SERVICE_FAULT"),
        (EndpointConnectionError(endpoint_url="http://x"), "Step.SERVICE_FAULT"),
        (refusal("none left", "ResourceLimitExceeded"), "SageMaker.RESOURCE_LIMIT"),
        (refusal("none", "InsufficientCapacity"), "SageMaker.CAPACITY_ERROR"),
        (refusal("no"), ""),
    ],
)
def test_errors_of_the_api_are_faults_that_policies_name(error: Exception, fault: str) -> None:
    with pytest.raises(StepFailure, match="Failed to invoke sagemaker:X") as caught:  # noqa: SIM117
        with invoking("sagemaker:X"):
            raise error
    assert caught.value.fault == fault
