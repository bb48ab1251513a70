"""Pipelines over real jobs, models and endpoints, by unmodified boto3."""

import io
import json
import os
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.local.pipeline.pipeline_client import (
    PipelineClient,
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

REPORT = (
    "import json, pathlib, sys\n"
    "folder = pathlib.Path('/opt/ml/processing/output/report')\n"
    "(folder / 'report.json').write_text(json.dumps({'gate': {'bleu': 21.5}}))\n"
)
PROPERTY_FILE = {"PropertyFileName": "Report", "OutputName": "report", "FilePath": "report.json"}
SLEEP = "import pathlib, os, time; print(os.getpid(), flush=True); time.sleep(600)"
# Its model is what `tiny_server.py` serves.
TRAIN = (
    "import json, os, pathlib\n"
    "base = pathlib.Path('/opt/ml')\n"
    "parameters = json.loads((base / 'input/config/hyperparameters.json').read_text())\n"
    "(base / 'model').mkdir(exist_ok=True)\n"
    "(base / 'model/tiny.json').write_text(json.dumps({'name': parameters['name']}))\n"
)
VARIANT = {
    "VariantName": "all",
    "InstanceType": "ml.m5.large",
    "InitialInstanceCount": 1,
}


@pytest.fixture(scope="module")
def pipeline_client(tiny_cloud: Any) -> PipelineClient:
    return PipelineClient(tiny_cloud, tiny_cloud.client("sagemaker"), tiny_cloud.client("s3"))


def refusal(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def train(
    pipeline_client: PipelineClient, name: str, script: str = TRAIN, **members: Any
) -> dict[str, Any]:
    arguments = {
        "RoleArn": pipeline_client.cloud.role,
        "AlgorithmSpecification": {
            "TrainingImage": "image",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": pipeline_client.program(script),
        },
        "HyperParameters": {"name": get("Parameters.Name")},
        "OutputDataConfig": {"S3OutputPath": pipeline_client.uri("models")},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }
    return {"Name": name, "Type": "Training", "Arguments": arguments, **members}


def deployment(pipeline_client: PipelineClient, endpoint: str) -> list[dict[str, Any]]:
    """From a trained model to an endpoint, past the registry."""
    model = {"Image": "image", "ModelDataUrl": get("Steps.Train.ModelArtifacts.S3ModelArtifacts")}
    register = {
        "ModelPackageGroupName": endpoint,
        "ModelApprovalStatus": "Approved",
        "InferenceSpecification": {
            "Containers": [model],
            "SupportedContentTypes": ["text/plain"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    }
    package = {"ModelPackageName": get("Steps.Register.ModelPackageArn")}
    config = {
        "EndpointConfigName": join(endpoint, get("Execution.PipelineExecutionId"), on="-"),
        "ProductionVariants": [{**VARIANT, "ModelName": get("Steps.CreateModel.ModelName")}],
    }
    served = {
        "EndpointName": endpoint,
        "EndpointConfigName": get("Steps.Config.EndpointConfigName"),
    }
    return [
        train(pipeline_client, "Train"),
        {"Name": "Register", "Type": "RegisterModel", "Arguments": register},
        {
            "Name": "CreateModel",
            "Type": "Model",
            "Arguments": {
                "ExecutionRoleArn": pipeline_client.cloud.role,
                "PrimaryContainer": package,
            },
        },
        {"Name": "Config", "Type": "EndpointConfig", "Arguments": config},
        {"Name": "Serve", "Type": "Endpoint", "Arguments": served},
    ]


def test_data_flow_from_step_to_step(pipeline_client: PipelineClient) -> None:
    read = (
        "import pathlib, sys\n"
        "found = pathlib.Path('/opt/ml/processing/input/report/report.json').read_text()\n"
        "sys.exit(found != sys.argv[1])"
    )
    source = get("Steps.Make.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri")
    given = {
        "InputName": "report",
        "S3Input": {
            "S3Uri": source,
            "LocalPath": "/opt/ml/processing/input/report",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        },
    }
    specification = {
        "ImageUri": "image",
        "ContainerEntrypoint": pipeline_client.program(read),
        "ContainerArguments": [get("Parameters.Expected")],
    }
    use = pipeline_client.process(
        "Use", read, arguments={"AppSpecification": specification, "ProcessingInputs": [given]}
    )
    arn = pipeline_client.run(
        definition(
            use,
            pipeline_client.process("Make", REPORT, outputs=["report"]),
            parameters=[parameter("Expected", json.dumps({"gate": {"bleu": 21.5}}))],
        )
    )
    assert pipeline_client.statuses(arn) == {"Make": "Succeeded", "Use": "Succeeded"}, (
        pipeline_client.steps(arn)
    )
    step = pipeline_client.steps(arn)["Make"]
    job = step["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
    assert job.startswith(f"pipelines-{arn.rsplit('/', 1)[-1]}-Make-")
    assert step["StartTime"] <= step["EndTime"]
    found = pipeline_client.sagemaker.describe_processing_job(ProcessingJobName=job)
    assert found["ProcessingJobStatus"] == "Completed"


def test_a_gate_lets_through_or_fails(pipeline_client: PipelineClient) -> None:
    bleu = json_get("Make", "Report", "gate.bleu")
    text = definition(
        pipeline_client.process("Make", REPORT, outputs=["report"], PropertyFiles=[PROPERTY_FILE]),
        condition(
            "Gate",
            at_least(bleu, get("Parameters.Minimum")),
            then=[pipeline_client.process("Yes", "print('yes')")],
            otherwise=[fail("No", join("BLEU ", bleu, " < ", get("Parameters.Minimum")))],
        ),
        parameters=[parameter("Minimum", 20.0, "Float")],
    )
    pipeline = pipeline_client.create(text)
    arn = pipeline_client.start(pipeline)
    assert pipeline_client.ended(arn)["PipelineExecutionStatus"] == "Succeeded", (
        pipeline_client.steps(arn)
    )
    assert list(pipeline_client.steps(arn)) == ["Make", "Gate", "Yes"]
    arn = pipeline_client.start(pipeline, {"Minimum": "22"})
    found = pipeline_client.ended(arn)
    assert found["PipelineExecutionStatus"] == "Failed"
    assert found["FailureReason"].endswith("No: BLEU 21.5 < 22.0")
    assert pipeline_client.steps(arn)["Gate"]["Metadata"]["Condition"]["Outcome"] == "False"
    listed = pipeline_client.sagemaker.list_pipeline_parameters_for_execution(
        PipelineExecutionArn=arn
    )
    assert listed["PipelineParameters"] == [{"Name": "Minimum", "Value": "22.0"}]


def test_a_model_goes_through_the_registry_to_an_endpoint(pipeline_client: PipelineClient) -> None:
    endpoint = pipeline_client.name("endpoint")
    text = definition(*deployment(pipeline_client, endpoint), parameters=[parameter("Name")])
    pipeline = pipeline_client.create(text)
    runtime = pipeline_client.cloud.client("sagemaker-runtime")
    for name in ("first", "second"):  # the second one updates
        arn = pipeline_client.start(pipeline, {"Name": name})
        assert pipeline_client.ended(arn)["PipelineExecutionStatus"] == "Succeeded", (
            pipeline_client.steps(arn)
        )
        assert list(pipeline_client.steps(arn)) == [
            "Train",
            "Register",
            "CreateModel",
            "Config",
            "Serve",
        ]
        answer = runtime.invoke_endpoint(
            EndpointName=endpoint, Body=b"hello", ContentType="text/plain"
        )
        assert json.loads(answer["Body"].read())["model"] == name
    metadata = {name: step["Metadata"] for name, step in pipeline_client.steps(arn).items()}
    described = pipeline_client.sagemaker.describe_endpoint(EndpointName=endpoint)
    assert metadata["Serve"]["Endpoint"]["Arn"] == described["EndpointArn"]
    assert metadata["Config"]["EndpointConfig"]["Arn"].endswith(described["EndpointConfigName"])
    assert metadata["Register"]["RegisterModel"]["Arn"].endswith(f"/{endpoint}/2")
    assert (
        f"pipelines-{arn.rsplit('/', 1)[-1]}-CreateModel-"
        in metadata["CreateModel"]["Model"]["Arn"]
    )
    pipeline_client.sagemaker.delete_endpoint(EndpointName=endpoint)


def test_a_model_transforms_what_a_step_made(pipeline_client: PipelineClient) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("tiny.json")
        member.size = len(b'{"name": "echo"}')
        tar.addfile(member, io.BytesIO(b'{"name": "echo"}'))
    uri = pipeline_client.put("echo/model.tar.gz", packed.getvalue())
    lines = get("Steps.Make.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri")
    source = {"S3DataType": "S3Prefix", "S3Uri": lines}
    model = {
        "Name": "CreateModel",
        "Type": "Model",
        "Arguments": {
            "ExecutionRoleArn": pipeline_client.cloud.role,
            "PrimaryContainer": {"Image": "image", "ModelDataUrl": uri},
        },
    }
    transform = {
        "Name": "Transform",
        "Type": "Transform",
        "Arguments": {
            "ModelName": get("Steps.CreateModel.ModelName"),
            "TransformInput": {"DataSource": {"S3DataSource": source}},
            "TransformOutput": {"S3OutputPath": pipeline_client.uri("transformed")},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        },
    }
    made = pipeline_client.process("Make", REPORT, outputs=["report"])
    arn = pipeline_client.run(definition(made, model, transform))
    assert pipeline_client.describe(arn)["PipelineExecutionStatus"] == "Succeeded", (
        pipeline_client.steps(arn)
    )
    assert (
        "transform-job/pipelines-"
        in pipeline_client.steps(arn)["Transform"]["Metadata"]["TransformJob"]["Arn"]
    )
    body = pipeline_client.s3.get_object(
        Bucket=pipeline_client.cloud.bucket, Key="transformed/report.json.out"
    )["Body"]
    assert json.loads(body.read())["model"] == "echo"


def test_an_endpoint_whose_update_fails_fails_the_step(pipeline_client: PipelineClient) -> None:
    endpoint = pipeline_client.name("endpoint")
    train_, *rest = deployment(pipeline_client, endpoint)
    pipeline = pipeline_client.create(definition(train_, *rest, parameters=[parameter("Name")]))
    arn = pipeline_client.start(pipeline, {"Name": "good"})
    assert pipeline_client.ended(arn)["PipelineExecutionStatus"] == "Succeeded", (
        pipeline_client.steps(arn)
    )
    broken = TRAIN.replace("parameters['name']}", "parameters['name'], 'exit': 3}")
    pipeline_client.update(
        pipeline,
        definition(train(pipeline_client, "Train", broken), *rest, parameters=[parameter("Name")]),
    )
    arn = pipeline_client.start(pipeline, {"Name": "bad"})
    found = pipeline_client.ended(arn)
    assert found["PipelineExecutionStatus"] == "Failed"
    assert "Serve: The update failed and was rolled back" in found["FailureReason"]
    assert (
        pipeline_client.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"]
        == "InService"
    )
    pipeline_client.sagemaker.delete_endpoint(EndpointName=endpoint)


def test_a_failed_job_tells_why_and_a_retry_goes_on(pipeline_client: PipelineClient) -> None:
    script = (
        "import pathlib, sys\n"
        "pathlib.Path('/opt/ml/output/message').write_text('pairs.tsv:3: two columns')\n"
        f"sys.exit(not pathlib.Path('{pipeline_client.cloud.directory}/repaired').exists())"
    )
    text = definition(
        pipeline_client.process("First", "print('once')"),
        pipeline_client.process("Second", script, DependsOn=["First"]),
        pipeline_client.process("Third", "print('last')", DependsOn=["Second"]),
    )
    arn = pipeline_client.run(text)
    assert pipeline_client.statuses(arn) == {"First": "Succeeded", "Second": "Failed"}
    reason = "AlgorithmError: pairs.tsv:3: two columns, exit code: 1"
    assert pipeline_client.steps(arn)["Second"]["FailureReason"] == reason
    assert reason in pipeline_client.describe(arn)["FailureReason"]
    first = pipeline_client.steps(arn)["First"]
    (pipeline_client.cloud.directory / "repaired").touch()
    pipeline_client.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    assert pipeline_client.ended(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert pipeline_client.steps(arn)["First"] == first
    assert list(pipeline_client.steps(arn)) == ["First", "Second", "Third"]


def test_stop_ends_the_jobs_processes(pipeline_client: PipelineClient) -> None:
    pid = pipeline_client.cloud.directory / "pid"
    sleep = (
        "import os, pathlib, time\n"
        f"pathlib.Path('{pid}').write_text(str(os.getpid()))\n"
        "time.sleep(600)"
    )
    arn = pipeline_client.start(
        pipeline_client.create(
            definition(pipeline_client.process("Long", sleep), fail("Never", DependsOn=["Long"]))
        )
    )
    pipeline_client.until(arn, "Long", "Executing")
    while not pid.exists() or not pid.read_text():
        time.sleep(0.02)
    pipeline_client.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    seen = pipeline_client.describe(arn)["PipelineExecutionStatus"]
    assert seen in ("Stopping", "Stopped")
    assert pipeline_client.ended(arn)["PipelineExecutionStatus"] == "Stopped"
    assert pipeline_client.statuses(arn) == {"Long": "Stopped"}
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
    job = pipeline_client.steps(arn)["Long"]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
    found = pipeline_client.sagemaker.describe_processing_job(ProcessingJobName=job)
    assert found["ProcessingJobStatus"] == "Stopped"


def test_a_training_job_past_its_limit_fails_the_step(pipeline_client: PipelineClient) -> None:
    step = train(pipeline_client, "Train", "import time; time.sleep(60)")
    step["Arguments"]["StoppingCondition"] = {"MaxRuntimeInSeconds": 1}
    arn = pipeline_client.run(definition(step, parameters=[parameter("Name", "x")]))
    assert pipeline_client.statuses(arn) == {"Train": "Failed"}
    assert "MaxRuntime" in pipeline_client.steps(arn)["Train"]["FailureReason"]


def test_an_unchanged_second_run_runs_no_job(pipeline_client: PipelineClient) -> None:
    cache = {"Enabled": True, "ExpireAfter": "P1D"}
    make = pipeline_client.process(
        "Make", REPORT, outputs=["report"], PropertyFiles=[PROPERTY_FILE], CacheConfig=cache
    )
    bleu = json_get("Make", "Report", "gate.bleu")
    text = definition(
        make,
        condition("Gate", equals(bleu, 21.5), otherwise=[fail("No")]),
        {**train(pipeline_client, "Train"), "CacheConfig": cache},
        parameters=[parameter("Name", "x")],
    )
    pipeline = pipeline_client.create(text)
    first, second = pipeline_client.start(pipeline), ""
    pipeline_client.ended(first)
    jobs = len(
        pipeline_client.sagemaker.list_processing_jobs(MaxResults=100)["ProcessingJobSummaries"]
    )
    second = pipeline_client.start(pipeline)
    assert pipeline_client.ended(second)["PipelineExecutionStatus"] == "Succeeded"
    hit = {"SourcePipelineExecutionArn": first}
    found = pipeline_client.steps(second)
    assert found["Make"]["CacheHitResult"] == found["Train"]["CacheHitResult"] == hit
    after = len(
        pipeline_client.sagemaker.list_processing_jobs(MaxResults=100)["ProcessingJobSummaries"]
    )
    assert after == jobs


def test_a_role_without_a_right_fails_the_step_by_name(launch: Any, tmp_path: Path) -> None:
    cloud = launch(tmp_path, "--iam", tiny=True)
    pipeline_client = PipelineClient(cloud, cloud.client("sagemaker"), cloud.client("s3"))
    iam = cloud.client("iam")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    role = iam.create_role(
        RoleName="small",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    allow = {"Effect": "Allow", "Action": ["s3:*", "logs:*"], "Resource": "*"}
    iam.put_role_policy(
        RoleName="small",
        PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    arn = pipeline_client.start(
        pipeline_client.create(definition(pipeline_client.process("A", "print()")), role=role)
    )
    assert pipeline_client.ended(arn)["PipelineExecutionStatus"] == "Failed"
    reason = pipeline_client.steps(arn)["A"]["FailureReason"]
    assert reason.startswith("ClientError: Failed to invoke sagemaker:CreateProcessingJob.")
    assert "AccessDenied" in reason
    allow["Action"] += ["sagemaker:*", "iam:PassRole"]  # type: ignore[operator]
    iam.put_role_policy(
        RoleName="small",
        PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    pipeline_client.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    assert pipeline_client.ended(arn)["PipelineExecutionStatus"] == "Succeeded", (
        pipeline_client.steps(arn)
    )


def test_pipelines_are_created_updated_listed_and_deleted(pipeline_client: PipelineClient) -> None:
    one, two = definition(fail("A")), definition(fail("B"))
    stem = pipeline_client.name("crud")
    request = {
        "PipelineName": f"{stem}-a",
        "PipelineDefinition": one,
        "RoleArn": pipeline_client.cloud.role,
        "ClientRequestToken": pipeline_client.token(),
        "Tags": [{"Key": "team", "Value": "blue"}],
    }
    arn = pipeline_client.sagemaker.create_pipeline(**request)["PipelineArn"]
    assert (
        pipeline_client.sagemaker.create_pipeline(**request)["PipelineArn"] == arn
    )  # the same request
    code, message = refusal(
        pipeline_client.sagemaker.create_pipeline,
        **{**request, "ClientRequestToken": pipeline_client.token()},
    )
    assert code == "ValidationException"
    assert f"Pipeline with name ({stem}-a) already exists" in message
    assert pipeline_client.sagemaker.list_tags(ResourceArn=arn)["Tags"] == request["Tags"]
    described = pipeline_client.sagemaker.describe_pipeline(PipelineName=arn)
    assert (described["PipelineStatus"], described["PipelineDefinition"]) == ("Active", one)
    assert "LastRunTime" not in described

    same = pipeline_client.sagemaker.update_pipeline(
        PipelineName=f"{stem}-a", PipelineDefinition=one
    )
    assert same["PipelineVersionId"] == 1
    new = pipeline_client.sagemaker.update_pipeline(
        PipelineName=f"{stem}-a", PipelineDefinition=two, PipelineDescription="two"
    )
    assert new["PipelineVersionId"] == 2
    described = pipeline_client.sagemaker.describe_pipeline(PipelineName=f"{stem}-a")
    assert (described["PipelineDescription"], described["PipelineDefinition"]) == ("two", two)
    old = pipeline_client.sagemaker.describe_pipeline(PipelineName=f"{stem}-a", PipelineVersionId=1)
    assert old["PipelineDefinition"] == one
    pipeline_client.sagemaker.update_pipeline_version(
        PipelineArn=arn, PipelineVersionId=1, PipelineVersionDisplayName="old"
    )
    versions = pipeline_client.sagemaker.list_pipeline_versions(PipelineName=f"{stem}-a")
    found = versions["PipelineVersionSummaries"]
    assert [version["PipelineVersionId"] for version in found] == [2, 1]
    assert found[1]["PipelineVersionDisplayName"] == "old"

    execution = pipeline_client.start(f"{stem}-a", PipelineVersionId=1)
    assert pipeline_client.ended(execution)["PipelineVersionId"] == 1
    assert list(pipeline_client.steps(execution)) == ["A"]
    text = pipeline_client.sagemaker.describe_pipeline_definition_for_execution(
        PipelineExecutionArn=execution
    )
    assert text["PipelineDefinition"] == one
    assert "LastRunTime" in pipeline_client.sagemaker.describe_pipeline(PipelineName=arn)

    request.update(PipelineName=f"{stem}-b", ClientRequestToken=pipeline_client.token())
    pipeline_client.sagemaker.create_pipeline(**request)
    listed = pipeline_client.sagemaker.list_pipelines(
        PipelineNamePrefix=stem, SortBy="Name", SortOrder="Ascending"
    )["PipelineSummaries"]
    assert [pipeline["PipelineName"] for pipeline in listed] == [f"{stem}-a", f"{stem}-b"]
    assert "LastExecutionTime" in listed[0]
    assert pipeline_client.sagemaker.delete_pipeline(PipelineName=f"{stem}-a")["PipelineArn"] == arn
    code, _ = refusal(pipeline_client.sagemaker.describe_pipeline, PipelineName=f"{stem}-a")
    assert code == "ResourceNotFound"
    code, _ = refusal(
        pipeline_client.sagemaker.describe_pipeline_execution, PipelineExecutionArn=execution
    )
    assert code == "ResourceNotFound"


@pytest.mark.parametrize("length", [247, 256])
def test_a_pipeline_has_any_name_that_aws_takes(
    pipeline_client: PipelineClient, length: int
) -> None:
    sagemaker, name = pipeline_client.sagemaker, "p" * length
    sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDefinition=definition(fail("Fail", "0")),
        RoleArn=pipeline_client.cloud.role,
    )
    for number in range(1, 11):
        text = definition(fail("Fail", str(number)))
        updated = sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=text)
        assert updated["PipelineVersionId"] == number + 1
    assert sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] == text
    versions = sagemaker.list_pipeline_versions(PipelineName=name, MaxResults=100)
    assert len(versions["PipelineVersionSummaries"]) == 11
    execution = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    assert pipeline_client.ended(execution)["PipelineExecutionStatus"] == "Failed"
    sagemaker.delete_pipeline(PipelineName=name)
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        sagemaker.describe_pipeline(PipelineName=name)


def test_executions_are_listed_newest_first_page_by_page(pipeline_client: PipelineClient) -> None:
    pipeline = pipeline_client.create(definition(fail("A")))
    arns = [
        pipeline_client.start(pipeline, PipelineExecutionDisplayName=f"run-{n}") for n in range(3)
    ]
    for arn in arns:
        pipeline_client.ended(arn)
    first = pipeline_client.sagemaker.list_pipeline_executions(PipelineName=pipeline, MaxResults=2)
    rest = pipeline_client.sagemaker.list_pipeline_executions(
        PipelineName=pipeline, MaxResults=2, NextToken=first["NextToken"]
    )
    found = first["PipelineExecutionSummaries"] + rest["PipelineExecutionSummaries"]
    assert [one["PipelineExecutionArn"] for one in found] == arns[::-1]
    assert found[0]["PipelineExecutionDisplayName"] == "run-2"
    assert found[0]["PipelineExecutionFailureReason"].endswith("A: no")
    assert "NextToken" not in rest


def test_a_pipeline_is_not_deleted_while_it_runs(pipeline_client: PipelineClient) -> None:
    pipeline = pipeline_client.create(definition(pipeline_client.process("A", SLEEP)))
    arn = pipeline_client.start(pipeline)
    code, message = refusal(pipeline_client.sagemaker.delete_pipeline, PipelineName=pipeline)
    assert (code, arn in message) == ("ConflictException", True)
    pipeline_client.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    pipeline_client.ended(arn)
    pipeline_client.sagemaker.delete_pipeline(PipelineName=pipeline)


def test_a_definition_can_lie_on_s3(pipeline_client: PipelineClient) -> None:
    text = definition(fail("A"))
    pipeline_client.put("definitions/one.json", text.encode())
    request = {
        "PipelineName": pipeline_client.name(),
        "RoleArn": pipeline_client.cloud.role,
        "PipelineDefinitionS3Location": {
            "Bucket": pipeline_client.cloud.bucket,
            "ObjectKey": "definitions/one.json",
        },
    }
    pipeline_client.sagemaker.create_pipeline(**request)
    described = pipeline_client.sagemaker.describe_pipeline(PipelineName=request["PipelineName"])
    assert described["PipelineDefinition"] == text
    request["PipelineDefinitionS3Location"]["ObjectKey"] = "definitions/none.json"  # type: ignore[index]
    request["PipelineName"] = pipeline_client.name()
    code, message = refusal(pipeline_client.sagemaker.create_pipeline, **request)
    assert code == "ValidationException"
    assert "definitions/none.json" in message


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"PipelineDefinition": "{"}, "not JSON"),
        ({"PipelineDefinition": definition(fail("A"), fail("A"))}, "Duplicate step name"),
        ({"PipelineName": "a_b"}, "regular expression pattern"),
        ({"PipelineDefinition": None}, "either PipelineDefinition or PipelineDefinitionS3Location"),
        ({"RoleArn": "arn:aws:iam::123456789012:role/nobody"}, "Could not assume role"),
        ({"PipelineVersionAliases": ["a"]}, "PipelineVersionAliases is not supported"),
    ],
)
def test_a_wrong_pipeline_is_refused(
    pipeline_client: PipelineClient, members: dict[str, Any], words: str
) -> None:
    request = {
        "PipelineName": pipeline_client.name(),
        "PipelineDefinition": definition(fail("A")),
        "RoleArn": pipeline_client.cloud.role,
        **members,
    }
    given = {name: value for name, value in request.items() if value is not None}
    code, message = refusal(pipeline_client.sagemaker.create_pipeline, **given)
    assert code == "ValidationException"
    assert words in message


def test_a_wrong_start_is_refused(pipeline_client: PipelineClient) -> None:
    pipeline = pipeline_client.create(
        definition(fail("A"), parameters=[parameter("Count", 1, "Integer")])
    )
    start = pipeline_client.sagemaker.start_pipeline_execution
    for name, value, words in (
        ("Other", "1", "Unknown pipeline parameter 'Other'"),
        ("Count", "one", "expected type Integer"),
    ):
        given = [{"Name": name, "Value": value}]
        code, message = refusal(start, PipelineName=pipeline, PipelineParameters=given)
        assert code == "ValidationException"
        assert words in message
    assert refusal(start, PipelineName="nobody")[0] == "ResourceNotFound"
    assert refusal(start, PipelineName=pipeline, PipelineVersionId=7)[0] == "ResourceNotFound"
    listed = pipeline_client.sagemaker.list_pipeline_executions(PipelineName=pipeline)
    assert listed["PipelineExecutionSummaries"] == []


def test_executions_survive_a_restart(launch: Any, tmp_path: Path) -> None:
    cloud = launch(tmp_path, tiny=True)
    pipeline_client = PipelineClient(cloud, cloud.client("sagemaker"), cloud.client("s3"))
    pipeline = pipeline_client.create(
        definition(
            pipeline_client.process(
                "Make", REPORT, outputs=["report"], PropertyFiles=[PROPERTY_FILE]
            ),
            pipeline_client.process(
                "Long",
                "import pathlib, time\n"
                f"if not pathlib.Path('{tmp_path}/repaired').exists(): time.sleep(600)",
                DependsOn=["Make"],
            ),
            condition(
                "Gate",
                equals(json_get("Make", "Report", "gate.bleu"), 21.5),
                otherwise=[fail("No")],
                DependsOn=["Long"],
            ),
        )
    )
    arn = pipeline_client.start(pipeline)
    pipeline_client.until(arn, "Long", "Executing")
    cloud.close()
    (tmp_path / "repaired").touch()
    cloud = launch(tmp_path, tiny=True)
    again = PipelineClient(cloud, cloud.client("sagemaker"), cloud.client("s3"))
    found = again.describe(arn)
    assert found["PipelineExecutionStatus"] == "Failed"
    assert "the local cloud ended" in found["FailureReason"]
    assert again.statuses(arn) == {"Make": "Succeeded", "Long": "Failed"}
    again.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    assert again.ended(arn)["PipelineExecutionStatus"] == "Succeeded", again.steps(arn)
    assert again.statuses(arn) == dict.fromkeys(("Make", "Long", "Gate"), "Succeeded")
