"""Temporary credentials of users, by STS's GetSessionToken: moto would give everyone the same ones.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
"""

import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.sts.exceptions import STSValidationError
from moto.sts.responses import TokenResponse

from longspan.infra.local.control.clients import Credentials

__all__ = ["UserSessions"]

_DURATION = 43_200  # seconds, the default
_TOKEN = re.compile(r"(?i)&x-amz-security-token=[^&]*")  # in the query of a link


@dataclass(frozen=True)
class _Session:
    credentials: Credentials
    owner: str  # access key of the user
    end: datetime


class UserSessions:
    """Sessions that were issued; their requests have the rights of their owner."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._sessions: dict[str, _Session] = {}
        self._lock = threading.Lock()

    def install(self) -> None:
        """Answer STS's operations in moto's place, for the whole process."""

        def get_session_token(response: Any) -> ActionResult:
            seconds = response._get_int_param("DurationSeconds", _DURATION)
            session = self._issue(response.access_key, seconds)
            given = session.credentials
            return ActionResult(
                {
                    "Credentials": {
                        "AccessKeyId": given.key,
                        "SecretAccessKey": given.secret,
                        "SessionToken": given.token,
                        "Expiration": session.end,
                    }
                }
            )

        def get_federation_token(response: Any) -> ActionResult:
            raise STSValidationError(
                "The local cloud has no GetFederationToken: use AssumeRole, which limits rights too"
            )

        setattr(TokenResponse, "get_session_token", get_session_token)  # noqa: B010 - for mypy
        setattr(TokenResponse, "get_federation_token", get_federation_token)  # noqa: B010

    def find(self, key: str) -> Credentials | None:
        """Return the credentials of a session that has not ended, or None."""
        session = self._sessions.get(key)
        return session.credentials if session is not None and self._now() < session.end else None

    def name_owner(self, environ: dict[str, Any]) -> None:
        """Put the owner's key in the place of a session's, after the signature was checked.

        moto looks up the rights of a key, and knows the owner alone.
        """
        for name in ("HTTP_AUTHORIZATION", "QUERY_STRING", "RAW_URI", "REQUEST_URI"):
            text = environ.get(name, "")
            session = next((s for key, s in self._sessions.items() if key in text), None)
            if session is not None:
                own = text.replace(session.credentials.key, session.owner)
                environ[name] = _TOKEN.sub("", own)
                environ.pop("HTTP_X_AMZ_SECURITY_TOKEN", None)

    def _issue(self, owner: str, seconds: int) -> _Session:
        key = f"ASIA{secrets.token_hex(8).upper()}"
        credentials = Credentials(key, secrets.token_urlsafe(30), secrets.token_urlsafe(90))
        session = _Session(credentials, owner, self._now() + timedelta(seconds=seconds))
        with self._lock:
            # A copy: requests look into it without the lock.
            self._sessions = {**self._sessions, key: session}
        return session
