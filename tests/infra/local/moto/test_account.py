"""What a fresh account holds, and that it is created once."""

import json
from collections.abc import Iterator

import boto3
import pytest
from moto.moto_api._internal import moto_api_backend

from longspan.infra.local.control.clients import Credentials
from longspan.infra.local.moto.account import Account, create_account
from longspan.infra.local.moto.server import MotoServer

ANYBODY = Credentials("local", "local")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = MotoServer(any_key=True)
    url = server.start()
    moto_api_backend.reset()
    yield url
    # The state is the process's: the next module gets none of what was changed here.
    moto_api_backend.reset()
    server.stop()


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_it_has_a_bucket_a_role_and_an_administrator(url: str, region: str) -> None:
    account = create_account(url, region, ANYBODY)
    administrator = account.administrator
    session = boto3.Session(administrator.key, administrator.secret, region_name=region)
    place = session.client("s3", endpoint_url=url).get_bucket_location(Bucket=account.bucket)
    assert (place["LocationConstraint"] or "us-east-1") == account.region == region
    iam = session.client("iam", endpoint_url=url)
    role = iam.get_role(RoleName=account.role_arn.rpartition("/")[2])["Role"]
    assert role["Arn"] == account.role_arn
    assert "sagemaker.amazonaws.com" in json.dumps(role["AssumeRolePolicyDocument"])
    who = session.client("sts", endpoint_url=url).get_caller_identity()
    assert who["Account"] == account.id


def test_once_more_it_is_the_same(url: str) -> None:
    first: Account = create_account(url, "us-east-1", ANYBODY)
    assert create_account(url, "us-east-1", ANYBODY) == first


def test_what_a_user_changed_of_it_stays(url: str) -> None:
    account = create_account(url, "us-east-1", ANYBODY)
    session = boto3.Session("a", "b", region_name="us-east-1")
    iam = session.client("iam", endpoint_url=url)
    name = account.role_arn.rpartition("/")[2]
    iam.delete_role_policy(RoleName=name, PolicyName="everything")
    create_account(url, "us-east-1", ANYBODY)
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == []
