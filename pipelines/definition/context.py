"""What every builder gets: the config, where it runs, its parameters, and the SDK's session."""

from dataclasses import dataclass
from typing import Any

from longspan.pipelines.config import Config
from longspan.pipelines.definition.parameters import Parameters
from longspan.pipelines.definition.sdk import ExecutionVariables, Join, PipelineSession
from longspan.pipelines.definition.target import Target

__all__ = ["BuildContext"]


@dataclass(frozen=True)
class BuildContext:
    """Nothing of it changes while a definition is built."""

    config: Config
    target: Target
    parameters: Parameters
    session: PipelineSession
    folder: str = ""  # of a step's own within the run's, where several write the same output

    @property
    def place(self) -> str:
        """The project's own S3 prefix, without a slash at its end."""
        return f"s3://{self.target.bucket}/{self.prefix}"

    @property
    def prefix(self) -> str:
        """Of the keys of what the pipeline writes."""
        return f"{self.config.aws.prefix}/{self.config.name}"

    def run_folder(self, name: str) -> Any:
        """A prefix of this execution's own: a cached result's stays as it was."""
        own = [self.folder] if self.folder else []
        run = [self.place, "runs", ExecutionVariables.PIPELINE_EXECUTION_ID]
        return Join(on="/", values=[*run, *own, name])
