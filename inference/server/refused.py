"""A refusal as an HTTP answer."""

import json

from starlette.responses import Response

from longspan.inference.refusals import Refusal
from longspan.inference.requests.media_types import JSON

__all__ = ["refused", "refused_line"]


def refused(refusal: Refusal, request_id: str) -> Response:
    """The answer that says why; a busy server says when to come again."""
    headers = {"X-Request-Id": request_id}
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    return Response(_content(refusal, request_id), refusal.status, headers, JSON)


def refused_line(refusal: Refusal, request_id: str) -> str:
    """The same as the last line of a stream."""
    return _content(refusal, request_id) + "\n"


def _content(refusal: Refusal, request_id: str) -> str:
    error = {"code": refusal.code, "message": str(refusal), "request_id": request_id}
    return json.dumps({"error": error}, ensure_ascii=True)
