"""Hooks into moto's IAM check: policies evaluated as on AWS, and AWS's error messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, cast
from urllib.parse import parse_qs, urlsplit

from moto import settings
from moto.core.exceptions import JsonRESTError, _RESTError
from moto.iam.access_control import (
    IAMPolicy,
    IAMPolicyStatement,
    IAMRequest,
    IAMRequestBase,
    S3IAMRequest,
)
from moto.iam.models import get_account_id_from
from moto.s3.exceptions import BucketAccessDeniedError, S3AccessDeniedError
from moto.sts.models import sts_backends
from werkzeug.datastructures import Headers

from longspan.infra.local.control.api import AccessDenied, Unrecognized, Unsigned
from longspan.infra.local.moto.arns import resource_of
from longspan.infra.local.moto.policies import ALLOWED, DENIED, evaluate_policies

__all__ = [
    "Scope",
    "Signed",
    "account_of",
    "authorize",
    "caller_of",
    "enforce_policies",
    "policies_enforced",
    "scope_of",
]


@dataclass(frozen=True)
class Scope:
    """Credential scope of a signature; empty for a request without the header, as presigned URLs.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """

    key: str = ""
    region: str = ""
    service: str = ""


def scope_of(environ: Mapping[str, Any]) -> Scope:
    """Return the scope that a WSGI request names; the signature is not checked."""
    _, _, credential = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")
    parts = credential.partition(",")[0].split("/")  # key, date, region, service, aws4_request
    return Scope(parts[0], parts[2], parts[3]) if len(parts) == 5 else Scope()


_PARTITION = "aws"
# Names of services and actions in IAM, where moto uses those of the API or the signature.
_SERVICES = {"monitoring": "cloudwatch"}
_ACTIONS = {"s3:HeadBucket": "s3:ListBucket", "s3:ListObjectsV2": "s3:ListBucket"}


@dataclass(frozen=True)
class Signed:
    """Parts of a request that its signature covers; `path` includes the query."""

    account: str
    method: str
    path: str
    body: bytes
    headers: Headers


def account_of(key: str) -> str:
    """Return the account of an access key; the default account for an unknown key."""
    return str(get_account_id_from(key))


def caller_of(account: str, region: str, key: str) -> str:
    """Return the ARN of the user or role session that an access key belongs to."""
    return str(sts_backends[account][_PARTITION].get_caller_identity(key, region)[1])


def policies_enforced() -> bool:
    """Return whether requests are checked against policies."""
    return bool(settings.INITIAL_NO_AUTH_ACTION_COUNT == 0)


def authorize(
    signed: Signed, action: str, resource: str, context: Mapping[str, str] | None = None
) -> None:
    """Check that policies allow the sender of a request an action, such as `iam:PassRole`.

    Returns at once while policies are not enforced. Raises AccessDenied, and Unrecognized for an
    unknown key.
    """
    if not policies_enforced():
        return
    try:
        # moto takes the service from the signature; some actions belong to another one, as IAM.
        request = IAMRequest(
            account_id=signed.account,
            method=signed.method,
            path=signed.path,
            data={},
            body=signed.body,
            headers=cast(Any, signed.headers),
            action=action.partition(":")[2],
        )
        request._action = action
        _check(request, resource, context or {})
    except _RESTError as refused:
        denied = refused.error_type == AccessDenied.code
        raise (AccessDenied if denied else Unrecognized)(refused.message) from None


def enforce_policies() -> None:
    """Require that the policies of a request's key allow it; the gate has checked its signature.

    Replaces methods of moto's IAM check for the whole process.
    """
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    hooks = {
        "__init__": _with_links(IAMRequestBase.__init__),
        "check_signature": lambda self: None,
        "check_action_permitted": lambda self, resource: _check(self, resource, {}),
    }
    for name, hook in hooks.items():
        setattr(IAMRequestBase, name, hook)
    setattr(IAMRequest, "_raise_invalid_access_key", _refuse_key)  # noqa: B010 - a hook, for mypy
    original = IAMPolicyStatement._check_principal

    def check_principal(self: Any, principal: str) -> bool:
        """Let the administrator assume a role that trusts a service.

        The local services assume roles with the administrator's credentials. Other callers also
        need an identity policy that allows it.
        """
        trusted = self._statement.get("Principal")
        if isinstance(trusted, dict) and "AWS" not in trusted:
            return "Service" in trusted
        return bool(original(self, principal))

    setattr(IAMPolicyStatement, "_check_principal", check_principal)  # noqa: B010


def _with_links(original: Any) -> Any:
    """Wrap `__init__`: moto reads a header; presigned URLs have credentials in the query."""

    def init(self: Any, *, headers: Any, path: str, **more: Any) -> None:
        self._headers = headers  # for the format of a refusal
        signed = headers if "Authorization" in headers else _of_link(self, path)
        original(self, headers=signed, path=path, **more)

    return init


def _of_link(request: Any, path: str) -> dict[str, str]:
    query = parse_qs(urlsplit(path).query)
    credential = query.get("X-Amz-Credential", [""])[0]
    key = query.get("AWSAccessKeyId", [""])[0]  # signature version 2
    if key:
        # This version names neither date nor region; moto only needs a scope of five parts.
        credential = f"{key}/date/us-east-1/s3/aws4_request"
    if not credential:
        if isinstance(request, S3IAMRequest):
            raise S3AccessDeniedError
        raise _refusal(request, Unsigned.code, "MissingAuthenticationToken", "Unsigned request")
    token = query.get("X-Amz-Security-Token", query.get("x-amz-security-token", [""]))[0]
    return {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, ",
        **({"X-Amz-Security-Token": token} if token else {}),
    }


def _check(request: Any, resource: str, context: Mapping[str, str]) -> None:
    """Evaluate the policies for moto's request. Raises moto's exceptions."""
    action = _action(request._action)
    if action == "sts:GetCallerIdentity":  # AWS allows it to everyone
        return
    if resource == "*":  # moto does not know the resource of this service
        resource = resource_of(action, request._body, request._region, request.account_id)
    policies = [IAMPolicy(policy)._policy_json for policy in request._access_key.collect_policies()]
    who = str(request._access_key.arn)
    known = {"aws:PrincipalArn": who, "aws:RequestedRegion": request._region, **context}
    decision = evaluate_policies(policies, action, resource, known)
    # To assume a role, two sides must agree: the caller's policies, and the role's trust policy.
    if decision == ALLOWED and request._is_assuming_role_operation(resource):
        if request._check_role_trust_relationship(resource):
            return
    elif decision == ALLOWED:
        return
    because = (
        f"with an explicit deny in an identity-based policy for the {action} action"
        if decision == DENIED
        else f"because no identity-based policy allows the {action} action"
    )
    _deny(
        request,
        f"User: {who} is not authorized to perform: {action} on resource: {resource} {because}",
    )


def _action(name: str) -> str:
    service, _, operation = name.partition(":")
    return _ACTIONS.get(name, f"{_SERVICES.get(service, service)}:{operation}")


def _deny(request: Any, message: str) -> NoReturn:
    if not isinstance(request, S3IAMRequest):
        raise _refusal(request, AccessDenied.code, "AccessDenied", message)
    bucket = request._data.get("BucketName")
    denied = BucketAccessDeniedError(bucket) if bucket else S3AccessDeniedError()
    denied.message = message  # moto's message names neither action nor resource
    raise denied


def _refuse_key(self: Any, _: str) -> NoReturn:
    message = "The security token included in the request is invalid."
    raise _refusal(self, Unrecognized.code, "InvalidClientTokenId", message)


def _refusal(request: Any, json_code: str, query_code: str, message: str) -> _RESTError:
    """Return an error in the request's protocol; moto itself always answers XML."""
    if _is_form(request):
        refused = _RESTError(query_code, message)
        refused.code = 403
        return refused
    return JsonRESTError(json_code, message)


def _is_form(request: Any) -> bool:
    kind = str(request._headers.get("Content-Type") or "")
    return kind.startswith("application/x-www-form-urlencoded")
