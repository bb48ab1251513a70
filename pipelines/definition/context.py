"""The input of every builder: config, target, parameters, and the session of the SDK."""

from dataclasses import dataclass
from typing import Any

from longspan.pipelines.config import Config
from longspan.pipelines.definition.parameters import Parameters
from longspan.pipelines.definition.sdk import ExecutionVariables, Join, PipelineSession
from longspan.pipelines.definition.target import Target

__all__ = ["BuildContext"]


@dataclass(frozen=True)
class BuildContext:
    """The input of every builder; it does not change while a definition is built."""

    config: Config
    target: Target
    parameters: Parameters
    session: PipelineSession
    folder: str = ""  # subfolder of the run's, for a step whose output others have too

    @property
    def place(self) -> str:
        """S3 URI of the project's prefix, without a slash at its end."""
        return f"s3://{self.target.bucket}/{self.prefix}"

    @property
    def prefix(self) -> str:
        """Prefix of the keys of all objects that the pipeline writes."""
        return f"{self.config.aws.prefix}/{self.config.name}"

    def run_folder(self, name: str) -> Any:
        """Return the S3 URI of the output `name` of this execution.

        The id of the execution is part of it, so an execution never overwrites cached results.
        """
        # s3://BUCKET/PREFIX/NAME/runs/EXECUTION[/FOLDER]/OUTPUT
        own = [self.folder] if self.folder else []
        run = [self.place, "runs", ExecutionVariables.PIPELINE_EXECUTION_ID]
        return Join(on="/", values=[*run, *own, name])
