"""Simulations of policies, as the SDK asks for them."""

import json
from typing import Any

import pytest

from longspan.infra.local.moto.simulation import answer_simulations
from tests.infra.local.moto.conftest import ACCOUNT, refusal


def policy(*statements: tuple[str, str, str]) -> str:
    content = [{"Effect": e, "Action": a, "Resource": r} for e, a, r in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": content})


READS = policy(("Allow", "s3:Get*", "arn:aws:s3:::data/*"), ("Allow", "sagemaker:*", "*"))
STOPS = policy(("Deny", "sagemaker:Delete*", "*"))
ACTIONS = ["s3:GetObject", "sagemaker:CreateModel", "sagemaker:DeleteModel", "iam:PassRole"]


@pytest.fixture
def iam(server: Any) -> Any:
    answer_simulations()
    _, client = server
    found = client("iam")
    trust = policy()
    role = found.create_role(RoleName="simulated", AssumeRolePolicyDocument=trust)["Role"]
    stops = found.create_policy(PolicyName="stops", PolicyDocument=STOPS)["Policy"]["Arn"]
    found.put_role_policy(RoleName="simulated", PolicyName="p", PolicyDocument=READS)
    found.attach_role_policy(RoleName="simulated", PolicyArn=stops)
    found.create_group(GroupName="readers")
    found.put_group_policy(GroupName="readers", PolicyName="p", PolicyDocument=READS)
    found.create_user(UserName="reader")
    found.add_user_to_group(GroupName="readers", UserName="reader")
    found.attach_user_policy(UserName="reader", PolicyArn=stops)
    yield found
    found.detach_role_policy(RoleName=role["RoleName"], PolicyArn=stops)
    found.delete_role_policy(RoleName="simulated", PolicyName="p")
    found.delete_role(RoleName="simulated")
    found.detach_user_policy(UserName="reader", PolicyArn=stops)
    found.remove_user_from_group(GroupName="readers", UserName="reader")
    found.delete_user(UserName="reader")
    found.delete_group_policy(GroupName="readers", PolicyName="p")
    found.delete_group(GroupName="readers")
    found.delete_policy(PolicyArn=stops)


def decisions(answer: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {
        (r["EvalActionName"], r["EvalResourceName"]): r["EvalDecision"]
        for r in answer["EvaluationResults"]
    }


@pytest.mark.parametrize("owner", ["role/simulated", "user/reader"])
def test_the_policies_of_a_role_and_of_a_user_with_its_groups(iam: Any, owner: str) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:{owner}"
    resources = ["arn:aws:s3:::data/*", "arn:aws:s3:::other/*"]
    found = decisions(
        iam.simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=ACTIONS, ResourceArns=resources
        )
    )
    assert found == {
        ("s3:GetObject", resources[0]): "allowed",
        ("s3:GetObject", resources[1]): "implicitDeny",
        **{("sagemaker:CreateModel", each): "allowed" for each in resources},
        **{("sagemaker:DeleteModel", each): "explicitDeny" for each in resources},
        **{("iam:PassRole", each): "implicitDeny" for each in resources},
    }


def test_a_group_has_only_its_own_policies(iam: Any) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:group/readers"
    found = decisions(iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=ACTIONS))
    # Without resources the action is on all of them.
    assert found == {
        ("s3:GetObject", "*"): "implicitDeny",
        ("sagemaker:CreateModel", "*"): "allowed",
        ("sagemaker:DeleteModel", "*"): "allowed",
        ("iam:PassRole", "*"): "implicitDeny",
    }


def test_given_policies_and_conditions(iam: Any) -> None:
    statement = {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": "*",
        "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    for service, decision in (("sagemaker", "allowed"), ("lambda", "implicitDeny")):
        entry = {
            "ContextKeyName": "iam:PassedToService",
            "ContextKeyValues": [f"{service}.amazonaws.com"],
            "ContextKeyType": "string",
        }
        answer = iam.simulate_custom_policy(
            PolicyInputList=[text], ActionNames=["iam:PassRole"], ContextEntries=[entry]
        )
        assert decisions(answer) == {("iam:PassRole", "*"): decision}


def test_results_come_in_pages(iam: Any) -> None:
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:role/simulated",
        ActionNames=[f"sagemaker:Create{number}" for number in range(7)],
        PaginationConfig={"PageSize": 3},
    )
    sizes = [len(page["EvaluationResults"]) for page in pages]
    assert sizes == [3, 3, 1]


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        (f"arn:aws:iam::{ACCOUNT}:role/none", "NoSuchEntity"),
        (f"arn:aws:iam::{ACCOUNT}:user/none", "NoSuchEntity"),
        (f"arn:aws:iam::{ACCOUNT}:policy/none", "ValidationError"),
    ],
)
def test_an_identity_that_does_not_exist_is_refused(iam: Any, arn: str, code: str) -> None:
    error = refusal(iam.simulate_principal_policy, PolicySourceArn=arn, ActionNames=["s3:Get"])
    assert error["Code"] == code
