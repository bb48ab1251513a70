"""The worker processes: their number stays constant, and each job goes to the least busy one."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

from longspan.inference.refusals import Unavailable
from longspan.inference.search.settings import SearchSettings
from longspan.inference.workers.messages import TranslationJob, TranslationResult
from longspan.inference.workers.metrics import ServerMetrics
from longspan.inference.workers.server_log import ServerLog
from longspan.inference.workers.worker_process import OnPartial, WorkerProcess, WorkerSettings
from longspan.training.errors import LongspanError

__all__ = ["WorkerPool"]

_SECONDS_TO_END = 3.0  # from the request to end until a worker is killed
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 30.0  # seconds between two starts of a worker


class WorkerPool:
    """Runs `count` workers between `open` and `close`, and restarts those that end."""

    def __init__(
        self,
        model: Path,
        settings: WorkerSettings,
        count: int,
        server_log: ServerLog,
        metrics: ServerMetrics,
    ) -> None:
        self._model = model
        self._settings = settings
        self._count = count
        self._server_log = server_log
        self._metrics = metrics
        self._ready: list[WorkerProcess] = []
        self._supervisors: list[asyncio.Task[None]] = []
        # Over all workers: a number names one job for the life of the server.
        self._numbers = itertools.count()

    @property
    def is_ready(self) -> bool:
        """Whether the model of at least one worker has answered its warm-up."""
        return bool(self._ready)

    def open(self, on_failure: Callable[[LongspanError], None]) -> None:
        """Start the workers. `on_failure` is called when they cannot use the model."""

        async def run(place: int) -> None:
            try:
                await self._supervise(place)
            except LongspanError as error:
                on_failure(error)
            except Exception as error:
                self._server_log.broke("supervisor broke", error, worker=place)
                on_failure(LongspanError(f"worker {place} cannot be run: {error!r}"))

        self._supervisors = [asyncio.create_task(run(place)) for place in range(self._count)]

    async def close(self) -> None:
        """End all workers and wait for them."""
        for supervisor in self._supervisors:
            supervisor.cancel()
        await asyncio.gather(*self._supervisors, return_exceptions=True)

    async def translate(
        self,
        ids: Sequence[int],
        settings: SearchSettings,
        delay: float = 0.0,
        on_partial: OnPartial | None = None,
        target: tuple[int, ...] | None = None,
    ) -> TranslationResult:
        """Translate one part, or score its `target`; cancelling the call ends the work on it.

        Raises Unavailable when no worker is ready or the worker ends, ModelFailed when the model
        raises an error.
        """
        if not self._ready:
            raise Unavailable("the model is not ready: it is starting; try again in some seconds")
        # By source tokens and not by jobs, since the time of a search grows with them.
        child = min(self._ready, key=lambda one: one.load)
        job = TranslationJob(
            next(self._numbers), tuple(ids), settings, delay, on_partial is not None, target
        )
        return await child.translate(job, on_partial)

    async def _supervise(self, place: int) -> None:
        """Run one worker after another. Raises LongspanError if the first cannot use the model."""
        pause = _SHORTEST_PAUSE
        was_ready = False
        while True:
            child = await WorkerProcess.start(self._model, self._settings)
            self._server_log.write("worker started", worker=place, pid=child.pid)
            running = asyncio.create_task(child.run())
            try:
                await child.wait_ready()
                self._enter(place, child)
                was_ready, pause = True, _SHORTEST_PAUSE
                # The shield: when `close` cancels this task, `running` must go on reading until
                # `_end` has closed the worker.
                status = await asyncio.shield(running)
            except LongspanError as error:
                status = await running
                if not was_ready:
                    # The model is named once, whether or not the worker's reason names it.
                    known = str(self._model) in str(error)
                    raise error if known else LongspanError(f"{self._model}: {error}") from None
                self._server_log.write("worker broken", "error", worker=place, reason=str(error))
            finally:
                # First out of `_ready`, so that no job is given to a worker that is being closed.
                self._leave(child)
                await _end(child, running)
            self._metrics.worker_ends.inc()
            self._server_log.write(
                "worker ended", "error", worker=place, status=status, pid=child.pid
            )
            await asyncio.sleep(pause)
            # Longer each time: a worker may die again for the same reason, such as a lack of
            # memory.
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _enter(self, place: int, child: WorkerProcess) -> None:
        self._ready.append(child)
        self._metrics.workers.set(len(self._ready))
        self._server_log.write("worker ready", worker=place, pid=child.pid, **child.facts)

    def _leave(self, child: WorkerProcess) -> None:
        if child in self._ready:
            self._ready.remove(child)
        self._metrics.workers.set(len(self._ready))


async def _end(child: WorkerProcess, running: "asyncio.Task[int]") -> None:
    if not running.done():
        await child.close(_SECONDS_TO_END)
    with contextlib.suppress(asyncio.CancelledError):
        await running
