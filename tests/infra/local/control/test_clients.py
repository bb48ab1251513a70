"""Clients of the local cloud: one of a kind, in the role's name."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from longspan.infra.local.control.api import ValidationError
from longspan.infra.local.control.clients import Clients, Credentials
from longspan.infra.local.moto.account import create_account
from longspan.infra.local.moto.server import MotoServer


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    server = MotoServer(any_key=True)
    url = server.start()
    yield Clients(url, create_account(url, "us-east-1", Credentials("a", "b")).administrator)
    server.stop()


def role(clients: Clients, name: str, principal: Any, **more: str) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    created = (
        clients.in_region("us-east-1")
        .client("iam")
        .create_role(
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement}),
            **more,
        )
    )
    return str(created["Role"]["Arn"])


SAGEMAKER = {"Service": "sagemaker.amazonaws.com"}


def test_a_client_is_made_once_for_a_region(clients: Clients) -> None:
    here, there = clients.in_region("us-east-1"), clients.in_region("eu-west-1")
    assert here.client("s3") is clients.in_region("us-east-1").client("s3")
    assert here.client("s3") is not there.client("s3")
    assert there.client("s3").meta.region_name == "eu-west-1"
    assert there.client("sagemaker").meta.endpoint_url == clients.url


def test_a_roles_clients_are_the_roles(clients: Clients) -> None:
    arn = role(clients, "jobs", SAGEMAKER)
    # A session's name has at least two characters and at most 64.
    for session in ("a", "x" * 63):
        found = clients.as_role(arn, "eu-west-1", session)
        assert found.region == "eu-west-1"
        assert found.credentials.token
        who = found.client("sts").get_caller_identity()["Arn"]
        assert ":assumed-role/jobs/SageMaker-" in who


@pytest.mark.parametrize(
    ("name", "principal"),
    [
        ("several", {"Service": ["lambda.amazonaws.com", "sagemaker.amazonaws.com"]}),
        ("all", "*"),
    ],
)
def test_trust_has_several_forms(clients: Clients, name: str, principal: Any) -> None:
    arn = role(clients, name, principal, Path="/service-role/")
    assert ":role/service-role/" in arn
    clients.as_role(arn, "us-east-1", "job")


@pytest.mark.parametrize(
    ("name", "principal"),
    [
        ("lambda", {"Service": "lambda.amazonaws.com"}),
        ("account", {"AWS": "arn:aws:iam::123456789012:root"}),
    ],
)
def test_a_role_that_does_not_trust_sagemaker_is_refused(
    clients: Clients, name: str, principal: Any
) -> None:
    arn = role(clients, name, principal)
    with pytest.raises(ValidationError, match=r"does not name sagemaker\.amazonaws\.com"):
        clients.as_role(arn, "us-east-1", "job")


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::123456789012:role/none",
        "arn:aws:iam::123456789012:role/other/longspan-local",
        "arn:aws:iam::999999999999:role/longspan-local",
        "longspan-local",
    ],
)
def test_a_role_that_is_not_there_is_refused(clients: Clients, arn: str) -> None:
    with pytest.raises(ValidationError, match=f"Could not assume role {arn}"):
        clients.as_role(arn, "us-east-1", "job")


def test_an_agent_is_told(clients: Clients) -> None:
    told = Clients(clients.url, Credentials("a", "b"), "somebody").in_region("us-east-1")
    assert "somebody" in told.client("s3").meta.config.user_agent_extra
