"""Worker processes, one per GPU, as `torchrun` starts them, but with an orderly end.

Workers find each other by the variables that torchrun sets (RANK, WORLD_SIZE, LOCAL_RANK,
MASTER_ADDR, MASTER_PORT; https://docs.pytorch.org/docs/stable/elastic/run.html). torchrun gives
its workers 30 s after SIGTERM and then reports a failure. SageMaker gives 120 s, and saving a
checkpoint in that time is a success, so this module starts the workers itself.
"""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

from longspan.training.container.paths import Hosts

__all__ = ["PORT", "run_workers", "worker_environments"]

# The port that workers of several machines connect to; on one machine it is any free one.
PORT = 29500
_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_TO_END = 100.0  # SageMaker kills a job 120 seconds after SIGTERM
_SECONDS_AFTER_FAILURE = 20.0  # the other workers have nothing to save


def worker_environments(hosts: Hosts, processes: int) -> list[dict[str, str]]:
    """Return the variables by which each of this machine's workers finds all others."""
    shared = {
        "WORLD_SIZE": str(processes * len(hosts.names)),
        "LOCAL_WORLD_SIZE": str(processes),
        "MASTER_ADDR": hosts.first if len(hosts.names) > 1 else "127.0.0.1",
        "MASTER_PORT": str(PORT if len(hosts.names) > 1 else _free_port()),
    }
    if hosts.interface:
        shared |= {"NCCL_SOCKET_IFNAME": hosts.interface, "GLOO_SOCKET_IFNAME": hosts.interface}
    # Ranks go machine by machine: with 2 processes each, machine 1 has the ranks 2 and 3.
    first = hosts.rank * processes
    return [
        {**shared, "RANK": str(first + local), "LOCAL_RANK": str(local)}
        for local in range(processes)
    ]


def run_workers(
    command: Sequence[str],
    environment: Mapping[str, str],
    additions: Sequence[Mapping[str, str]],
    *,
    seconds_to_end: float = _SECONDS_TO_END,
    seconds_after_failure: float = _SECONDS_AFTER_FAILURE,
) -> dict[int, int]:
    """Run `command` once for each element of `additions`, added to the environment, and wait.

    Returns the exit statuses by number of the element, in the order in which the workers ended.
    SIGTERM and SIGINT are passed on to the workers. If a worker fails, the others would wait for
    it forever, so they are told to end. Workers that still run `seconds_to_end` after a signal, or
    `seconds_after_failure` after a failure, are killed.
    """
    workers: list[subprocess.Popen[bytes]] = []
    stopping: list[int] = []
    ended: dict[int, int] = {}
    with _signals_to(stopping):
        try:
            for addition in additions:
                workers.append(subprocess.Popen(command, env={**environment, **addition}))
            _wait(workers, ended, stopping, seconds_to_end, seconds_after_failure)
        finally:
            for worker in workers:
                if worker.poll() is None:
                    worker.kill()
                worker.wait()
    # Workers that were killed come last: their end is an effect of an earlier one.
    return ended | {n: w.returncode for n, w in enumerate(workers) if n not in ended}


def _wait(
    workers: Sequence["subprocess.Popen[bytes]"],
    ended: dict[int, int],
    stopping: list[int],
    seconds_to_end: float,
    seconds_after_failure: float,
) -> None:
    deadline = float("inf")
    while True:
        for number, worker in enumerate(workers):
            if number not in ended and (status := worker.poll()) is not None:
                ended[number] = status
        if len(ended) == len(workers):
            return
        # The first failure or signal starts the time that the workers have to end.
        failed = any(ended.values())
        if deadline == float("inf") and (failed or stopping):
            patience = seconds_after_failure if failed else seconds_to_end
            deadline = time.monotonic() + patience
            for worker in workers:
                worker.terminate()
        if time.monotonic() > deadline:
            return
        time.sleep(_SECONDS_BETWEEN_LOOKS)


@contextmanager
def _signals_to(received: list[int]) -> Iterator[None]:
    def note(number: int, frame: FrameType | None) -> None:
        # Only noted here: `_wait` acts on it between two looks at the workers.
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
