"""Uploads to S3 by a form: a signed policy says what may be uploaded, and until when.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

import base64
import hashlib
import hmac
import io
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from longspan.infra.local.gate.http_request import HttpRequest
from longspan.infra.local.gate.keys import KeyRing
from longspan.infra.local.gate.refusals import FORBIDDEN, UNSIGNED, WRONG_SIGNATURE, RequestRefused
from longspan.infra.local.gate.signature import SigningScope, sign

__all__ = ["is_upload_form", "verify_form"]

_FORM = "multipart/form-data"
# Fields that a policy need not name.
_FREE = frozenset({"file", "policy", "signature", "x-amz-signature", "awsaccesskeyid"})


def is_upload_form(request: HttpRequest) -> bool:
    """Return whether a request uploads by a form."""
    return request.method == "POST" and (request.header("Content-Type") or "").startswith(_FORM)


def verify_form(request: HttpRequest, keys: KeyRing, bucket: str, now: datetime) -> None:
    """Check the signature of a form's policy, and the form by its policy. Raises RequestRefused."""
    fields, size = _parse(request)
    if "policy" not in fields:
        raise RequestRefused(UNSIGNED, "Access Denied: the form has no signed policy")
    expected, given = _signatures(fields, keys)
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise RequestRefused(WRONG_SIGNATURE, "The signature of the form's policy does not match.")
    bucket = bucket or request.path.strip("/").partition("/")[0]
    try:
        policy = json.loads(base64.b64decode(fields["policy"]))
        end = datetime.fromisoformat(policy["expiration"]).astimezone(UTC)
        conditions = [_condition(one) for one in policy["conditions"]]
    except (ValueError, KeyError, TypeError):
        raise RequestRefused(FORBIDDEN, "Invalid according to Policy: it cannot be read") from None
    if end < now:
        raise RequestRefused(FORBIDDEN, "Invalid according to Policy: Policy expired.")
    _check({**fields, "bucket": bucket}, size, conditions)


def _parse(request: HttpRequest) -> tuple[Mapping[str, str], int]:
    """Return the fields, by names in lower case, and the size of the file in bytes."""
    body = request.body()
    kind, options = parse_options_header(request.header("Content-Type"))
    parser = FormDataParser(max_form_memory_size=None)
    _, form, files = parser.parse(io.BytesIO(body), kind, len(body), options)
    fields = {name.lower(): value for name, value in form.items()}
    size = sum(len(file.stream.read()) for file in files.values())
    return fields, size or len(fields.get("file", "").encode())


def _signatures(fields: Mapping[str, str], keys: KeyRing) -> tuple[str, str]:
    """Return the signature that the policy must have, and the one that the form has."""
    token, policy = fields.get("x-amz-security-token"), fields["policy"]
    parts = fields.get("x-amz-credential", "").split("/")
    if len(parts) == 5:
        key, date, region, service, _ = parts
        scope = SigningScope(key, date, region, service, fields.get("x-amz-date", ""))
        return sign(keys.secret(key, token), scope, policy), fields.get("x-amz-signature", "")
    secret = keys.secret(fields.get("awsaccesskeyid", ""), token)  # signature version 2
    digest = hmac.new(secret.encode(), policy.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode(), fields.get("signature", "")


def _condition(given: Any) -> tuple[str, str, Any]:
    """Return operator, field in lower case and value; or the range of lengths."""
    if isinstance(given, Mapping):
        ((name, value),) = given.items()
        return "eq", str(name).lower(), str(value)
    operator, first, second = given
    if operator == "content-length-range":
        return operator, "", (int(first), int(second))
    return str(operator), str(first).removeprefix("$").lower(), str(second)


def _check(
    fields: Mapping[str, str], size: int, conditions: Iterable[tuple[str, str, Any]]
) -> None:
    """Check a form by the conditions of its policy. Raises RequestRefused."""
    named = set()
    for operator, name, value in conditions:
        named.add(name)
        field = fields.get(name, "")
        if operator == "content-length-range":
            met = value[0] <= size <= value[1]
        elif operator == "starts-with":
            met = field.startswith(value)
        else:
            met = operator == "eq" and field == value
        if not met:
            raise RequestRefused(
                FORBIDDEN,
                f"Invalid according to Policy: Policy Condition failed: {operator} {name}",
            )
    extra = [
        name
        for name in fields
        if name not in named | _FREE | {"bucket"} and not name.startswith("x-ignore-")
    ]
    if extra:
        raise RequestRefused(
            FORBIDDEN, f"Invalid according to Policy: Extra input fields: {', '.join(extra)}"
        )
