"""`POST /invocations`: from bytes to bytes, in time, with every refusal said in JSON.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from longspan.inference.answers import Answer
from longspan.inference.media_types import JSON_LINES, choose
from longspan.inference.refusals import Refusal, TooLate, TooLong
from longspan.inference.requests import Request, parse_request
from longspan.inference.responses import json_line, partial_line, remarks, render
from longspan.inference.server.admission import Admission
from longspan.inference.server.journal import Journal
from longspan.inference.server.metrics import Metrics
from longspan.inference.server.refused import refused, refused_line
from longspan.inference.server.service import Plan, Service, Timing

__all__ = ["Invocations"]

# The one header of an answer that InvokeEndpoint hands on.
_CUSTOM = "X-Amzn-SageMaker-Custom-Attributes"
_REQUEST_ID = "X-Request-Id"
_GONE = 499  # in log and metrics: the client did not wait for its answer
_LONGEST_ID = 128
# Bodies of so many times the limit are read, to be refused in a way that clients hear.
_PATIENCE = 4

ResultT = TypeVar("ResultT")


class _ClientGone(Exception):  # noqa: N818 - the client's choice
    """Nobody waits for the answer any more."""


@dataclass
class _Call:
    """One invocation, as its log line tells it."""

    id: str
    started: float
    timing: Timing
    status: int = 200
    reason: str | None = None
    texts: int | None = None
    bytes: int = 0
    counts: Mapping[str, int] | None = None
    request: Request | None = None
    answers: Sequence[Answer] = ()


class Invocations:
    """An ASGI application; `most_bytes`, `most_texts` of a body, `deadline` seconds for all."""

    def __init__(
        self,
        service: Service,
        admission: Admission,
        journal: Journal,
        metrics: Metrics,
        most_bytes: int,
        most_texts: int,
        deadline: float,
        log_text: bool = False,
    ) -> None:
        self._service = service
        self._admission = admission
        self._journal = journal
        self._metrics = metrics
        self._most_bytes = most_bytes
        self._most_texts = most_texts
        self._deadline = deadline
        self._log_text = log_text

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = Headers(scope=scope)
        call = _Call(_request_id(headers), time.monotonic(), Timing())
        try:
            with self._admission.enter():
                self._metrics.in_flight.set(self._admission.inside)
                await self._answer(call, headers, scope, receive, send)
        except _ClientGone:
            call.status = _GONE
        except Refusal as refusal:
            call.status, call.reason = refusal.status, self._reason(refusal)
            await refused(refusal, call.id)(scope, receive, send)
        except Exception as error:
            call.status, call.reason = 500, type(error).__name__
            self._journal.broke("request broke", error, id=call.id)
            unforeseen = Refusal("the server made a mistake: report it with this request's id")
            await refused(unforeseen, call.id)(scope, receive, send)
        finally:
            self._note(call)

    async def _answer(
        self, call: _Call, headers: Headers, scope: Scope, receive: Receive, send: Send
    ) -> None:
        deadline = asyncio.get_running_loop().time() + self._deadline
        async with _until(deadline, self._deadline):
            body = await self._read(headers, receive)
            call.bytes = len(body)
            request = await _parse(body, headers.get("content-type"), self._most_texts)
            call.request, call.texts = request, len(request.items)
            offered = {"offered": (JSON_LINES,)} if request.stream else {}
            preferred = JSON_LINES if request.stream else request.media
            media = choose(headers.get("accept"), preferred, **offered)
            plans = await self._service.plan(request)
        if request.stream:
            lines = self._lines(call, plans, deadline)
            await _unless_gone(_send_lines(send, lines, call.id), receive)
            return
        async with _until(deadline, self._deadline):
            answers = await _unless_gone(self._service.answers(plans, call.timing), receive)
        call.answers, call.counts = answers, remarks(answers)
        content = render(request, answers, media)
        await Response(content, 200, self._headers(call), media)(scope, receive, send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes:
        """The body. Raises TooLong, as soon as it is; one that says so beforehand is read to its
        end, and thrown away, since many clients listen only then."""
        given = headers.get("content-length", "")
        declared = int(given) if given.isdecimal() else 0
        if declared > self._most_bytes * _PATIENCE:
            raise self._too_long(declared)
        chunks, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _ClientGone
            size += len(message.get("body", b""))
            if size <= self._most_bytes:
                chunks.append(message.get("body", b""))
            elif not declared:
                raise self._too_long(size)
            if not message.get("more_body", False):
                break
        if size > self._most_bytes:
            raise self._too_long(size)
        return b"".join(chunks)

    def _too_long(self, size: int) -> TooLong:
        return TooLong(
            f"body: expected at most {self._most_bytes:,} bytes, came {size:,} or more: send it in "
            "several requests"
        )

    async def _lines(
        self, call: _Call, plans: Sequence[Plan], deadline: float
    ) -> AsyncIterator[str]:
        """What there is, line by line: of each text first what grows, at last the whole answer."""
        lines: asyncio.Queue[str | None] = asyncio.Queue()

        async def one(index: int, plan: Plan) -> Answer:
            answer = await self._service.stream(
                plan, call.timing, lambda text: lines.put_nowait(partial_line(text, index))
            )
            lines.put_nowait(json_line(plan.item, answer, index))
            return answer

        async def everything() -> None:
            try:
                async with _until(deadline, self._deadline):
                    call.answers = [await one(index, plan) for index, plan in enumerate(plans)]
                    call.counts = remarks(call.answers)
            except Refusal as refusal:
                call.status, call.reason = refusal.status, self._reason(refusal)
                lines.put_nowait(refused_line(refusal, call.id))
            finally:
                lines.put_nowait(None)

        work = asyncio.create_task(everything())
        try:
            while (line := await lines.get()) is not None:
                yield line
            await work
        finally:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work

    def _reason(self, refusal: Refusal) -> str:
        """For the log, where a message might show what the user wrote."""
        return str(refusal) if self._log_text else refusal.code

    def _headers(self, call: _Call) -> dict[str, str]:
        total = 1000 * (time.monotonic() - call.started)
        timing = call.timing
        headers = {
            _REQUEST_ID: call.id,
            "Server-Timing": f"total;dur={total:.1f}, wait;dur={1000 * timing.waited:.1f}, "
            f"search;dur={1000 * timing.worked:.1f}",
        }
        if call.counts:
            headers[_CUSTOM] = ";".join(f"{name}={n}" for name, n in call.counts.items())
        return headers

    def _note(self, call: _Call) -> None:
        seconds = time.monotonic() - call.started
        self._admission.took(seconds)
        self._metrics.in_flight.set(self._admission.inside)
        self._metrics.requests.labels(status=str(call.status)).inc()
        self._metrics.seconds.observe(seconds)
        said = self._log_text and call.request is not None
        self._journal.write(
            "request",
            "info" if call.status < 500 else "error",
            id=call.id,
            status=call.status,
            reason=call.reason,
            milliseconds=round(1000 * seconds, 1),
            bytes=call.bytes,
            texts=call.texts,
            **{name: _rounded(value) for name, value in asdict(call.timing).items()},
            **(call.counts or {}),
            sources=[item.text for item in call.request.items] if said and call.request else None,
            translations=[answer.text for answer in call.answers] if said else None,
        )


async def _parse(body: bytes, content_type: str | None, most_texts: int) -> Request:
    if len(body) > 1 << 14:
        return await asyncio.to_thread(parse_request, body, content_type, most_texts)
    return parse_request(body, content_type, most_texts)


async def _send_lines(send: Send, lines: AsyncIterator[str], request_id: str) -> None:
    headers = [(b"content-type", JSON_LINES.encode()), (_REQUEST_ID.encode(), request_id.encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    async for line in lines:
        body = line.encode("utf-8", "replace")
        await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


@contextlib.asynccontextmanager
async def _until(deadline: float, seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError:
        raise TooLate(
            f"no answer within {seconds:g} seconds: send less text at a time, or use profile fast"
        ) from None


async def _unless_gone(work: Awaitable[ResultT], receive: Receive) -> ResultT:
    """The result; when the client has gone before, the work is cancelled."""
    task = asyncio.ensure_future(work)
    gone = asyncio.create_task(_disconnected(receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise _ClientGone
    finally:
        for one in (task, gone):
            one.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _request_id(headers: Headers) -> str:
    """The client's own, so that its log and ours meet, else a new one."""
    given = headers.get(_REQUEST_ID, "")
    return given if given.isprintable() and 0 < len(given) <= _LONGEST_ID else uuid.uuid4().hex


def _rounded(value: float) -> float:
    return round(value, 4)
