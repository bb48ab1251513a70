"""Lines for slow clients, deadlines that all end at once, and streams that break."""

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator

import pytest

from longspan.inference.refusals import TooLate, Unavailable
from longspan.inference.server.admission import Admission
from longspan.inference.server.deadlines import Deadlines
from longspan.inference.server.invocations import Invocations
from longspan.inference.server.lines import Lines
from longspan.inference.server.request_log import RequestLog
from longspan.inference.workers.metrics import ServerMetrics
from longspan.inference.workers.server_log import ServerLog


def test_of_partial_lines_a_slow_client_gets_the_newest_and_every_whole_one():
    async def told() -> list[str]:
        lines = Lines()

        async def write() -> None:
            for number in range(3):
                for length in range(1, 1000):
                    lines.tell(f"{number} partial {length}")
                await asyncio.sleep(0)
                lines.tell(f"{number} last")
                await lines.put(f"{number} whole")
            lines.end()

        writing = asyncio.create_task(write())
        read = []
        async with contextlib.aclosing(lines.read()) as given:
            async for line in given:
                read.append(line)
                for _ in range(10):
                    await asyncio.sleep(0)
        await writing
        return read

    read = asyncio.run(told())
    assert [line for line in read if "whole" in line] == ["0 whole", "1 whole", "2 whole"]
    assert {line for line in read if "partial" in line} <= {f"{n} partial 999" for n in range(3)}
    assert len(read) <= 9


def test_a_whole_line_waits_for_the_one_before():
    async def second_waits() -> bool:
        lines = Lines()
        await lines.put("first")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await lines.put("second")
        async with contextlib.aclosing(lines.read()) as given:
            assert await anext(given) == "first"
        await lines.put("second")
        return True

    assert asyncio.run(second_waits())


def test_when_the_server_ends_all_deadlines_are_now():
    async def ended() -> list[type[BaseException]]:
        deadlines = Deadlines(60)
        late = Deadlines(0.01)
        found = []

        async def wait(which: Deadlines) -> None:
            try:
                async with which.within(which.new()):
                    await asyncio.sleep(50)
            except (TooLate, Unavailable) as error:
                found.append(type(error))

        waiting = [asyncio.create_task(wait(deadlines)) for _ in range(3)]
        await wait(late)
        deadlines.end()
        await asyncio.gather(*waiting)
        await wait(deadlines)  # one that comes later
        return found

    assert asyncio.run(ended()) == [TooLate, *[Unavailable] * 4]


class _Broken:
    """A service that has a mistake: it breaks after some of a stream."""

    async def plan(self, request) -> list[object]:
        return [object()]

    async def stream(self, plan, timing, on_text) -> object:
        on_text("some")
        await asyncio.sleep(0.01)
        raise ValueError("what the user wrote")


def test_a_mistake_in_the_middle_of_a_stream_is_its_last_line():
    log = io.StringIO()
    metrics, admission = ServerMetrics(), Admission(1, 10**6)
    request_log = RequestLog(ServerLog(log), metrics, log_text=False)
    application = Invocations(_Broken(), admission, request_log, Deadlines(5), 10**6, 10)  # type: ignore[arg-type]
    sent = asyncio.run(_ask(application, {"text": "w1", "stream": True}))
    assert [message.get("status") for message in sent[:2]] == [200, None]
    lines = [json.loads(message["body"]) for message in sent[1:] if message["body"]]
    assert lines[0] == {"index": 0, "partial": "some"}
    assert "the server failed" in lines[-1]["error"]["message"]
    assert sent[-1]["more_body"] is False
    events = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [event["event"] for event in events] == ["request broke", "request"]
    assert events[1]["status"] == 500
    assert admission.inside == 0


async def _ask(application: Invocations, content: object) -> list[dict]:
    sent: list[dict] = []
    body = json.dumps(content).encode()

    async def messages() -> AsyncIterator[dict]:
        yield {"type": "http.request", "body": body, "more_body": False}
        await asyncio.sleep(60)

    coming = messages()

    async def send(message: dict) -> None:
        sent.append(message)

    await application({"type": "http", "headers": []}, lambda: anext(coming), send)
    return sent
