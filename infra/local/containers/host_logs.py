"""The logs of a job's containers: read from their files, written to CloudWatch Logs.

https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
"""

from collections.abc import Sequence
from pathlib import Path

from longspan.infra.local.containers.log_stream import LogStream, LogTail
from longspan.infra.local.control.clients import RoleClients
from longspan.infra.local.control.context import Context

__all__ = ["HostLogs", "log_file"]


def log_file(base: Path) -> Path:
    """Where the runtime writes what the container of this base says."""
    return base / "log"


class HostLogs:
    """Of one job; a stream for each of its hosts, as `<job>/algo-1-<time>`."""

    def __init__(
        self, context: Context, clients: RoleClients, group: str, job: str, bases: Sequence[Path]
    ) -> None:
        stamp = int(context.now())
        logs = clients.client("logs")
        self._parts = [
            (
                LogTail(log_file(base)),
                LogStream(logs, group, f"{job}/algo-{number}-{stamp}", context.now),
            )
            for number, base in enumerate(bases, 1)
        ]

    def pump(self) -> list[str]:
        """Write the lines that are new; those lines."""
        return self._take(last=False)

    def finish(self) -> list[str]:
        """The same when nothing more will come: also a last line without an end."""
        return self._take(last=True)

    def _take(self, *, last: bool) -> list[str]:
        taken: list[str] = []
        for tail, stream in self._parts:
            lines = [*tail.read(), *(tail.rest() if last else ())]
            stream.write(lines)
            taken.extend(lines)
        return taken
