"""Requests to endpoints and their responses, including errors.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = [
    "UNAVAILABLE",
    "Invocation",
    "InvocationResponse",
    "error_response",
    "model_error",
    "unavailable",
    "unsupported",
    "validation_error",
]

UNAVAILABLE = 503  # status of the response when no container answers

# Features that no endpoint of the local cloud has: header and member of a request that asks for it.
_UNSUPPORTED = {
    "Target-Model": "TargetModel",
    "Target-Container-Hostname": "TargetContainerHostname",
    "Inference-Component": "InferenceComponentName",
    "Enable-Explanations": "EnableExplanations",
    "Session-Id": "SessionId",
}


@dataclass(frozen=True)
class Invocation:
    """One request to an endpoint's `/invocations`."""

    endpoint: str
    account: str
    region: str
    body: bytes
    content_type: str
    accept: str
    headers: Mapping[str, str]  # X-Amzn-SageMaker-*, as the client sent them

    def header(self, name: str) -> str | None:
        """Return the value of the header `X-Amzn-SageMaker-<name>`, or None."""
        # Names of HTTP headers have no case.
        wanted = f"x-amzn-sagemaker-{name}".lower()
        return next((v for k, v in self.headers.items() if k.lower() == wanted), None)


@dataclass(frozen=True)
class InvocationResponse:
    """Response to an invocation, from the container or from SageMaker's runtime."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def error_response(status: int, code: str, message: str) -> InvocationResponse:
    """Return the error of a request that did not reach a container."""
    return _error(status, code, {"Message": message})


def validation_error(message: str) -> InvocationResponse:
    """Return the error of an invalid request."""
    return error_response(400, "ValidationError", message)


def unsupported(invocation: Invocation) -> InvocationResponse | None:
    """Return the error of a request that needs more than one model in one container, or None."""
    for header, member in _UNSUPPORTED.items():
        if invocation.header(header) is not None:
            return validation_error(
                f"{member} is not supported by endpoint {invocation.endpoint}, which serves one "
                "model in one container: leave it out"
            )
    return None


def unavailable(message: str) -> InvocationResponse:
    """Return the error of a container that does not answer; clients retry by themselves."""
    return error_response(UNAVAILABLE, "ServiceUnavailable", message)


def model_error(
    invocation: Invocation, status: int, said: str, log_stream: str
) -> InvocationResponse:
    """Return the error for a container's own error; `status` 0 stands for a timeout."""
    side = "client" if 400 <= status < 500 else "server"
    region, account = invocation.region, invocation.account
    group = f"/aws/sagemaker/Endpoints/{invocation.endpoint}"
    return _error(
        424,
        "ModelError",
        {
            "Message": f'Received {side} error ({status}) from primary with message "{said}". See '
            f"the log group {group} in account {account} for more information.",
            "OriginalMessage": said,
            "OriginalStatusCode": status,
            "LogStreamArn": f"arn:aws:logs:{region}:{account}:log-group:{group}:log-stream:"
            f"{log_stream}",
        },
    )


def _error(status: int, code: str, body: Mapping[str, str | int]) -> InvocationResponse:
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code}
    return InvocationResponse(status, headers, json.dumps(body).encode())
