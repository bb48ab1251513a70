"""What an operation of the local SageMaker gets, returns and raises.

ApiError                       answered to the client as AWS answers it
├── ValidationError            a request that AWS refuses
├── NotFound                   in SageMaker's words also a ValidationException
├── ResourceNotFound           for the operations that have their own error for it
├── ResourceInUse              a name that is taken, a resource in the wrong state
├── ResourceLimitExceeded      a quota
├── Conflict                   a change that another one overtook
├── AccessDenied               a role without a right
├── Unrecognized               a request of nobody that is known
│   ├── Unsigned               without any signature
│   └── WrongSignature         by a key that is known, and not its secret
└── UnknownOperation           one that the local cloud does not have

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
    """An answer that is an error: `code` is what botocore shows as `Error.Code`."""

    code = "InternalFailure"
    status = 400


class ValidationError(ApiError):
    """The request breaks a rule that AWS checks."""

    code = "ValidationException"


class NotFound(ValidationError):
    """Nothing by that name; most SageMaker operations say so by a ValidationException."""


class ResourceNotFound(ApiError):
    """Nothing by that name, for the operations whose model lists this error."""

    code = "ResourceNotFound"


class ResourceInUse(ApiError):
    """The name is taken, or the resource's state does not allow this."""

    code = "ResourceInUse"


class ResourceLimitExceeded(ApiError):
    """A quota of the account is used up."""

    code = "ResourceLimitExceeded"


class Conflict(ApiError):
    """Another change came first."""

    code = "ConflictException"


class AccessDenied(ApiError):
    """The caller or a role may not do this."""

    code = "AccessDeniedException"


class Unrecognized(ApiError):
    """Nobody knows who sends this request."""

    code = "UnrecognizedClientException"


class Unsigned(Unrecognized):
    """It has no signature."""

    code = "MissingAuthenticationTokenException"


class WrongSignature(Unrecognized):
    """It was not made by the key's secret."""

    code = "InvalidSignatureException"


class UnknownOperation(ApiError):
    """AWS may have it; the local cloud does not."""

    code = "UnknownOperationException"


@dataclass(frozen=True)
class ApiCall:
    """One validated request: `request` holds the members of the operation's input shape."""

    operation: str  # as `CreateTrainingJob`
    request: Document
    region: str
    account: str  # twelve digits
    caller: str  # ARN

    def arn(self, resource: str) -> str:
        """The ARN of a SageMaker resource of this account and region, as `training-job/name`."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{resource}"


Handler: TypeAlias = Callable[[ApiCall], Mapping[str, Any]]
