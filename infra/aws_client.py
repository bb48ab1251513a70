"""Clients of AWS's services, from AWS's own configuration."""

from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, NoRegionError

from longspan.training.errors import LongspanError

__all__ = ["aws_client"]


def aws_client(service: str, region: str | None) -> Any:
    """Return the boto3 client of a service, in `region` or else in the configured region.

    Raises LongspanError for a configuration that is incomplete.
    """
    try:
        return boto3.Session(region_name=region).client(service)
    except NoRegionError:
        raise LongspanError(
            "expected a region, got none: give --region, or set AWS_DEFAULT_REGION"
        ) from None
    except (
        BotoCoreError,
        ValueError,
    ) as error:  # ValueError: the region is not part of a host name
        raise LongspanError(f"AWS's configuration: {error}") from None
