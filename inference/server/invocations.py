"""`POST /invocations`: from bytes to bytes, in time, with every refusal said in JSON.

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
from longspan.inference.requests.media_types import JSON_LINES, check_coding, choose
from longspan.inference.requests.planning import PlannedItem
from longspan.inference.requests.request import Request
from longspan.inference.requests.responses import json_line, partial_line, remarks, render
from longspan.inference.server.admission import Admission
from longspan.inference.server.calls import GONE, REQUEST_ID, Call, Ledger
from longspan.inference.server.clients import ClientGone, read_body, unless_gone
from longspan.inference.server.deadlines import Deadlines
from longspan.inference.server.lines import Lines
from longspan.inference.server.refused import refused, refused_line
from longspan.inference.server.service import TranslationService
from longspan.inference.translation.answers import Answer

__all__ = ["Invocations"]

# Beyond these, bytes are read and answers written in a thread, and do not hold up other requests.
_LONG_BODY = 1 << 14
_LONG_ANSWER = 2000  # tokens
_LAST_LINE_SECONDS = 5.0  # for a client to take it, after the deadline

ResultT = TypeVar("ResultT")


class Invocations:
    """An ASGI application; a body has at most `most_bytes` and `most_texts`."""

    def __init__(
        self,
        service: TranslationService,
        admission: Admission,
        ledger: Ledger,
        deadlines: Deadlines,
        most_bytes: int,
        most_texts: int,
    ) -> None:
        self._service = service
        self._admission = admission
        self._ledger = ledger
        self._deadlines = deadlines
        self._most_bytes = most_bytes
        self._most_texts = most_texts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = Headers(scope=scope)
        call = Call.of(headers)
        begun = False

        async def begin(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            with self._admission.body() as grow:
                deadline = self._deadlines.new()
                late = TooSlow("body: expected all of it before the deadline: send it faster")
                async with self._deadlines.within(deadline, late):
                    body = await read_body(headers, receive, self._most_bytes, grow)
                call.bytes = len(body)
                with self._admission.enter():
                    await self._answer(call, body, deadline, scope, receive, begin)
        except ClientGone:
            call.status = GONE
        except Refusal as refusal:
            self._ledger.refuse(call, refusal)
            await refused(refusal, call.id)(scope, receive, send)
        except Exception as error:
            unforeseen = self._ledger.broke(call, error)
            if not begun:  # else the connection is closed in the middle, which clients notice
                await refused(unforeseen, call.id)(scope, receive, send)
        finally:
            self._ledger.note(call)

    async def _answer(
        self,
        call: Call,
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
            call.request = request
            offered = {"offered": (JSON_LINES,)} if request.stream else {}
            preferred = JSON_LINES if request.stream else request.media
            media = choose(headers.get("accept"), preferred, **offered)
            planned = await self._service.plan(request)
        if request.stream:
            await unless_gone(self._stream(call, planned, deadline, send), receive)
            return
        async with self._deadlines.within(deadline):
            answers = await unless_gone(self._service.answers(planned, call.timing), receive)
            call.answers, call.counts = answers, remarks(answers)
            content = await _aside(call, lambda: render(request, answers, media))
        await Response(content, 200, call.headers, media)(scope, receive, send)

    async def _parse(self, body: bytes, content_type: str | None) -> Request:
        if len(body) > _LONG_BODY:
            return await asyncio.to_thread(parse_request, body, content_type, self._most_texts)
        return parse_request(body, content_type, self._most_texts)

    async def _stream(
        self, call: Call, planned: Sequence[PlannedItem], deadline: float, send: Send
    ) -> None:
        """JSON lines as there is something. Raises ClientGone for one that takes nothing more."""
        lines = Lines()
        try:
            async with (
                asyncio.timeout_at(deadline + _LAST_LINE_SECONDS),
                asyncio.TaskGroup() as group,
                contextlib.aclosing(lines.read()) as read,
            ):
                group.create_task(self._write(lines, call, planned, deadline))
                await _send_lines(send, read, call.id)
        except TimeoutError:
            raise ClientGone from None

    async def _write(
        self, lines: Lines, call: Call, planned: Sequence[PlannedItem], deadline: float
    ) -> None:
        """Of each text first what grows, at last the whole answer; an error is the last line."""
        try:
            async with self._deadlines.within(deadline):
                call.answers = [
                    await self._write_one(lines, call, one, index)
                    for index, one in enumerate(planned)
                ]
                call.counts = remarks(call.answers)
        except Refusal as refusal:
            self._ledger.refuse(call, refusal)
            await lines.put(refused_line(refusal, call.id))
        except Exception as error:
            await lines.put(refused_line(self._ledger.broke(call, error), call.id))
        finally:
            lines.end()

    async def _write_one(
        self, lines: Lines, call: Call, planned: PlannedItem, index: int
    ) -> Answer:
        answer = await self._service.stream(
            planned, call.timing, lambda text: lines.tell(partial_line(text, index))
        )
        await lines.put(await _aside(call, lambda: json_line(planned.item, answer, index)))
        return answer


async def _send_lines(send: Send, lines: AsyncIterator[str], request_id: str) -> None:
    headers = [(b"content-type", JSON_LINES.encode()), (REQUEST_ID.encode(), request_id.encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    async for line in lines:
        body = line.encode("utf-8", "replace")
        await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _aside(call: Call, write: Callable[[], ResultT]) -> ResultT:
    """What `write` gives; a long answer is written in a thread."""
    request = call.request
    has_alignment = request is not None and any(item.options.alignment for item in request.items)
    if has_alignment or call.timing.target_tokens > _LONG_ANSWER:
        return await asyncio.to_thread(write)
    return write()
