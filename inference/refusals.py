"""Reasons for which a request gets no translation, each with its HTTP status.

LongspanError
└── Refusal                 a request that is not answered; `status` and `code` are for HTTP
    ├── BadRequest          400: the request cannot be read, or an option has a wrong value
    ├── NoRoute             404, 405: the path does not exist, or not with this method
    ├── NotAcceptable       406: no media type that the client accepts
    ├── Malformed           400, 431, 501: the bytes are not HTTP/1.1
    ├── TooSlow             408: the rest of the body does not arrive in time
    ├── TooLong             413: a text or the body is beyond a limit
    ├── UnsupportedMedia    415: an unknown Content-Type
    ├── Busy                429: the queue is full
    ├── ModelFailed         500: the model raised an error for this text
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


class Refusal(LongspanError):  # noqa: N818 - an answer, not an error of the server
    """The root. Every message says what was expected, what the request had, and what to do."""

    status = 500
    code = "refused"
    retry_after: int | None = None  # seconds until it is worth another try


class BadRequest(Refusal):
    """The request cannot be read, or an option has a wrong value."""

    status = 400
    code = "bad_request"


class NoRoute(Refusal):
    """The path does not exist (404), or not with this method (405)."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
        self.code = "method_not_allowed" if status == 405 else "not_found"


class NotAcceptable(Refusal):
    """No media type that the client accepts."""

    status = 406
    code = "not_acceptable"


class Malformed(BadRequest):
    """The bytes are not HTTP/1.1; 431: the head is too large, 501: unknown coding of the body."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class TooSlow(Refusal):
    """The rest of the body does not arrive in time."""

    status = 408
    code = "request_timeout"


class TooLong(Refusal):
    """A text or the body is beyond a limit."""

    status = 413
    code = "too_long"


class UnsupportedMedia(Refusal):
    """An unknown Content-Type."""

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
    """The model raised an error for this text."""

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
