"""The request log: one line and the metrics of each invocation, and the answers of refusals."""

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from starlette.datastructures import Headers
from starlette.responses import Response

from longspan.inference.refusals import Refusal
from longspan.inference.requests.media_types import JSON
from longspan.inference.requests.request import Request
from longspan.inference.server.service import Timing
from longspan.inference.translation.answers import Answer
from longspan.inference.workers.metrics import ServerMetrics
from longspan.inference.workers.server_log import ServerLog

__all__ = ["GONE", "REQUEST_ID", "RequestLog", "RequestRecord", "refusal_line", "refusal_response"]

REQUEST_ID = "X-Request-Id"
# The only header of an answer that InvokeEndpoint passes to its caller.
_CUSTOM = "X-Amzn-SageMaker-Custom-Attributes"
GONE = 499  # status in log and metrics of a request whose client disconnected
_LONGEST_ID = 128
_UNKNOWN_CODING = 501  # status of an unknown coding of a body, which is the client's mistake


@dataclass
class RequestRecord:
    """One invocation.

    `id` is the client's own where it sent one, so that both logs can be joined.
    """

    id: str
    started: float = field(default_factory=time.monotonic)
    timing: Timing = field(default_factory=Timing)
    status: int = 200
    reason: str | None = None
    bytes: int = 0
    counts: Mapping[str, int] | None = None
    request: Request | None = None
    answers: Sequence[Answer] = ()

    @classmethod
    def of(cls, headers: Headers) -> "RequestRecord":
        """Begin the record of a request with these headers."""
        given = headers.get(REQUEST_ID, "")
        # It goes into a header of the answer and into the log.
        is_fit = given.isprintable() and 0 < len(given) <= _LONGEST_ID
        return cls(given if is_fit else uuid.uuid4().hex)

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the answer."""
        total = 1000 * (time.monotonic() - self.started)
        waited, worked = 1000 * self.timing.waited, 1000 * self.timing.worked
        headers = {
            REQUEST_ID: self.id,
            "Server-Timing": f"total;dur={total:.1f}, wait;dur={waited:.1f}, "
            f"search;dur={worked:.1f}",
        }
        if self.counts:
            headers[_CUSTOM] = ";".join(f"{name}={n}" for name, n in self.counts.items())
        return headers


class RequestLog:
    """Writes each request to the server's log and counts it; users' texts only with `log_text`."""

    def __init__(self, server_log: ServerLog, metrics: ServerMetrics, log_text: bool) -> None:
        self._server_log = server_log
        self._metrics = metrics
        self._log_text = log_text

    def refuse(self, record: RequestRecord, refusal: Refusal) -> None:
        """Record a refusal, by its code: a message might contain what the user wrote."""
        record.status = refusal.status
        record.reason = str(refusal) if self._log_text else refusal.code

    def refuse_unread(self, refusal: Refusal) -> str:
        """Log bytes that were not a request; return the id of the log line."""
        record = RequestRecord.of(Headers())
        self.refuse(record, refusal)
        self.note(record)
        return record.id

    def broke(self, record: RequestRecord, error: Exception) -> Refusal:
        """Log an unexpected error; return the refusal to answer with."""
        record.status, record.reason = 500, type(error).__name__
        self._server_log.broke("request broke", error, id=record.id)
        return Refusal("the server failed; report it with this request's id")

    def note(self, record: RequestRecord) -> None:
        """Write the line of a request that has ended, and count it."""
        seconds = time.monotonic() - record.started
        self._metrics.requests.labels(status=str(record.status)).inc()
        self._metrics.seconds.observe(seconds)
        items = record.request.items if record.request is not None else None
        said = self._log_text and items is not None
        self._server_log.write(
            "request",
            "info" if record.status < 500 or record.status == _UNKNOWN_CODING else "error",
            id=record.id,
            status=record.status,
            reason=record.reason,
            milliseconds=round(1000 * seconds, 1),
            bytes=record.bytes,
            texts=None if items is None else len(items),
            **{name: round(value, 4) for name, value in asdict(record.timing).items()},
            **(record.counts or {}),
            sources=[item.text for item in items] if said and items is not None else None,
            translations=[answer.text for answer in record.answers] if said else None,
        )


def refusal_response(refusal: Refusal, request_id: str) -> Response:
    """Return the HTTP answer of a refusal, with Retry-After where it says when to try again."""
    headers = {"X-Request-Id": request_id}
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    return Response(_content(refusal, request_id), refusal.status, headers, JSON)


def refusal_line(refusal: Refusal, request_id: str) -> str:
    """Return a refusal as the last line of a stream."""
    return _content(refusal, request_id) + "\n"


def _content(refusal: Refusal, request_id: str) -> str:
    error = {"code": refusal.code, "message": str(refusal), "request_id": request_id}
    return json.dumps({"error": error}, ensure_ascii=True)
