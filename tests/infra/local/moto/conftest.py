"""moto's server in this process, with boto3 clients of it."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from longspan.infra.local.moto.server import MotoServer

ACCOUNT = "123456789012"


@pytest.fixture
def server() -> Iterator[tuple[MotoServer, Callable[..., Any]]]:
    """A server, and boto3 clients of it, which do not try again."""
    started = MotoServer(any_key=True)
    url = started.start()
    once = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})

    def client(service: str, region: str = "us-east-1") -> Any:
        session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name=region)
        return session.client(service, endpoint_url=url, config=once)

    yield started, client
    started.stop()


def refusal(call: Callable[..., Any], **request: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    response = caught.value.response
    return {**response["Error"], "status": response["ResponseMetadata"]["HTTPStatusCode"]}
