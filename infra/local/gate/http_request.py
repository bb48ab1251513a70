"""HTTP requests as they were sent, before anything is decoded: what signatures cover."""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from werkzeug.wsgi import get_input_stream

__all__ = ["HttpRequest"]

# `GET http://host/path`, the form of requests to a proxy.
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?]*")


@dataclass(frozen=True)
class HttpRequest:
    """One request; `path` is still encoded, the names and values of `query` are decoded."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    environ: dict[str, Any]  # of WSGI

    @classmethod
    def of(cls, environ: dict[str, Any]) -> "HttpRequest":
        """Return the request of a WSGI environment."""
        path, _, query = _ABSOLUTE.sub("", environ["RAW_URI"], count=1).partition("?")
        pairs = (pair.partition("=") for pair in query.split("&") if pair)
        decoded = tuple((_decode(name), _decode(value)) for name, _, value in pairs)
        return cls(environ["REQUEST_METHOD"], path or "/", decoded, environ)

    @property
    def headers(self) -> Mapping[str, str]:
        """All headers, by names in lower case."""
        return {
            key.removeprefix("HTTP_").replace("_", "-").lower(): value
            for key, value in self.environ.items()
            if key.startswith("HTTP_") or key in ("CONTENT_TYPE", "CONTENT_LENGTH")
        }

    def header(self, name: str) -> str | None:
        """Return the value of a header, or None."""
        key = name.upper().replace("-", "_")
        plain = key in ("CONTENT_TYPE", "CONTENT_LENGTH")
        return self.environ.get(key if plain else f"HTTP_{key}")

    def parameter(self, name: str) -> str | None:
        """Return the value of a parameter of the query, or None."""
        return next((value for key, value in self.query if key == name), None)

    def unsigned(self, signed: Sequence[str]) -> list[str]:
        """Return AWS's own headers that are not among the names in `signed`."""
        # As in WSGI's names, where a hyphen and an underscore are the same.
        known = {name.replace("_", "-") for name in signed}
        return [name for name in self.headers if name.startswith("x-amz-") and name not in known]

    def body(self) -> bytes:
        """Return the body; the application that answers the request can read it again."""
        content = get_input_stream(self.environ).read()
        self.environ["wsgi.input"] = io.BytesIO(content)
        self.environ["CONTENT_LENGTH"] = str(len(content))
        # The chunks of HTTP have been put together.
        self.environ.pop("HTTP_TRANSFER_ENCODING", None)
        self.environ.pop("wsgi.input_terminated", None)
        return content


def _decode(text: str) -> str:
    return unquote(text, errors="surrogateescape")  # keeps bytes that are not UTF-8
