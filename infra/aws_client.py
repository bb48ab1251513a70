"""A client of one of AWS's services, as AWS's own configuration says."""

from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, NoRegionError

from longspan.training.errors import LongspanError

__all__ = ["aws_client"]


def aws_client(service: str, region: str | None) -> Any:
    """In `region`, else in the configuration's. Raises LongspanError where it is incomplete."""
    try:
        return boto3.Session(region_name=region).client(service)
    except NoRegionError:
        raise LongspanError(
            "expected a region, came none: give --region, or set AWS_DEFAULT_REGION"
        ) from None
    except (BotoCoreError, ValueError) as error:  # a ValueError for a name that can be no host's
        raise LongspanError(f"AWS's configuration: {error}") from None
