"""Executions over jobs that are functions: order, retries, stop, cache, selection, recovery."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from longspan.infra.local.control.api import (
    ApiError,
    Conflict,
    ResourceLimitExceeded,
    ResourceNotFound,
    ValidationError,
)
from tests.infra.local.pipeline.pipeline_client import (
    at_least,
    condition,
    definition,
    equals,
    fail,
    get,
    join,
    json_get,
    parameter,
)
from tests.infra.local.pipeline.stub_cloud import ROLE, Job, StubCloud

CACHE = {"Enabled": True, "ExpireAfter": "PT1H"}


class ThrottledError(ApiError):
    code = "ThrottlingException"


class BrokenError(ApiError):
    code, status = "InternalFailure", 500


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[StubCloud]:
    made = StubCloud(tmp_path)
    yield made
    made.close()


def step(name: str, *arguments: Any, **members: Any) -> dict[str, Any]:
    """A processing step; what it does is up to the stub."""
    specification: dict[str, Any] = {"ImageUri": "image"}
    if arguments:
        specification["ContainerArguments"] = list(arguments)
    request = {
        "RoleArn": ROLE,
        "AppSpecification": specification,
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            }
        },
        **members.pop("more", {}),
    }
    return {"Name": name, "Type": "Processing", "Arguments": request, **members}


def retries(*faults: str, attempts: int = 3) -> list[dict[str, Any]]:
    # The shortest pauses that a policy can have.
    return [{"ExceptionType": list(faults), "BackoffRate": 0.0, "MaxAttempts": attempts}]


def test_steps_run_in_their_order_and_those_that_can_at_once(cloud: StubCloud) -> None:
    both, order = threading.Barrier(2, timeout=180), []

    def meet(job: Job) -> None:
        order.append(job.step)
        both.wait()

    cloud.jobs.work = {"A": meet, "B": meet, "C": lambda job: order.append(job.step)}
    arn = cloud.run(
        definition(step("C", join(get("Steps.A.ProcessingJobName"))), step("A"), step("B")).replace(
            '"Name": "C",', '"Name": "C", "DependsOn": ["B"],'
        )
    )
    assert cloud.status(arn) == "Succeeded"
    assert sorted(order[:2]) == ["A", "B"]
    assert order[2:] == ["C"]
    jobs = {job.step: job for job in cloud.jobs.jobs.values()}
    assert jobs["C"].request["AppSpecification"]["ContainerArguments"] == [jobs["A"].name]
    found = cloud.steps(arn)
    assert found["A"]["Metadata"]["ProcessingJob"]["Arn"].endswith(jobs["A"].name)
    assert [one["AttemptCount"] for one in found.values()] == [1, 1, 1]


def test_no_more_steps_run_at_once_than_allowed(cloud: StubCloud) -> None:
    text = definition(*(step(f"S{number}") for number in range(6)))
    arn = cloud.run(text, ParallelismConfiguration={"MaxParallelExecutionSteps": 2})
    assert cloud.status(arn) == "Succeeded"
    assert cloud.jobs.most <= 2
    assert len(cloud.jobs.jobs) == 6


def test_the_limit_of_a_running_execution_can_be_raised(cloud: StubCloud) -> None:
    gate = threading.Event()
    cloud.jobs.work = {"A": lambda job: job.wait(gate), "B": lambda job: gate.set()}
    one = {"MaxParallelExecutionSteps": 1}
    arn = cloud.start(definition(step("A"), step("B")), ParallelismConfiguration=one)
    cloud.until(arn, "A", "Executing")
    assert "B" not in cloud.steps(arn)
    cloud.call(
        "UpdatePipelineExecution",
        PipelineExecutionArn=arn,
        PipelineExecutionDisplayName="wide",
        ParallelismConfiguration={"MaxParallelExecutionSteps": 2},
    )
    assert cloud.ended(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert cloud.ended(arn)["PipelineExecutionDisplayName"] == "wide"


def test_values_reach_the_jobs(cloud: StubCloud) -> None:
    cloud.clients.files["s3://b/out/report.json"] = {"gate": {"bleu": 21.5}}
    report = {"PropertyFileName": "Report", "OutputName": "report", "FilePath": "report.json"}
    output = {"S3Uri": get("Parameters.Out"), "LocalPath": "/r", "S3UploadMode": "EndOfJob"}
    outputs = {"Outputs": [{"OutputName": "report", "S3Output": output}]}
    arn = cloud.run(
        definition(
            step("Make", more={"ProcessingOutputConfig": outputs}, PropertyFiles=[report]),
            condition(
                "Gate",
                at_least(json_get("Make", "Report", "gate.bleu"), get("Parameters.Minimum")),
                then=[
                    step(
                        "Use",
                        get("Steps.Make.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri"),
                        join(json_get("Make", "Report", "gate.bleu")),
                        get("Execution.PipelineName"),
                        get("Execution.PipelineExecutionId"),
                        get("Execution.ProcessingJobName"),
                        get("Execution.StartDateTime"),
                    )
                ],
                otherwise=[fail("No")],
            ),
            parameters=[parameter("Out", "s3://b/out"), parameter("Minimum", 20, "Integer")],
        )
    )
    assert cloud.status(arn) == "Succeeded", cloud.steps(arn)
    job = list(cloud.jobs.jobs.values())[-1]
    assert job.request["AppSpecification"]["ContainerArguments"] == [
        "s3://b/out",
        "21.5",
        "pipe",
        arn.rsplit("/", 1)[-1],
        job.name,
        "1970-01-12T13:46:40.000Z",
    ]
    assert cloud.steps(arn)["Gate"]["Metadata"] == {"Condition": {"Outcome": "True"}}


def test_the_other_branch_fails_with_its_message(cloud: StubCloud) -> None:
    text = definition(
        condition(
            "Gate",
            at_least(get("Parameters.Bleu"), 20),
            then=[step("Yes")],
            otherwise=[fail("No", join("BLEU is ", get("Parameters.Bleu"), ", expected 20"))],
        ),
        step("After", DependsOn=["Yes"]),
        parameters=[parameter("Bleu", kind="Float")],
    )
    arn = cloud.run(text, {"Bleu": "19.5"})
    assert cloud.statuses(arn) == {"Gate": "Succeeded", "No": "Failed"}
    found = cloud.steps(arn)["No"]
    assert found["FailureReason"] == "BLEU is 19.5, expected 20"
    assert found["Metadata"] == {"Fail": {"ErrorMessage": "BLEU is 19.5, expected 20"}}
    reason = cloud.ended(arn)["FailureReason"]
    assert reason == ("Step failure: One or multiple steps failed. No: BLEU is 19.5, expected 20")
    assert cloud.statuses(cloud.run(text, {"Bleu": "20"})) == dict.fromkeys(
        ("Gate", "Yes", "After"), "Succeeded"
    )


def test_a_failed_job_fails_the_step_and_the_execution(cloud: StubCloud) -> None:
    def work(job: Job) -> None:
        raise RuntimeError("AlgorithmError: no pairs, exit code: 1")

    cloud.jobs.work = {"A": work}
    arn = cloud.run(definition(step("A"), step("B", DependsOn=["A"])))
    assert cloud.statuses(arn) == {"A": "Failed"}
    assert cloud.steps(arn)["A"]["FailureReason"] == "AlgorithmError: no pairs, exit code: 1"
    assert "A: AlgorithmError: no pairs" in cloud.ended(arn)["FailureReason"]


def test_after_a_failure_what_runs_ends_and_nothing_starts(cloud: StubCloud) -> None:
    gate = threading.Event()

    def break_down(job: Job) -> None:
        raise RuntimeError("AlgorithmError: broken")

    cloud.jobs.work = {"Bad": break_down, "Long": lambda job: job.wait(gate)}
    arn = cloud.start(definition(step("Long"), step("Bad"), step("Next", DependsOn=["Long"])))
    cloud.until(arn, "Bad", "Failed")
    assert cloud.status(arn) == "Executing"
    gate.set()
    cloud.ended(arn)
    assert cloud.statuses(arn) == {"Long": "Succeeded", "Bad": "Failed"}
    assert cloud.status(arn) == "Failed"


def test_a_step_can_wait_for_a_failure(cloud: StubCloud) -> None:
    def break_down(job: Job) -> None:
        raise RuntimeError("AlgorithmError: broken")

    cloud.jobs.work = {"Bad": break_down}
    tell = step("Tell", DependsOn=[{"Step": "Bad", "Trigger": "Failed"}])
    arn = cloud.run(definition(step("Bad"), tell))
    assert cloud.statuses(arn) == {"Bad": "Failed", "Tell": "Succeeded"}
    assert cloud.status(arn) == "CompletedWithFailures"


def test_throttling_is_waited_out(cloud: StubCloud) -> None:
    cloud.jobs.refusals = [ThrottledError("Rate exceeded")] * 2
    policy = retries("Step.THROTTLING")
    arn = cloud.run(definition(step("A", RetryPolicies=policy)))
    assert cloud.status(arn) == "Succeeded"
    assert not cloud.jobs.refusals


def test_throttling_and_server_errors_are_tried_again_unasked(cloud: StubCloud) -> None:
    cloud.jobs.refusals = [BrokenError("try again")]
    arn = cloud.run(definition(step("A")))
    assert cloud.status(arn) == "Succeeded"
    assert cloud.steps(arn)["A"]["AttemptCount"] == 1


def test_tries_end(cloud: StubCloud) -> None:
    cloud.jobs.refusals = [ResourceLimitExceeded("0 instances left")] * 9
    policy = retries("SageMaker.RESOURCE_LIMIT", attempts=2)
    arn = cloud.run(definition(step("A", RetryPolicies=policy)))
    assert cloud.steps(arn)["A"]["FailureReason"] == (
        "ClientError: Failed to invoke sagemaker:CreateProcessingJob. Error Details: 0 instances "
        "left (ResourceLimitExceeded)"
    )
    assert len(cloud.jobs.refusals) == 6


def test_a_refusal_that_no_policy_names_is_final(cloud: StubCloud) -> None:
    cloud.jobs.refusals = [ValidationError("no such image"), ValidationError("left")]
    policy = retries("Step.THROTTLING", "Step.SERVICE_FAULT")
    arn = cloud.run(definition(step("A", RetryPolicies=policy)))
    assert cloud.status(arn) == "Failed"
    assert len(cloud.jobs.refusals) == 1


def test_a_job_with_an_internal_error_is_started_again(cloud: StubCloud) -> None:
    tries = []

    def work(job: Job) -> None:
        tries.append(job.name)
        if len(tries) < 3:
            raise RuntimeError("InternalServerError: a machine went away")

    cloud.jobs.work = {"A": work}
    policy = retries("SageMaker.JOB_INTERNAL_ERROR")
    arn = cloud.run(definition(step("A", RetryPolicies=policy)))
    assert cloud.status(arn) == "Succeeded"
    assert len(set(tries)) == 3
    found = cloud.steps(arn)["A"]
    assert found["AttemptCount"] == 3
    assert found["Metadata"]["ProcessingJob"]["Arn"].endswith(tries[-1])


def test_stop_stops_jobs_and_starts_nothing_more(cloud: StubCloud) -> None:
    cloud.jobs.work = {"A": Job.pause}
    arn = cloud.start(definition(step("A"), step("B", DependsOn=["A"])))
    cloud.until(arn, "A", "Executing")
    cloud.stop(arn)
    assert cloud.ended(arn)["PipelineExecutionStatus"] == "Stopped"
    assert cloud.statuses(arn) == {"A": "Stopped"}
    with pytest.raises(Conflict, match="is in status 'Stopped'"):
        cloud.stop(arn)


def test_stop_ends_a_pause_between_tries(cloud: StubCloud) -> None:
    cloud.jobs.refusals = [ThrottledError("Rate exceeded")] * 9
    policy = [{"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 3600}]
    arn = cloud.start(definition(step("A", RetryPolicies=policy)))
    cloud.until(arn, "A", "Executing")
    cloud.stop(arn)
    assert cloud.ended(arn)["PipelineExecutionStatus"] == "Stopped"


def test_retry_runs_what_failed_and_what_had_not_run(cloud: StubCloud) -> None:
    broken = [True]

    def work(job: Job) -> None:
        if broken.pop():
            raise RuntimeError("AlgorithmError: broken")

    cloud.jobs.work = {"B": work}
    text = definition(
        step("A"),
        condition(
            "Gate", equals(get("Steps.A.ProcessingJobStatus"), "Completed"), then=[step("B")]
        ),
        step("C", get("Steps.A.ProcessingJobName"), DependsOn=["Gate"]),
    )
    arn = cloud.run(text)
    assert cloud.status(arn) == "Failed"
    broken[:] = [False]
    cloud.retry(arn)
    found = cloud.ended(arn)
    assert found["PipelineExecutionStatus"] == "Succeeded"
    assert "FailureReason" not in found
    assert cloud.jobs.count() == {"A": 1, "B": 2, "C": 1}
    assert list(cloud.statuses(arn)) == ["A", "Gate", "B", "C"]
    with pytest.raises(Conflict, match="Only pipeline executions with 'Failed' or 'Stopped'"):
        cloud.retry(arn)


def test_a_stopped_execution_can_be_retried(cloud: StubCloud) -> None:
    cloud.jobs.work = {"A": Job.pause}
    arn = cloud.start(definition(step("A")))
    cloud.until(arn, "A", "Executing")
    cloud.stop(arn)
    cloud.ended(arn)
    cloud.jobs.work = {}
    cloud.retry(arn)
    assert cloud.ended(arn)["PipelineExecutionStatus"] == "Succeeded"


def test_a_second_run_takes_the_results_of_the_first(cloud: StubCloud) -> None:
    text = definition(
        step("A", CacheConfig=CACHE),
        step("B", get("Steps.A.ProcessingJobName"), CacheConfig=CACHE),
        step("C"),
    )
    first, second, third = (cloud.run(text) for _ in range(3))
    assert cloud.jobs.count() == {"A": 1, "B": 1, "C": 3}
    for arn in (second, third):
        found = cloud.steps(arn)
        for name in ("A", "B"):
            hit = found[name]["CacheHitResult"]
            assert hit == {"SourcePipelineExecutionArn": first}
            assert found[name]["Metadata"] == cloud.steps(first)[name]["Metadata"]
            assert found[name]["StepStatus"] == "Succeeded"
        assert "CacheHitResult" not in found["C"]


def test_only_arguments_that_count_miss_the_cache(cloud: StubCloud) -> None:
    def text(argument: str, minutes: int) -> str:
        limit = {"StoppingCondition": {"MaxRuntimeInSeconds": 60 * minutes}}
        return definition(step("A", argument, more=limit, CacheConfig=CACHE))

    cloud.run(text("x", 1))
    cloud.run(text("x", 2))
    assert cloud.jobs.count() == {"A": 1}
    cloud.run(text("y", 2))
    assert cloud.jobs.count() == {"A": 2}


def test_results_expire_and_failures_are_not_taken(cloud: StubCloud) -> None:
    def work(job: Job) -> None:
        if len(cloud.jobs.jobs) == 1:
            raise RuntimeError("AlgorithmError: broken")

    cloud.jobs.work = {"A": work}
    text = definition(step("A", CacheConfig=CACHE))
    cloud.run(text)
    cloud.run(text)
    assert cloud.jobs.count() == {"A": 2}
    cloud.clock[0] += 3600
    cloud.run(text)
    assert cloud.jobs.count() == {"A": 2}
    # The age is that of the run, not of the last time that its result was taken.
    cloud.clock[0] += 1
    cloud.run(text)
    assert cloud.jobs.count() == {"A": 3}


def test_results_of_another_pipeline_are_not_taken(cloud: StubCloud) -> None:
    text = definition(step("A", CacheConfig=CACHE))
    cloud.run(text)
    cloud.create(text, "other")
    cloud.run(text, PipelineName="other")
    assert cloud.jobs.count() == {"A": 2}


def test_selected_steps_run_with_the_results_of_an_earlier_execution(cloud: StubCloud) -> None:
    text = definition(
        step("A"),
        step("B", get("Steps.A.ProcessingJobName")),
        step("C", get("Steps.B.ProcessingJobName")),
    )
    first = cloud.run(text)
    select = {"SourcePipelineExecutionArn": first, "SelectedSteps": [{"StepName": "B"}]}
    arn = cloud.run(text, SelectiveExecutionConfig=select)
    assert cloud.jobs.count() == {"A": 1, "B": 2, "C": 1}
    found = cloud.steps(arn)
    assert list(found) == ["A", "B"]
    assert found["A"]["SelectiveExecutionResult"] == {"SourcePipelineExecutionArn": first}
    assert "SelectiveExecutionResult" not in found["B"]
    assert cloud.ended(arn)["SelectiveExecutionConfig"] == select


@pytest.mark.parametrize(
    ("steps", "source", "words"),
    [
        ("B", False, r"SourcePipelineExecutionArn: null.*\['B'\] have dependencies on \['A'\]"),
        ("AC", True, r"\['B'\] are on the paths between"),
        ("X", True, r"\['X'\] are not in the pipeline"),
    ],
)
def test_a_wrong_selection_is_refused(
    cloud: StubCloud, steps: str, source: bool, words: str
) -> None:
    text = definition(step("A"), step("B", DependsOn=["A"]), step("C", DependsOn=["B"]))
    select: dict[str, Any] = {"SelectedSteps": [{"StepName": name} for name in steps]}
    if source:
        select["SourcePipelineExecutionArn"] = cloud.run(text)
    with pytest.raises(ValidationError, match=words):
        cloud.start(text, SelectiveExecutionConfig=select)


def test_a_source_must_have_done_what_is_needed(cloud: StubCloud) -> None:
    def work(job: Job) -> None:
        raise RuntimeError("AlgorithmError: broken")

    cloud.jobs.work = {"A": work}
    text = definition(step("A"), step("B", DependsOn=["A"]))
    failed = cloud.run(text)
    select = {"SourcePipelineExecutionArn": failed, "SelectedSteps": [{"StepName": "B"}]}
    with pytest.raises(ValidationError, match=r"the steps \['A'\] did not succeed"):
        cloud.start(text, SelectiveExecutionConfig=select)
    select["SourcePipelineExecutionArn"] = f"{failed}x"
    with pytest.raises(ValidationError, match="is not an execution of"):
        cloud.start(text, SelectiveExecutionConfig=select)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            condition("Gate", at_least(get("Parameters.Text"), 1)),
            "GreaterThanOrEqualTo compares two numbers or two strings, got 'abc' .string.",
        ),
        (
            condition("Gate", equals({"Std:JsonGet": {"S3Uri": "s3://b/no", "Path": "a"}}, 1)),
            "Failed to invoke s3:GetObject for s3://b/no. Error Details: The key does not exist",
        ),
        (
            condition("Gate", equals({"Std:JsonGet": {"S3Uri": "s3://b/a", "Path": "x"}}, 1)),
            "there is no x; there are: a",
        ),
        (
            condition(
                "Gate",
                equals({"Std:JsonGet": {"S3Uri": get("Parameters.Text"), "Path": "x"}}, 1),
            ),
            "expected s3://bucket/key, got abc",
        ),
    ],
)
def test_what_cannot_be_evaluated_fails_the_step(
    cloud: StubCloud, text: dict[str, Any], words: str
) -> None:
    cloud.clients.files["s3://b/a"] = {"a": 1}
    arn = cloud.run(definition(text, parameters=[parameter("Text", "abc")]))
    assert cloud.status(arn) == "Failed"
    found = cloud.steps(arn)["Gate"]
    assert found["StepStatus"] == "Failed"
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(found["FailureReason"])


def test_an_execution_ends_with_the_cloud_and_can_be_retried(tmp_path: Path) -> None:
    first = StubCloud(tmp_path, tmp_path / "state")
    first.jobs.work = {"B": Job.pause}
    arn = first.start(definition(step("A"), step("B", DependsOn=["A"])))
    first.until(arn, "B", "Executing")
    first.close()
    assert first.status(arn) == "Failed"
    second = StubCloud(tmp_path, tmp_path / "state")
    found = second.ended(arn)
    assert "the local cloud ended" in found["FailureReason"]
    assert second.statuses(arn) == {"A": "Succeeded", "B": "Failed"}
    second.retry(arn)
    assert second.ended(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert second.jobs.count() == {"B": 1}
    second.close()


def test_what_a_crash_left_running_has_failed(tmp_path: Path) -> None:
    first = StubCloud(tmp_path, tmp_path / "state")
    first.jobs.work = {"A": Job.pause}
    arn = first.start(definition(step("A")))
    first.until(arn, "A", "Executing")
    second = StubCloud(tmp_path, tmp_path / "state")  # without an end of the first
    assert second.status(arn) == "Failed"
    assert second.statuses(arn) == {"A": "Failed"}
    first.close()
    second.close()


def test_a_request_that_comes_again_starts_nothing(cloud: StubCloud) -> None:
    text, token = definition(step("A")), "t" * 32
    arn = cloud.run(text, ClientRequestToken=token)
    assert cloud.start(text, ClientRequestToken=token) == arn
    assert cloud.start(text) != arn


def test_executions_that_are_not_there_are_not_found(cloud: StubCloud) -> None:
    arn = f"{cloud.run(definition(step('A')))}x"
    for operation in ("DescribePipelineExecution", "ListPipelineExecutionSteps"):
        with pytest.raises(ResourceNotFound, match="does not exist"):
            cloud.call(operation, PipelineExecutionArn=arn)
