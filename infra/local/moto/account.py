"""The local account: an administrator, an execution role and a bucket."""

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from longspan.infra.local.control.clients import Clients, Credentials
from longspan.infra.local.moto import internals

__all__ = ["Account", "create_account"]

_ROLE = "longspan-local"
_EVERYTHING = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
)
_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sagemaker.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


@dataclass(frozen=True)
class Account:
    """Names and credentials that a client needs; the role may do everything."""

    id: str
    region: str
    administrator: Credentials
    role_arn: str
    bucket: str


def create_account(url: str, region: str, credentials: Credentials) -> Account:
    """Create the missing parts of the account; no policy limits the credentials yet."""
    clients = Clients(url, credentials).in_region(region)
    iam = clients.client("iam")
    account = clients.client("sts").get_caller_identity()["Account"]
    user = f"{_ROLE}-administrator"
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_user(UserName=user)
        iam.put_user_policy(UserName=user, PolicyName="everything", PolicyDocument=_EVERYTHING)
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=_ROLE, AssumeRolePolicyDocument=_TRUST)
        iam.put_role_policy(RoleName=_ROLE, PolicyName="everything", PolicyDocument=_EVERYTHING)
    bucket = f"longspan-local-{account}-{region}"
    _create_bucket(clients.client("s3"), bucket, region)
    return Account(
        id=account,
        region=region,
        administrator=_access_key(iam, user),
        role_arn=f"arn:aws:iam::{account}:role/{_ROLE}",
        bucket=bucket,
    )


def _access_key(iam: Any, user: str) -> Credentials:
    """Return the user's access key: the restored one if there is one, else a new one."""
    keys = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
    if keys:
        found = keys[0]["AccessKeyId"]
        return Credentials(found, internals.secret_of(found))
    created = iam.create_access_key(UserName=user)["AccessKey"]
    return Credentials(created["AccessKeyId"], created["SecretAccessKey"])


def _create_bucket(s3: Any, bucket: str, region: str) -> None:
    # S3 refuses us-east-1 as a constraint.
    place = {} if region == "us-east-1" else {"LocationConstraint": region}
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": place} if place else {}))
