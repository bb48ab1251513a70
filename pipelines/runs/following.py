"""Following a run from the command that started it: where it is, what it does, why it failed."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from longspan.training.errors import Interrupted

if TYPE_CHECKING:
    from longspan.pipelines.runs.execution import ExecutionState
    from longspan.pipelines.runs.pipeline_run import PipelineRun

__all__ = ["announce", "explain_failure", "follow"]


def announce(run: "PipelineRun", kind: str) -> None:
    """Print where it runs and how it began; `kind` is what it is to its user."""
    place = run.connection.endpoint_url or f"AWS, {run.connection.region}"
    how = {"followed": " (already running)", "retried": " (taken up where it ended)"}
    print(f"{kind} {run.config.name} on {place}")
    print(f"execution {run.execution.arn}{how.get(run.taken_up, '')}\n", flush=True)


def follow(run: "PipelineRun", command: str) -> "ExecutionState":
    """Show it to its end; Ctrl-C stops what runs here, and leaves alone what runs on AWS.

    `command` is what follows it again. Raises Interrupted, AwsError.
    """
    try:
        return run.wait()
    except KeyboardInterrupt:
        id = run.execution.arn.rsplit("/", 1)[-1]
        if not run.connection.local:
            raise Interrupted(
                f"execution {id} goes on on AWS; `{command} --aws` follows it again, "
                f"`longspan stop {id} --aws` stops it"
            ) from None
        run.execution.stop()
        raise Interrupted("stopped; the same command goes on where it ended") from None


def explain_failure(state: "ExecutionState", more: Sequence[str] = ()) -> int:
    """Say which steps failed and why, and `more` reasons that no step gave; the exit status."""
    failed = [step for step in state.steps if step.status == "Failed"]
    for step in failed:
        print(f"longspan: error: step {step.name}: {step.reason}", file=sys.stderr)
        if step.job:
            print(f"its log: longspan logs {step.job}", file=sys.stderr)
    for reason in more:
        print(f"longspan: error: {reason}", file=sys.stderr)
    if state.status == "Stopped":
        print("longspan: error: stopped; the same command goes on where it ended", file=sys.stderr)
    elif not failed:
        reason = f": {state.reason}" if state.reason else ""
        print(f"longspan: error: execution {state.status}{reason}", file=sys.stderr)
    return 1
