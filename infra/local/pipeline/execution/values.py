"""Values of references in an execution: parameters, variables, and properties of steps.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-properties.html
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from longspan.infra.local.control.api import Document, ValidationError
from longspan.infra.local.control.s3_objects import parse_uri
from longspan.infra.local.pipeline.definition.definition import PipelineDefinition
from longspan.infra.local.pipeline.definition.expressions import Reference
from longspan.infra.local.pipeline.definition.faults import StepFailure, invoking
from longspan.infra.local.pipeline.definition.paths import Unresolved, look_up

__all__ = ["ExecutionValues"]


@dataclass(frozen=True)
class ExecutionValues:
    """Values for one step; `name` is the name of the step's job, `s3` a client of the role."""

    definition: PipelineDefinition
    execution: Document
    s3: Any
    now: float
    name: str = ""

    def get(self, reference: Reference) -> Any:
        """Return the value of a reference. Raises Unresolved."""
        if reference.root == "Parameters":
            return self.execution["_Parameters"][reference.name]
        if reference.root == "Execution":
            return self._variable(reference.name)
        record = self._record(reference)
        if reference.path == ("Outcome",):
            return record["Metadata"]["Condition"]["Outcome"]
        try:
            return look_up(record["_Properties"], reference.path)
        except Unresolved as error:
            raise Unresolved(f"{reference.text}: {error}") from None

    def property_file(self, reference: Reference) -> Any:
        """Return the content of a property file. Raises Unresolved, StepFailure."""
        record = self._record(reference)
        file = self.definition.steps[reference.name].property_files[str(reference.path[1])]
        path = ("ProcessingOutputConfig", "Outputs", file.output, "S3Output", "S3Uri")
        uri = str(look_up(record["_Properties"], path))
        return self.json_at(f"{uri.rstrip('/')}/{file.path}")

    def json_at(self, uri: str) -> Any:
        """Return the JSON content of an S3 URI. Raises StepFailure."""
        with invoking(f"s3:GetObject for {uri}"):
            try:
                bucket, key = parse_uri(uri)
            except ValidationError as error:
                raise StepFailure(f"ClientError: {error}") from None
            body = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        try:
            return json.loads(body)
        except ValueError as error:
            raise StepFailure(f"ClientError: {uri} is not JSON: {error}") from None

    def _record(self, reference: Reference) -> Document:
        record: Document | None = self.execution["_Steps"].get(reference.name)
        if record is None:
            raise Unresolved(f"{reference.text}: step '{reference.name}' did not run")
        return record

    def _variable(self, name: str) -> str:
        arn = self.execution["PipelineExecutionArn"]
        # Otherwise TrainingJobName or ProcessingJobName: `check_graph` allows only the step's own.
        return {
            "StartDateTime": _time(self.execution["CreationTime"]),
            "CurrentDateTime": _time(self.now),
            "PipelineName": self.execution["PipelineName"],
            "PipelineArn": self.execution["PipelineArn"],
            "PipelineExecutionId": arn.rsplit("/", 1)[-1],
            "PipelineExecutionArn": arn,
        }.get(name, self.name)


def _time(seconds: float) -> str:
    """Return a time in ISO 8601, in UTC, with milliseconds."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
