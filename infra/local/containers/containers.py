"""The containers of one job, watched until all have ended."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from longspan.infra.local.control.threads import Signals
from longspan.infra.local.runtimes.runtime import Container, Running, Runtime

__all__ = ["CLOSED", "ENDED", "LIMIT", "STOPPED", "Ending", "run_containers"]

ENDED, STOPPED, LIMIT, CLOSED = "ended", "stopped", "limit", "closed"

# How long a container has after SIGTERM, as on AWS.
_GRACE = 120.0
# How often the log is read: what waits for a job is woken by its document, not by this.
_TICK = 0.1


@dataclass(frozen=True)
class Ending:
    """How containers ended: why, and the exit status of the first that failed, else 0."""

    cause: str
    status: int


def run_containers(
    runtime: Runtime,
    containers: Sequence[Container],
    signals: Signals,
    seconds: float,
    pump: Callable[[], None],
) -> Ending:
    """Run all at once, for `seconds` at most; `pump` is called all the while.

    When one fails the others are stopped. Raises LocalCloudError when one cannot be started.
    """
    with _started(runtime, containers) as running:
        return _watch(running, signals, time.monotonic() + seconds, pump)


@contextmanager
def _started(runtime: Runtime, containers: Sequence[Container]) -> Iterator[list[Running]]:
    """Whatever happens, none of them goes on afterwards."""
    running: list[Running] = []
    try:
        for container in containers:
            running.append(runtime.start(container))
        yield running
    finally:
        for one in running:
            one.kill()
        for one in running:
            one.wait()


def _watch(
    running: Sequence[Running], signals: Signals, deadline: float, pump: Callable[[], None]
) -> Ending:
    cause, failed = ENDED, 0
    kill_at: float | None = None
    while True:
        statuses = [one.wait(0) for one in running]
        # Those that are stopped because of it fail too, later.
        failed = failed or next((status for status in statuses if status), 0)
        pump()
        if all(status is not None for status in statuses):
            return Ending(cause, failed)
        now = time.monotonic()
        if signals.close.is_set():
            cause, kill_at = CLOSED, now
        elif kill_at is None:
            told = _order(statuses, signals, now >= deadline)
            if told is not None:
                cause, kill_at = told, now + _GRACE
                for one in running:
                    one.terminate()
        if kill_at is not None and now >= kill_at:
            for one in running:
                one.kill()
        next(one for one, s in zip(running, statuses, strict=True) if s is None).wait(_TICK)


def _order(statuses: Sequence[int | None], signals: Signals, over: bool) -> str | None:
    """Why containers that run must stop now; None when they need not."""
    if signals.stop.is_set():
        return STOPPED
    if over:
        return LIMIT
    return ENDED if any(statuses) else None  # one has failed
