"""`POST /invocations`: reads a request, has it translated in time, and answers in every case.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from longspan.inference.refusals import Refusal, TooSlow
from longspan.inference.requests.bodies import parse_request
from longspan.inference.requests.media_types import JSON, JSON_LINES, check_coding, choose
from longspan.inference.requests.planning import PlannedItem
from longspan.inference.requests.request import Request
from longspan.inference.requests.responses import json_line, partial_line, remarks, render
from longspan.inference.server.admission import Admission
from longspan.inference.server.clients import ClientGone, read_body, unless_gone
from longspan.inference.server.deadlines import Deadlines
from longspan.inference.server.lines import Lines
from longspan.inference.server.request_log import (
    GONE,
    REQUEST_ID,
    RequestLog,
    RequestRecord,
    refusal_line,
    refusal_response,
)
from longspan.inference.server.service import TranslationService
from longspan.inference.translation.answers import Answer

__all__ = ["Invocations"]

# Longer bodies are parsed, and longer answers written, in a thread: other requests do not wait.
_LONG_BODY = 1 << 14
_LONG_ANSWER = 2000  # tokens
_LAST_LINE_SECONDS = 5.0  # after the deadline, for the client to read the last line

_ResultT = TypeVar("_ResultT")


class Invocations:
    """The ASGI application of this path. A body has at most `most_bytes` and `most_texts`."""

    def __init__(
        self,
        service: TranslationService,
        admission: Admission,
        request_log: RequestLog,
        deadlines: Deadlines,
        most_bytes: int,
        most_texts: int,
    ) -> None:
        self._service = service
        self._admission = admission
        self._request_log = request_log
        self._deadlines = deadlines
        self._most_bytes = most_bytes
        self._most_texts = most_texts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; record it in the log and the metrics."""
        headers = Headers(scope=scope)
        record = RequestRecord.of(headers)
        begun = False

        async def begin(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            with self._admission.body() as grow:
                deadline = self._deadlines.new()
                late = TooSlow("body: expected all of it before the deadline; send it faster")
                async with self._deadlines.within(deadline, late):
                    body = await read_body(headers, receive, self._most_bytes, grow)
                record.bytes = len(body)
                with self._admission.enter():
                    await self._answer(record, body, deadline, scope, receive, begin)
        except ClientGone:
            record.status = GONE
        except Refusal as refusal:
            self._request_log.refuse(record, refusal)
            await refusal_response(refusal, record.id)(scope, receive, send)
        except Exception as error:
            unforeseen = self._request_log.broke(record, error)
            if not begun:  # else the connection is closed before the end of the answer
                await refusal_response(unforeseen, record.id)(scope, receive, send)
        finally:
            self._request_log.note(record)

    async def _answer(
        self,
        record: RequestRecord,
        body: bytes,
        deadline: float,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        headers = Headers(scope=scope)
        async with self._deadlines.within(deadline):
            check_coding(headers.get("content-encoding"))
            request = await self._parse(body, headers.get("content-type"))
            record.request = request
            # Also for a client that accepts JSON: each line is, and SageMaker's SDK asks so.
            offered = {"offered": (JSON_LINES, JSON)} if request.stream else {}
            preferred = JSON_LINES if request.stream else request.media
            media = choose(headers.get("accept"), preferred, **offered)
            planned = await self._service.plan(request)
        if request.stream:
            # A stream has a deadline of its own in `_write`, so that its last line can still be
            # sent.
            await unless_gone(self._stream(record, planned, deadline, send), receive)
            return
        async with self._deadlines.within(deadline):
            answers = await unless_gone(self._service.answers(planned, record.timing), receive)
            record.answers, record.counts = answers, remarks(answers)
            content = await _aside(record, lambda: render(request, answers, media))
        # Outside of the deadline: the answer is complete, however long the client takes to read it.
        await Response(content, 200, record.headers, media)(scope, receive, send)

    async def _parse(self, body: bytes, content_type: str | None) -> Request:
        if len(body) > _LONG_BODY:
            return await asyncio.to_thread(parse_request, body, content_type, self._most_texts)
        return parse_request(body, content_type, self._most_texts)

    async def _stream(
        self, record: RequestRecord, planned: Sequence[PlannedItem], deadline: float, send: Send
    ) -> None:
        """Send JSON lines while the searches run.

        Raises ClientGone for a client that does not read them.
        """
        lines = Lines()
        try:
            async with (
                asyncio.timeout_at(deadline + _LAST_LINE_SECONDS),
                asyncio.TaskGroup() as group,
                contextlib.aclosing(lines.read()) as read,
            ):
                group.create_task(self._write(lines, record, planned, deadline))
                await _send_lines(send, read, record.id)
        except TimeoutError:
            raise ClientGone from None

    async def _write(
        self, lines: Lines, record: RequestRecord, planned: Sequence[PlannedItem], deadline: float
    ) -> None:
        """Write partial lines of each text, then its whole answer; an error is the last line."""
        try:
            async with self._deadlines.within(deadline):
                record.answers = [
                    await self._write_one(lines, record, one, index)
                    for index, one in enumerate(planned)
                ]
                record.counts = remarks(record.answers)
        except Refusal as refusal:
            self._request_log.refuse(record, refusal)
            await lines.put(refusal_line(refusal, record.id))
        except Exception as error:
            await lines.put(refusal_line(self._request_log.broke(record, error), record.id))
        finally:
            lines.end()

    async def _write_one(
        self, lines: Lines, record: RequestRecord, planned: PlannedItem, index: int
    ) -> Answer:
        answer = await self._service.stream(
            planned, record.timing, lambda text: lines.tell(partial_line(text, index))
        )
        await lines.put(await _aside(record, lambda: json_line(planned.item, answer, index)))
        return answer


async def _send_lines(send: Send, lines: AsyncIterator[str], request_id: str) -> None:
    headers = [(b"content-type", JSON_LINES.encode()), (REQUEST_ID.encode(), request_id.encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    async for line in lines:
        body = line.encode("utf-8", "replace")
        await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _aside(record: RequestRecord, write: Callable[[], _ResultT]) -> _ResultT:
    """Return what `write` returns; a long answer is written in a thread."""
    request = record.request
    has_alignment = request is not None and any(item.options.alignment for item in request.items)
    if has_alignment or record.timing.target_tokens > _LONG_ANSWER:
        return await asyncio.to_thread(write)
    return write()
