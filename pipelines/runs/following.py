"""A run in the terminal of the command that started it: place, progress, reasons of failure."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from longspan.training.errors import Interrupted

if TYPE_CHECKING:
    from longspan.pipelines.runs.execution import ExecutionState
    from longspan.pipelines.runs.pipeline_run import PipelineRun

__all__ = ["announce", "explain_failure", "follow"]


def announce(run: "PipelineRun", kind: str) -> None:
    """Print where a run executes and whether it resumed; `kind` is `pipeline` or `study`."""
    place = run.connection.endpoint_url or f"AWS, {run.connection.region}"
    how = {"followed": " (already running)", "retried": " (resumed where it ended)"}
    print(f"{kind} {run.config.name} on {place}")
    print(f"execution {run.execution.arn}{how.get(run.resumed, '')}\n", flush=True)


def follow(run: "PipelineRun", command: str) -> "ExecutionState":
    """Show a run until it ends, and return its last state.

    Ctrl-C stops a run on the local cloud; a run on AWS continues, and `command` follows it again.
    Raises Interrupted, AwsError.
    """
    try:
        return run.wait()
    except KeyboardInterrupt:
        id = run.execution.arn.rsplit("/", 1)[-1]
        if not run.connection.local:
            raise Interrupted(
                f"execution {id} continues on AWS; `{command} --aws` follows it again, "
                f"`longspan stop {id} --aws` stops it"
            ) from None
        run.execution.stop()
        raise Interrupted("stopped; the same command continues where it ended") from None


def explain_failure(state: "ExecutionState", more: Sequence[str] = ()) -> int:
    """Print which steps failed and why, then the reasons in `more`; return the exit status 1."""
    failed = [step for step in state.steps if step.status == "Failed"]
    for step in failed:
        print(f"longspan: error: step {step.name}: {step.reason}", file=sys.stderr)
        if step.job:
            print(f"its log: longspan logs {step.job}", file=sys.stderr)
    for reason in more:
        print(f"longspan: error: {reason}", file=sys.stderr)
    if state.status == "Stopped":
        print(
            "longspan: error: stopped; the same command continues where it ended", file=sys.stderr
        )
    elif not failed:
        reason = f": {state.reason}" if state.reason else ""
        print(f"longspan: error: execution {state.status}{reason}", file=sys.stderr)
    return 1
