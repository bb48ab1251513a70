"""Calls: invocations, as the log and the metrics tell them."""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from starlette.datastructures import Headers

from longspan.inference.refusals import Refusal
from longspan.inference.requests.request import Request
from longspan.inference.server.service import Timing
from longspan.inference.translation.answers import Answer
from longspan.inference.workers.journal import Journal
from longspan.inference.workers.metrics import Metrics

__all__ = ["GONE", "REQUEST_ID", "Call", "Ledger"]

REQUEST_ID = "X-Request-Id"
# The one header of an answer that InvokeEndpoint hands on.
_CUSTOM = "X-Amzn-SageMaker-Custom-Attributes"
GONE = 499  # in log and metrics: the client did not wait for its answer
_LONGEST_ID = 128
_UNKNOWN_CODING = 501  # of a body: no mistake of ours


@dataclass
class Call:
    """One invocation; `id` is the client's own, so that its log and ours meet, or a new one."""

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
    def of(cls, headers: Headers) -> "Call":
        """The call that has these headers."""
        given = headers.get(REQUEST_ID, "")
        is_fit = given.isprintable() and 0 < len(given) <= _LONGEST_ID
        return cls(given if is_fit else uuid.uuid4().hex)

    @property
    def headers(self) -> dict[str, str]:
        """Of its answer."""
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


class Ledger:
    """Writes down what became of each call; what users wrote only with `log_text`."""

    def __init__(self, journal: Journal, metrics: Metrics, log_text: bool) -> None:
        self._journal = journal
        self._metrics = metrics
        self._log_text = log_text

    def refuse(self, call: Call, refusal: Refusal) -> None:
        """It is refused: in the log by a code, since a message might show what the user wrote."""
        call.status = refusal.status
        call.reason = str(refusal) if self._log_text else refusal.code

    def refuse_unread(self, refusal: Refusal) -> str:
        """Something came that was no request; the id under which it is written down."""
        call = Call.of(Headers())
        self.refuse(call, refusal)
        self.note(call)
        return call.id

    def broke(self, call: Call, error: Exception) -> Refusal:
        """The answer for an error that nobody foresaw."""
        call.status, call.reason = 500, type(error).__name__
        self._journal.broke("request broke", error, id=call.id)
        return Refusal("the server made a mistake: report it with this request's id")

    def note(self, call: Call) -> None:
        """It has ended."""
        seconds = time.monotonic() - call.started
        self._metrics.requests.labels(status=str(call.status)).inc()
        self._metrics.seconds.observe(seconds)
        items = call.request.items if call.request is not None else None
        said = self._log_text and items is not None
        self._journal.write(
            "request",
            "info" if call.status < 500 or call.status == _UNKNOWN_CODING else "error",
            id=call.id,
            status=call.status,
            reason=call.reason,
            milliseconds=round(1000 * seconds, 1),
            bytes=call.bytes,
            texts=None if items is None else len(items),
            **{name: round(value, 4) for name, value in asdict(call.timing).items()},
            **(call.counts or {}),
            sources=[item.text for item in items] if said and items is not None else None,
            translations=[answer.text for answer in call.answers] if said else None,
        )
