"""Errors of AWS and boto3 as one line that says what to do.

AwsError is a LongspanError, so the command prints it without a traceback.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import S3UploadFailedError
from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from longspan.training.errors import LongspanError

__all__ = ["AwsError", "explain_aws", "explained"]


class AwsError(LongspanError):
    """AWS, or a local cloud, refused a request or could not be reached."""


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Raise AwsError, which begins with `doing`, for what boto3 raises within the context."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise AwsError(f"{doing}: {explain_aws(error)}") from error
    except S3UploadFailedError as error:
        # boto3's transfers wrap the error that S3 answered.
        cause = error.__context__
        said = explain_aws(cause) if isinstance(cause, ClientError) else _one_line(error)
        raise AwsError(f"{doing}: {said}") from error


def explain_aws(error: ClientError | BotoCoreError) -> str:
    """Return one line: the error, and what to do about it."""
    if isinstance(error, ClientError):
        return _explain_answer(error)
    if isinstance(error, exceptions.EndpointConnectionError) and _HERE in str(error):
        return f"{_one_line(error)}: no local cloud answers at this address; start it again"
    for kind, advice in _CLIENT_SIDE:
        if isinstance(error, kind):
            return f"{_one_line(error)}: {advice}"
    return _one_line(error)


_HERE = "://127.0.0.1:"
# Errors before a request leaves this machine, or when no answer comes.
_CLIENT_SIDE: tuple[tuple[type[BotoCoreError], str], ...] = (
    (
        exceptions.NoCredentialsError,
        "expected AWS credentials, got none; run `aws configure`, set AWS_PROFILE, or leave out "
        "--aws to run on this machine",
    ),
    (exceptions.PartialCredentialsError, "set both the access key and the secret key"),
    (exceptions.ProfileNotFound, "set AWS_PROFILE to a profile of ~/.aws/config"),
    (exceptions.NoRegionError, "set aws.region in the config, or AWS_DEFAULT_REGION"),
    (
        exceptions.EndpointConnectionError,
        "no answer; check aws.region and the network, or AWS_ENDPOINT_URL",
    ),
    (exceptions.ConnectTimeoutError, "no answer; check aws.region and the network"),
    (exceptions.ReadTimeoutError, "the answer took too long; run the command again"),
    (exceptions.ParamValidationError, "a value of the config does not fit AWS's API; correct it"),
)

# What to do, by the code of the answer.
_ADVICE = {
    "ExpiredToken": "the credentials have expired; sign in again",
    "ExpiredTokenException": "the credentials have expired; sign in again",
    "InvalidClientTokenId": "AWS does not know this access key; check AWS_PROFILE",
    "UnrecognizedClientException": "AWS does not know this access key; check AWS_PROFILE",
    "SignatureDoesNotMatch": "the secret key is wrong",
    "InvalidAccessKeyId": "AWS does not know this access key; check AWS_PROFILE",
    "NoSuchBucket": "create the bucket, or set aws.bucket to another one",
    "404": "no such bucket or object; check aws.bucket",
    "PermanentRedirect": "the bucket is in another region; set aws.region to the bucket's",
    "301": "the bucket is in another region; set aws.region to the bucket's",
    "AuthorizationHeaderMalformed": "the bucket is in another region; set aws.region to that",
    "IllegalLocationConstraintException": "the bucket is in another region; set aws.region to that",
    "BucketAlreadyExists": "another account has a bucket of this name; choose another aws.bucket",
    "ResourceLimitExceeded": "ask for a higher quota in the Service Quotas console, or choose "
    "another instance type or fewer parallel jobs",
    "ThrottlingException": "too many requests; run it again, it continues where it stopped",
    "Throttling": "too many requests; run it again, it continues where it stopped",
    "SlowDown": "too many requests; run it again, it continues where it stopped",
}
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"})
# Rights of operations with another name than their right, whose denials do not name the right.
_RIGHTS = {
    "HeadBucket": "s3:ListBucket",
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "ListObjectsV2": "s3:ListBucket",
    "PutObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "DeleteObjects": "s3:DeleteObject",
}
_RIGHT = re.compile(r"(?P<who>\S+) is not authorized to perform: (?P<right>[\w-]+:\w+)")


def _explain_answer(error: ClientError) -> str:
    answer = error.response.get("Error", {})
    code, message = str(answer.get("Code", "")), " ".join(str(answer.get("Message", "")).split())
    if code in _DENIED:
        return _explain_denial(error, message)
    advice = _ADVICE.get(code)
    said = message or f"AWS answered {error.operation_name} with {code}"
    return f"{said.rstrip('.')}: {advice}" if advice else said


def _explain_denial(error: ClientError, message: str) -> str:
    found = _RIGHT.search(message)
    operation = error.operation_name
    right = found["right"] if found else _RIGHTS.get(operation, f"to {operation}")
    who = found["who"] if found else "the caller"
    return f"{who} lacks the right {right}: add it to the policies of this user or role"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
