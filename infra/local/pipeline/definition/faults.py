"""Failures of steps, and the fault types that retry policies name.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html
"""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

__all__ = ["StepFailure", "fault_of_reason", "invoking"]

_THROTTLING = ("Throttling", "ThrottlingException", "TooManyRequestsException", "SlowDown")
_CAPACITY = ("CapacityError", "InsufficientCapacity")
_LIMIT = "ResourceLimitExceeded"


class StepFailure(Exception):
    """An attempt of a step failed; `fault` is the type for retry policies, or empty."""

    def __init__(self, reason: str, fault: str = "") -> None:
        super().__init__(reason)
        self.fault = fault


@contextmanager
def invoking(action: str) -> Iterator[None]:
    """Raise StepFailure for an error of calling an operation, as `sagemaker:CreateTrainingJob`."""
    try:
        yield
    except ClientError as error:
        message = error.response["Error"].get("Message") or str(error)
        code = error.response["Error"]["Code"]
        raise _failure(action, f"{message} ({code})", _fault(error)) from None
    # Without any response: retried like a fault of the service.
    except (ConnectionError, HTTPClientError) as error:
        raise _failure(action, str(error), "Step.SERVICE_FAULT") from None
    except BotoCoreError as error:  # the client refuses to send the request
        raise _failure(action, " ".join(str(error).split()), "") from None


def _failure(action: str, details: str, fault: str) -> StepFailure:
    return StepFailure(f"ClientError: Failed to invoke {action}. Error Details: {details}", fault)


def _fault(error: ClientError) -> str:
    code = error.response["Error"]["Code"]
    message = error.response["Error"].get("Message", "")
    # Before the status: SlowDown of S3 has 503, the status of a fault of the service.
    if code in _THROTTLING or "Rate exceeded" in message:
        return "Step.THROTTLING"
    if code == _LIMIT:
        return "SageMaker.RESOURCE_LIMIT"
    if any(word in f"{code} {message}" for word in _CAPACITY):
        return "SageMaker.CAPACITY_ERROR"
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return "Step.SERVICE_FAULT" if status >= 500 else ""


def fault_of_reason(reason: str) -> str:
    """Return the fault type for the FailureReason of a job, or an empty string."""
    if any(word in reason for word in _CAPACITY):
        return "SageMaker.CAPACITY_ERROR"
    if _LIMIT in reason:
        return "SageMaker.RESOURCE_LIMIT"
    return "SageMaker.JOB_INTERNAL_ERROR" if reason.startswith("InternalServerError") else ""
