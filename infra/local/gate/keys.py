"""Access keys that the local cloud accepts: those that it issued, by IAM, STS or itself."""

import hmac
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from longspan.infra.local.control.clients import Credentials
from longspan.infra.local.gate.refusals import BAD_TOKEN, UNKNOWN_KEY, RequestRefused

__all__ = ["KeyRing"]


class KeyRing:
    """Credentials by access key; `issued` finds those of IAM and STS, or returns None."""

    def __init__(self, issued: Callable[[str], Credentials | None]) -> None:
        self._issued = issued
        self._temporary: dict[str, Credentials] = {}

    @contextmanager
    def temporary(self) -> Iterator[Credentials]:
        """Accept a new key inside the block: no user exists when a cloud starts."""
        credentials = Credentials(f"AKIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30))
        self._temporary[credentials.key] = credentials
        try:
            yield credentials
        finally:
            del self._temporary[credentials.key]

    def secret(self, key: str, token: str | None) -> str:
        """Return the secret of a key. Raises RequestRefused for an unknown key or a wrong token."""
        found = self._temporary.get(key) or self._issued(key)
        if found is None:
            raise RequestRefused(
                UNKNOWN_KEY, "The security token included in the request is invalid."
            )
        # As bytes: `compare_digest` refuses texts that are not ASCII.
        if not hmac.compare_digest((found.token or "").encode(), (token or "").encode()):
            raise RequestRefused(
                BAD_TOKEN, "The security token included in the request is invalid."
            )
        return found.secret
