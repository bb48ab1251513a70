"""One worker process as the server sees it: it takes jobs, returns results, and may end."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from longspan.inference.refusals import ModelFailed, Unavailable
from longspan.inference.workers.messages import (
    HEADER_BYTES,
    Frame,
    TranslationJob,
    TranslationResult,
    sizes,
)
from longspan.training.errors import LongspanError

__all__ = ["WorkerProcess", "WorkerSettings"]

_BUFFER = 1 << 20  # bytes of a worker's output that may wait to be read
_ENDED = (
    "expected a worker that can use this model, got one that ended before it was ready; see its "
    "messages above, and where there are none, check that there is enough memory"
)

OnPartial = Callable[[list[int]], None]


@dataclass(frozen=True)
class WorkerSettings:
    """The server's settings that a worker needs."""

    threads: int = 1
    device: str = ""
    precision: str = "auto"
    batch_size: int = 64
    batch_tokens: int = 4096
    silence: float = 30.0  # seconds without a message until a worker with work is killed


@dataclass(frozen=True)
class _Pending:
    future: "asyncio.Future[TranslationResult]"
    tokens: int
    on_partial: OnPartial | None


class WorkerProcess:
    """A running process; `start` makes one."""

    def __init__(self, process: asyncio.subprocess.Process, silence: float) -> None:
        self._process = process
        self._silence = silence
        self._pending: dict[int, _Pending] = {}
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._heard = asyncio.get_running_loop().time()
        self._load = 0
        self.facts: Mapping[str, Any] = {}  # of a ready worker: `device` and `precision`

    @classmethod
    async def start(cls, model: Path, settings: WorkerSettings) -> "WorkerProcess":
        """Start the process. It is ready when `wait_ready` returns."""
        # PASSIVE: threads that wait for each other sleep, because other workers need the processor.
        threads = {"OMP_NUM_THREADS": str(settings.threads), "OMP_WAIT_POLICY": "PASSIVE"}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "longspan.inference", "worker",
            str(model), json.dumps(asdict(settings)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **threads},
            limit=_BUFFER,
        )  # fmt: skip
        return cls(process, settings.silence)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def load(self) -> int:
        """Source tokens of the jobs that it has."""
        return self._load

    async def wait_ready(self) -> None:
        """Wait until its model has answered the warm-up.

        Raises LongspanError when the worker cannot use the model.
        """
        await self._ready

    async def run(self) -> int:
        """Read its messages until it ends, then refuse its jobs; return the exit status."""
        watch = asyncio.create_task(self._watch())
        try:
            await self._listen()
            return await self._process.wait()
        finally:
            watch.cancel()
            self.kill()
            # After `_listen`, so that results that the worker still wrote are not refused.
            self.refuse("the worker that had this text has ended; send it again")
            if not self._ready.done():
                self._ready.set_exception(LongspanError(_ENDED))
                self._ready.exception()  # marks it as seen where nobody waits for it

    async def translate(
        self, job: TranslationJob, on_partial: OnPartial | None = None
    ) -> TranslationResult:
        """Translate one job; cancelling the call drops it.

        Raises Unavailable when the process ends before, ModelFailed when the model raises an error.
        """
        future: asyncio.Future[TranslationResult] = asyncio.get_running_loop().create_future()
        # An idle worker is silent, so its silence is counted from its first job.
        if not self._pending:
            self._heard = asyncio.get_running_loop().time()
        self._pending[job.number] = _Pending(future, len(job.ids), on_partial)
        self._load += len(job.ids)
        self._send(job.frame())
        try:
            return await future
        finally:
            if future.cancelled():
                self._send(Frame({"drop": job.number}))
            self._forget(job.number)

    def refuse(self, reason: str) -> None:
        """Refuse all jobs that it has."""
        for pending in self._pending.values():
            if not pending.future.done():
                pending.future.set_exception(Unavailable(reason))

    async def close(self, seconds: float) -> None:
        """Ask it to end, and kill it after so many seconds."""
        assert self._process.stdin is not None
        # The worker ends with its input, see `worker`.
        self._process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), seconds)
        self.kill()

    def kill(self) -> None:
        """Kill it, unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _listen(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                header = await stream.readexactly(HEADER_BYTES)
                frame = Frame.unpack(header, await stream.readexactly(sum(sizes(header))))
                self._heard = asyncio.get_running_loop().time()
                self._hear(frame)
                await asyncio.sleep(
                    0
                )  # gives other tasks a turn when a whole batch is done at once

    def _hear(self, frame: Frame) -> None:
        content = frame.content
        if "result" in content:
            result = TranslationResult.of(content["result"], frame.blob)
            self._settle(result.number, result=result)
        elif "partial" in content:
            number, ids = content["partial"]
            pending = self._pending.get(number)
            if pending is not None and pending.on_partial is not None:
                pending.on_partial(ids)
        elif "failure" in content:
            number, reason = content["failure"]
            self._settle(number, error=ModelFailed(f"the model failed: {reason}"))
        elif "ready" in content and not self._ready.done():
            self.facts = content["ready"]
            self._ready.set_result(None)
        elif "broken" in content and not self._ready.done():
            self._ready.set_exception(LongspanError(content["broken"]))

    def _settle(
        self, number: int, result: TranslationResult | None = None, error: Exception | None = None
    ) -> None:
        pending = self._pending.get(number)
        # Its call was cancelled while the answer was on its way.
        if pending is None or pending.future.done():
            return
        if result is not None:
            pending.future.set_result(result)
        elif error is not None:
            pending.future.set_exception(error)

    def _send(self, frame: Frame) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(
            ConnectionError, RuntimeError
        ):  # it has ended: `run` refuses its jobs
            self._process.stdin.write(frame.pack())

    def _forget(self, number: int) -> None:
        pending = self._pending.pop(number, None)
        self._load -= pending.tokens if pending is not None else 0

    async def _watch(self) -> None:
        """Kill the worker when it sends no message for too long while it has work."""
        while True:
            await asyncio.sleep(self._silence / 10)
            silent: Any = asyncio.get_running_loop().time() - self._heard
            if self._pending and silent > self._silence:
                self.kill()
