"""Containers of one job: their environment and files, and their run until all have ended."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longspan.infra.local.control.clients import RoleClients
from longspan.infra.local.control.threads import Signals
from longspan.infra.local.runtimes.runtime import Container, Running, Runtime

__all__ = [
    "CLOSED",
    "ENDED",
    "LIMIT",
    "STOPPED",
    "ContainersEnd",
    "role_environment",
    "run_containers",
    "write_config",
]

ENDED, STOPPED, LIMIT, CLOSED = "ended", "stopped", "limit", "closed"

_GRACE = 120.0  # seconds between SIGTERM and SIGKILL, as on AWS
_TICK = 0.1  # seconds between two reads of the logs


@dataclass(frozen=True)
class ContainersEnd:
    """End of a job's containers: the cause, and the exit status of the first failure, else 0."""

    cause: str
    status: int


def run_containers(
    runtime: Runtime,
    containers: Sequence[Container],
    signals: Signals,
    seconds: float,
    follow: Callable[[], None],
) -> ContainersEnd:
    """Run all containers at once, for at most `seconds`; call `follow` at each tick.

    When one container fails, the others are stopped. Raises LocalCloudError when one cannot start.
    """
    with _started(runtime, containers) as running:
        return _watch(running, signals, time.monotonic() + seconds, follow)


@contextmanager
def _started(runtime: Runtime, containers: Sequence[Container]) -> Iterator[list[Running]]:
    """Start the containers; kill all of them at the end of the block."""
    running: list[Running] = []
    try:
        for container in containers:
            running.append(runtime.start(container))
        yield running
    finally:
        # Kill all before the first wait, so that they end at the same time.
        for one in running:
            one.kill()
        for one in running:
            one.wait()


def _watch(
    running: Sequence[Running], signals: Signals, deadline: float, follow: Callable[[], None]
) -> ContainersEnd:
    cause, failed = ENDED, 0
    kill_at: float | None = None
    while True:
        # Statuses first, logs second: when all have ended, `follow` sees the complete logs.
        statuses = [one.wait(0) for one in running]
        # Keep the first failure: the containers that are stopped because of it fail later.
        failed = failed or next((status for status in statuses if status), 0)
        follow()
        if all(status is not None for status in statuses):  # None: it still runs
            return ContainersEnd(cause, failed)
        now = time.monotonic()
        if signals.close.is_set():
            # Without the time to end that a stopped job gets: the user waits for the cloud to
            # close.
            cause, kill_at = CLOSED, now
        # The first cause counts: a later one would move `kill_at`, and a stop could last for ever.
        elif kill_at is None:
            told = _order(statuses, signals, now >= deadline)
            if told is not None:
                cause, kill_at = told, now + _GRACE
                for one in running:
                    one.terminate()
        if kill_at is not None and now >= kill_at:
            for one in running:
                one.kill()
        # Sleep on a container that runs: its end wakes this loop at once.
        next(one for one, s in zip(running, statuses, strict=True) if s is None).wait(_TICK)


def _order(statuses: Sequence[int | None], signals: Signals, over: bool) -> str | None:
    """Return why the running containers must stop now; None if they may go on."""
    if signals.stop.is_set():
        return STOPPED
    if over:
        return LIMIT
    return ENDED if any(statuses) else None  # one has failed


def role_environment(clients: RoleClients, *, isolated: bool) -> dict[str, str]:
    """Return variables that lead boto3 to the local cloud with the role's credentials.

    An isolated container gets only the region.
    """
    region = {"AWS_REGION": clients.region, "AWS_DEFAULT_REGION": clients.region}
    if isolated:
        return region
    credentials = clients.credentials
    return {
        **region,
        "AWS_ENDPOINT_URL": clients.url,
        "AWS_ACCESS_KEY_ID": credentials.key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret,
        **({"AWS_SESSION_TOKEN": credentials.token} if credentials.token else {}),
    }


def write_config(path: Path, content: Mapping[str, Any]) -> None:
    """Write one of the JSON files of SageMaker's container contract."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")
