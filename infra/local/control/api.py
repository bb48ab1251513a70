"""Requests, answers and errors of the local SageMaker's operations.

ApiError                       an error that is answered to the client, as AWS answers it
├── ValidationError            a request that AWS refuses
├── NotFound                   an unknown name, which most operations answer by ValidationException
├── ResourceNotFound           an unknown name, for the operations that have this error
├── ResourceInUse              a name that is taken, a resource in the wrong state
├── ResourceLimitExceeded      a quota
├── Conflict                   a change that conflicts with another one
├── AccessDenied               a caller or role without the permission
├── Unrecognized               a request whose sender is unknown
│   ├── Unsigned               a request without a signature
│   └── WrongSignature         a signature that does not match the access key
└── UnknownOperation           an operation that the local cloud does not have

https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = [
    "AccessDenied",
    "ApiCall",
    "ApiError",
    "Conflict",
    "Document",
    "Handler",
    "NotFound",
    "ResourceInUse",
    "ResourceLimitExceeded",
    "ResourceNotFound",
    "UnknownOperation",
    "Unrecognized",
    "Unsigned",
    "ValidationError",
    "WrongSignature",
]

# A request, an answer or a stored resource: JSON, times as seconds since 1970 (float).
Document: TypeAlias = dict[str, Any]


class ApiError(Exception):
    """Error answer to a request: botocore shows `code` as `Error.Code`; `status` is HTTP's."""

    code = "InternalFailure"
    status = 400


class ValidationError(ApiError):
    """The request breaks a rule that AWS checks."""

    code = "ValidationException"


class NotFound(ValidationError):
    """Unknown name; most operations of SageMaker answer it by a ValidationException."""


class ResourceNotFound(ApiError):
    """Unknown name, for the operations whose model lists this error."""

    code = "ResourceNotFound"


class ResourceInUse(ApiError):
    """The name is taken, or the resource's state does not allow the operation."""

    code = "ResourceInUse"


class ResourceLimitExceeded(ApiError):
    """A quota of the account is used up."""

    code = "ResourceLimitExceeded"


class Conflict(ApiError):
    """The request conflicts with another change or with the resource's state."""

    code = "ConflictException"


class AccessDenied(ApiError):
    """The caller or the role lacks the permission."""

    code = "AccessDeniedException"


class Unrecognized(ApiError):
    """The sender of the request is unknown."""

    code = "UnrecognizedClientException"


class Unsigned(Unrecognized):
    """The request has no signature."""

    code = "MissingAuthenticationTokenException"


class WrongSignature(Unrecognized):
    """The signature was not made with the access key's secret."""

    code = "InvalidSignatureException"


class UnknownOperation(ApiError):
    """The local cloud does not have the operation; AWS may have it."""

    code = "UnknownOperationException"


@dataclass(frozen=True)
class ApiCall:
    """One request: `request` holds the members of the operation's input shape."""

    operation: str  # such as `CreateTrainingJob`
    request: Document
    region: str
    account: str  # twelve digits
    caller: str  # ARN of the user or of the role's session

    def arn(self, resource: str) -> str:
        """Return the ARN of `resource`, such as `training-job/name`, in this account and region."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{resource}"


Handler: TypeAlias = Callable[[ApiCall], Mapping[str, Any]]
