"""The local account: an administrator, an execution role and a bucket."""

import json
from dataclasses import dataclass
from typing import Any

import boto3

from longspan.infra.local.control.clients import Credentials
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


def create_account(url: str, region: str) -> Account:
    """Create the missing parts of the account, before signatures are required."""
    # Any key works as long as signatures are not checked.
    session = boto3.Session("local", "local", region_name=region)
    iam = session.client("iam", endpoint_url=url)
    account = session.client("sts", endpoint_url=url).get_caller_identity()["Account"]
    user = f"{_ROLE}-administrator"
    if user not in {found["UserName"] for found in iam.list_users()["Users"]}:
        iam.create_user(UserName=user)
        iam.put_user_policy(UserName=user, PolicyName="everything", PolicyDocument=_EVERYTHING)
    if _ROLE not in {found["RoleName"] for found in iam.list_roles()["Roles"]}:
        iam.create_role(RoleName=_ROLE, AssumeRolePolicyDocument=_TRUST)
        iam.put_role_policy(RoleName=_ROLE, PolicyName="everything", PolicyDocument=_EVERYTHING)
    bucket = f"longspan-local-{account}-{region}"
    _create_bucket(session, url, bucket, region)
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


def _create_bucket(session: boto3.Session, url: str, bucket: str, region: str) -> None:
    s3 = session.client("s3", endpoint_url=url)
    if bucket in {found["Name"] for found in s3.list_buckets()["Buckets"]}:
        return
    if region == "us-east-1":  # S3 refuses this region as a constraint
        s3.create_bucket(Bucket=bucket)
    else:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
