"""A run of the pipeline: upload the data, define the pipeline, start or resume it, follow it.

config = load_config("longspan.yaml")
with open_local(Path(".longspan")) as cloud:
    run = PipelineRun.start(config, cloud, Path(".longspan"))
    state = run.wait()
    print(run.evaluation(state).report)
"""

import json
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from botocore.exceptions import ClientError

from longspan.pipelines.cloud.aws_errors import AwsError, explained
from longspan.pipelines.cloud.connection import CloudConnection
from longspan.pipelines.config import Config
from longspan.pipelines.definition import Target, definition_json
from longspan.pipelines.runs.execution import Execution, ExecutionState, list_executions
from longspan.pipelines.runs.inputs import Inputs, Store, place_inputs
from longspan.pipelines.runs.live_view import show
from longspan.pipelines.runs.results import (
    EvaluationResults,
    best_model_uri,
    download_model,
    fetch_evaluation,
)
from longspan.pipelines.runs.search_history import add_pipeline_evidence

__all__ = ["PipelineRun"]

# The local cloud runs jobs as processes of this Python, so this image need not exist.
_LOCAL_IMAGE = "longspan:local"


@dataclass(frozen=True)
class PipelineRun:
    """One execution of a config's pipeline; its results are downloaded to `folder`."""

    config: Config
    connection: CloudConnection
    execution: Execution
    folder: Path
    resumed: str = ""  # "followed" or "retried" for an earlier execution, empty for a new one
    began: datetime | None = None  # start of the command, for a new execution

    @classmethod
    def start(
        cls,
        config: Config,
        connection: CloudConnection,
        directory: Path,
        *,
        again: bool = False,
        define: Callable[[Config, Target], str] = definition_json,
        began: datetime | None = None,
    ) -> "PipelineRun":
        """Upload data, create or update the pipeline, then start an execution.

        Unless `again` is set, an execution of the same definition is followed if it still runs,
        and resumed where it ended if it failed or was stopped. `define` makes the definition.
        `began` is the start of the command, for the table of times. Raises AwsError, DataError.
        """
        began = began or datetime.now(UTC)
        _check(config, connection)
        inputs = place_inputs(config.data, _store(config, connection), directory / "data")
        definition = define(config, _target(config, connection, inputs))
        sagemaker = connection.client("sagemaker")
        _upsert(sagemaker, config, definition, connection.role(config.aws.role))
        arn, resumed = "", ""
        if not again:
            arn, resumed = _earlier(sagemaker, config.name, definition)
        execution = Execution(sagemaker, arn or _start(sagemaker, config.name))
        if resumed == "retried":
            execution.retry()
        folder = directory / "runs" / execution.arn.rsplit("/", 1)[-1]
        # The time of an earlier execution did not begin with this command.
        return cls(config, connection, execution, folder, resumed, None if resumed else began)

    def wait(self, out: TextIO | None = None) -> ExecutionState:
        """Show the execution on `out` until it ends, and return its last state.

        `out` is standard output if None. Raises AwsError.
        """
        return show(self.execution.watch(self.connection.poll_seconds), out or sys.stdout)

    def evaluation(self, state: ExecutionState) -> EvaluationResults:
        """Download the evaluation and complete its report. Raises AwsError, DataError."""
        sagemaker, s3 = self.connection.client("sagemaker"), self.connection.client("s3")
        evaluated = fetch_evaluation(sagemaker, s3, state, self.folder / "evaluation")
        logs = self.connection.client("logs")
        add_pipeline_evidence(sagemaker, logs, state, evaluated.folder, self.config, self.began)
        return evaluated

    def model(self, state: ExecutionState) -> Path:
        """Download the best model as a model directory and return its path. Raises AwsError."""
        uri = best_model_uri(self.connection.client("sagemaker"), state)
        return download_model(self.connection.client("s3"), uri, self.folder / "model")


def _check(config: Config, connection: CloudConnection) -> None:
    """Raise AwsError for mistakes that would show only after minutes of upload."""
    if not connection.local:
        missing = [
            f"aws.{name}" for name in ("role", "bucket", "image") if not getattr(config.aws, name)
        ]
        if missing:
            raise AwsError(
                f"expected {', '.join(missing)} in the config to run on AWS, got none; set them"
            )
    bucket = _bucket(config, connection)
    with explained(f"the bucket {bucket}"):
        found = connection.client("s3").head_bucket(Bucket=bucket)
    # boto3 redirects requests to the region of the bucket; SageMaker's jobs do not.
    region = found.get("BucketRegion", connection.region)
    if region != connection.region:
        raise AwsError(
            f"expected the bucket {bucket} in {connection.region}, got one in {region}; set "
            f"aws.region to {region}, or aws.bucket to a bucket in {connection.region}"
        )


def _bucket(config: Config, connection: CloudConnection) -> str:
    return connection.bucket if connection.local else str(config.aws.bucket)


def _store(config: Config, connection: CloudConnection) -> Store:
    return Store(
        s3=connection.client("s3"),
        bucket=_bucket(config, connection),
        prefix=f"{config.aws.prefix}/{config.name}",
        kms_key=None if connection.local else config.aws.kms.output,
    )


def _target(config: Config, connection: CloudConnection, inputs: Inputs) -> Target:
    return Target(
        region=connection.region,
        account=connection.account,
        role_arn=connection.role(config.aws.role),
        bucket=_bucket(config, connection),
        image_uri=_LOCAL_IMAGE if connection.local else str(config.aws.image),
        pairs_uri=inputs.pairs,
        validation_uri=inputs.validation,
        test_uri=inputs.test,
    )


def _upsert(sagemaker: Any, config: Config, definition: str, role: str) -> None:
    """Create the pipeline, or update it to this definition. Raises AwsError."""
    tags = [{"Key": key, "Value": value} for key, value in config.aws.tags.items()]
    request: dict[str, Any] = {
        "PipelineName": config.name,
        "PipelineDefinition": definition,
        "RoleArn": role,
    }
    if config.aws.parallel_steps is not None:
        steps = config.aws.parallel_steps
        request["ParallelismConfiguration"] = {"MaxParallelExecutionSteps": steps}
    with explained(f"the pipeline {config.name}"):
        try:
            sagemaker.create_pipeline(**request, ClientRequestToken=uuid.uuid4().hex, Tags=tags)
        except ClientError as error:
            # The code of the error does not tell that the name is taken.
            if "already exist" not in str(error):
                raise
            sagemaker.update_pipeline(**request)


def _start(sagemaker: Any, pipeline: str) -> str:
    with explained(f"starting {pipeline}"):
        started = sagemaker.start_pipeline_execution(
            PipelineName=pipeline, ClientRequestToken=uuid.uuid4().hex
        )
    return str(started["PipelineExecutionArn"])


def _earlier(sagemaker: Any, pipeline: str, definition: str) -> tuple[str, str]:
    """Return the ARN of the newest execution with `followed` or `retried`.

    Both are empty if the newest execution succeeded or has another definition.
    """
    newest = next(list_executions(sagemaker, pipeline), None)
    if newest is None or newest.status == "Succeeded":
        return "", ""
    with explained("the last execution"):
        found = sagemaker.describe_pipeline_definition_for_execution(
            PipelineExecutionArn=newest.arn
        )
    # An execution of another definition would give the results of another config.
    if json.loads(found["PipelineDefinition"]) != json.loads(definition):
        return "", ""
    # SageMaker retries only executions that have ended, so one that stops is followed.
    return newest.arn, "followed" if newest.status in ("Executing", "Stopping") else "retried"
