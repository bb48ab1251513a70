"""The gate: it lets through what programs of this machine's user send, signed with their keys.

A page in a browser cannot pass. Its requests carry an origin, or the host name under which the page
was loaded, and it knows no secret.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from werkzeug import Response

from longspan.infra.local.gate.http_request import HttpRequest
from longspan.infra.local.gate.keys import KeyRing
from longspan.infra.local.gate.refusals import FORBIDDEN, RequestRefused, refuse
from longspan.infra.local.gate.verification import verify

__all__ = ["RequestGate"]

_DOMAIN = ".localhost"  # S3's clients put a bucket's name before it
_MOTO = ("/moto-api", "/favicon.ico")  # moto's dashboard, which shows and deletes everything
_SERVICE = re.compile(r"Credential=[^/,]*/[^/,]*/[^/,]*/([^/,]+)/")


class RequestGate:
    """Check of every request; with `any_key`, signatures are not checked."""

    def __init__(
        self, keys: KeyRing, now: Callable[[], datetime], *, any_key: bool = False
    ) -> None:
        self._keys = keys
        self._now = now
        self._any_key = any_key
        self._hosts = {"127.0.0.1", "localhost"}

    def accept_host(self, host: str) -> None:
        """Accept one more name or address in the header `Host`."""
        self._hosts.add(host)

    def refusal(self, environ: dict[str, Any]) -> Response | None:
        """Return the answer to a request that may not pass; None for one that may."""
        try:
            self._check(environ)
        except RequestRefused as refused:
            credential = _SERVICE.search(environ.get("HTTP_AUTHORIZATION", ""))
            return refuse(environ, credential[1] if credential else "s3", refused)
        if environ["PATH_INFO"].startswith(_MOTO):
            return Response("Not Found", 404)
        return None

    def _check(self, environ: dict[str, Any]) -> None:
        host = environ.get("HTTP_HOST", "").rpartition(":")[0] or environ.get("HTTP_HOST", "")
        if host not in self._hosts and not host.endswith(_DOMAIN):
            raise RequestRefused(
                FORBIDDEN,
                f"expected the host {' or '.join(sorted(self._hosts))}, got {host!r}; use the "
                "AWS_ENDPOINT_URL that `longspan local up` prints",
            )
        if "HTTP_ORIGIN" in environ:
            raise RequestRefused(
                FORBIDDEN, "expected no Origin: the local cloud does not answer pages in a browser"
            )
        if not self._any_key and not environ["PATH_INFO"].startswith(_MOTO):
            bucket = host.removesuffix(_DOMAIN) if host.endswith(_DOMAIN) else ""
            verify(HttpRequest.of(environ), self._keys, bucket, self._now())
