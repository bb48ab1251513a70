"""Client for tests of pipelines: definitions as dicts, and executions to their ends."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ENDED = ("Succeeded", "Failed", "Stopped", "CompletedWithFailures")


def get(path: str) -> dict[str, str]:
    return {"Get": path}


def join(*values: Any, on: str = "") -> dict[str, Any]:
    return {"Std:Join": {"On": on, "Values": list(values)}}


def json_get(step: str, file: str, path: str) -> dict[str, Any]:
    source = get(f"Steps.{step}.PropertyFiles.{file}")
    return {"Std:JsonGet": {"PropertyFile": source, "Path": path}}


def definition(*steps: Mapping[str, Any], parameters: Sequence[Any] = (), **members: Any) -> str:
    """As text, with sorted keys: their order must mean nothing."""
    return json.dumps(
        {"Version": "2020-12-01", "Parameters": list(parameters), "Steps": list(steps), **members},
        sort_keys=True,
    )


def parameter(
    name: str, default: Any = None, kind: str = "String", **members: Any
) -> dict[str, Any]:
    given = {} if default is None else {"DefaultValue": default}
    return {"Name": name, "Type": kind, **given, **members}


def condition(
    name: str,
    *conditions: Mapping[str, Any],
    then: Sequence[Any] = (),
    otherwise: Sequence[Any] = (),
    **members: Any,
) -> dict[str, Any]:
    arguments = {
        "Conditions": list(conditions),
        "IfSteps": list(then),
        "ElseSteps": list(otherwise),
    }
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **members}


def equals(left: Any, right: Any) -> dict[str, Any]:
    return {"Type": "Equals", "LeftValue": left, "RightValue": right}


def at_least(left: Any, right: Any) -> dict[str, Any]:
    return {"Type": "GreaterThanOrEqualTo", "LeftValue": left, "RightValue": right}


def fail(name: str, message: Any = "no", **members: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **members}


@dataclass
class PipelineClient:
    """Client of a local cloud, with unique names for pipelines."""

    cloud: Any
    sagemaker: Any
    s3: Any
    _count: list[int] = field(default_factory=lambda: [0])

    def name(self, stem: str = "pipeline") -> str:
        self._count[0] += 1
        return f"{stem}-{self._count[0]}"

    def token(self) -> str:
        self._count[0] += 1
        return f"{self._count[0]:032d}"

    def uri(self, key: str) -> str:
        return f"s3://{self.cloud.bucket}/{key}"

    def put(self, key: str, body: bytes) -> str:
        self.s3.put_object(Bucket=self.cloud.bucket, Key=key, Body=body)
        return self.uri(key)

    def program(self, script: str) -> list[str]:
        """A command that runs a script with its `/opt/ml` where the container's is."""
        path = self.cloud.directory / f"{hashlib.sha256(script.encode()).hexdigest()[:16]}.py"
        path.write_text(
            f"import os\nexec({script!r}.replace('/opt/ml', os.environ['LONGSPAN_BASE']))"
        )
        return ["python", "-S", str(path)]

    def process(self, name: str, script: str, **members: Any) -> dict[str, Any]:
        """A processing step that runs a Python script; `outputs` are names of folders."""
        outputs = members.pop("outputs", ())
        arguments: dict[str, Any] = {
            "RoleArn": members.pop("role", self.cloud.role),
            "AppSpecification": {
                "ImageUri": "image",
                "ContainerEntrypoint": self.program(script),
            },
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceType": "ml.m5.large",
                    "InstanceCount": 1,
                    "VolumeSizeInGB": 1,
                }
            },
            **members.pop("arguments", {}),
        }
        if outputs:
            arguments["ProcessingOutputConfig"] = {
                "Outputs": [
                    {
                        "OutputName": output,
                        "S3Output": {
                            "S3Uri": join(
                                self.uri(name), get("Execution.PipelineExecutionId"), output, on="/"
                            ),
                            "LocalPath": f"/opt/ml/processing/output/{output}",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                    for output in outputs
                ]
            }
        return {"Name": name, "Type": "Processing", "Arguments": arguments, **members}

    def create(self, text: str, **members: Any) -> str:
        """A pipeline; its name."""
        name = self.name()
        self.sagemaker.create_pipeline(
            PipelineName=name,
            PipelineDefinition=text,
            RoleArn=members.pop("role", self.cloud.role),
            ClientRequestToken=self.token(),
            **members,
        )
        return name

    def update(self, pipeline: str, text: str) -> None:
        self.sagemaker.update_pipeline(PipelineName=pipeline, PipelineDefinition=text)

    def start(self, pipeline: str, parameters: Mapping[str, str] = {}, **members: Any) -> str:
        """An execution; its ARN."""
        given = [{"Name": name, "Value": value} for name, value in parameters.items()]
        answer = self.sagemaker.start_pipeline_execution(
            PipelineName=pipeline,
            ClientRequestToken=self.token(),
            PipelineParameters=given,
            **members,
        )
        return str(answer["PipelineExecutionArn"])

    def run(self, text: str, parameters: Mapping[str, str] = {}) -> str:
        """A new pipeline, executed once until its end; the execution's ARN."""
        arn = self.start(self.create(text), parameters)
        self.ended(arn)
        return arn

    def describe(self, arn: str) -> dict[str, Any]:
        return dict(self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn))

    def ended(self, arn: str, seconds: float = 180.0) -> dict[str, Any]:
        """The execution when it has ended."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.describe(arn)
            if found["PipelineExecutionStatus"] in ENDED:
                return found
            assert time.monotonic() < deadline, self.steps(arn)
            time.sleep(0.1)

    def steps(self, arn: str) -> dict[str, Any]:
        """By name, in the order in which they started."""
        found = self.sagemaker.list_pipeline_execution_steps(
            PipelineExecutionArn=arn, SortOrder="Ascending"
        )
        return {step["StepName"]: step for step in found["PipelineExecutionSteps"]}

    def statuses(self, arn: str) -> dict[str, str]:
        return {name: step["StepStatus"] for name, step in self.steps(arn).items()}

    def until(self, arn: str, step: str, *statuses: str, seconds: float = 180.0) -> dict[str, Any]:
        """The step when it is in one of these statuses."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.steps(arn).get(step, {})
            if found.get("StepStatus") in statuses:
                return dict(found)
            assert time.monotonic() < deadline, self.steps(arn)
            time.sleep(0.1)
