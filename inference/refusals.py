"""Why a request gets no translation, each with the HTTP status that says so.

LongspanError
└── Refusal                 a request that is not answered; `status` and `code` are for HTTP
    ├── BadRequest          400: what came cannot be read, or an option has a wrong value
    ├── NoRoute             404, 405: a path or a method that is not there
    ├── NotAcceptable       406: no media type that the client takes
    ├── Malformed           400, 431, 501: what came is no HTTP/1.1
    ├── TooSlow             408: the rest of a body does not come
    ├── TooLong             413: text or body beyond a limit
    ├── UnsupportedMedia    415: a Content-Type that is not known
    ├── Busy                429: the queue is full
    ├── ModelFailed         500: the model itself broke on this text
    ├── Unavailable         503: the model cannot answer at the moment
    └── TooLate             504: no answer within the deadline
"""

from longspan.training.errors import LongspanError

__all__ = [
    "BadRequest",
    "Busy",
    "Malformed",
    "ModelFailed",
    "NoRoute",
    "NotAcceptable",
    "Refusal",
    "TooLate",
    "TooLong",
    "TooSlow",
    "Unavailable",
    "UnsupportedMedia",
]


class Refusal(LongspanError):  # noqa: N818 - an answer, not a mistake of ours
    """The root; every message says what was expected, what came, and what to do."""

    status = 500
    code = "refused"
    retry_after: int | None = None  # seconds until it is worth another try


class BadRequest(Refusal):
    """What came cannot be read, or an option has a wrong value."""

    status = 400
    code = "bad_request"


class NoRoute(Refusal):
    """A path that is not there, 404, or not with this method, 405."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
        self.code = "method_not_allowed" if status == 405 else "not_found"


class NotAcceptable(Refusal):
    """No media type that the client takes."""

    status = 406
    code = "not_acceptable"


class Malformed(BadRequest):
    """What came is no HTTP/1.1; 431 for too large a head, 501 for an unknown coding of a body."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class TooSlow(Refusal):
    """The rest of a body does not come."""

    status = 408
    code = "request_timeout"


class TooLong(Refusal):
    """A text or a body is beyond a limit."""

    status = 413
    code = "too_long"


class UnsupportedMedia(Refusal):
    """A Content-Type that is not known."""

    status = 415
    code = "unsupported_media_type"


class Busy(Refusal):
    """The queue is full; after `retry_after` seconds there may be room."""

    status = 429
    code = "busy"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ModelFailed(Refusal):
    """The model itself broke on this text."""

    status = 500
    code = "model_failed"


class Unavailable(Refusal):
    """The model cannot answer at the moment."""

    status = 503
    code = "unavailable"
    retry_after = 1


class TooLate(Refusal):
    """No answer within the deadline."""

    status = 504
    code = "too_late"
