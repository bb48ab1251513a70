"""What a request's signature tells without being checked: who, where, which service.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Scope", "scope_of"]


@dataclass(frozen=True)
class Scope:
    """Empty without a signature in the headers, as for links that were signed."""

    key: str = ""
    region: str = ""
    service: str = ""


def scope_of(environ: Mapping[str, Any]) -> Scope:
    """Of a request as WSGI has it."""
    _, _, credential = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")
    parts = credential.partition(",")[0].split("/")  # key, date, region, service, aws4_request
    return Scope(parts[0], parts[2], parts[3]) if len(parts) == 5 else Scope()
