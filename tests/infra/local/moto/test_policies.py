"""What policies allow, by AWS's evaluation logic."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.infra.local.moto.policies import ALLOWED, DENIED, NEUTRAL, evaluate_policies

ROLE = "arn:aws:iam::123456789012:role/jobs"
MODEL = "arn:aws:sagemaker:us-east-1:123456789012:model/one"


def statement(effect: str = "Allow", **members: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "sagemaker:*", "Resource": "*", **members}


def decided(*statements: dict[str, Any], action: str = "sagemaker:CreateModel", **more: Any) -> str:
    return evaluate_policies(
        [{"Statement": list(statements)}], action, more.pop("resource", MODEL), more
    )


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, ALLOWED),
        ({"Action": "*"}, ALLOWED),
        ({"Action": "SageMaker:createmodel"}, ALLOWED),  # actions have no case
        ({"Action": ["s3:GetObject", "sagemaker:Create?odel"]}, ALLOWED),
        ({"Action": "sagemaker:Create"}, NEUTRAL),
        ({"Action": "sagemaker.CreateModel"}, NEUTRAL),
        ({"Resource": MODEL}, ALLOWED),
        ({"Resource": MODEL.upper()}, NEUTRAL),
        ({"Resource": [MODEL + "s", "arn:aws:sagemaker:*:*:model/o*"]}, ALLOWED),
        ({"Resource": "arn:aws:sagemaker:us-east-1:123456789012:model/on"}, NEUTRAL),
        ({"Resource": []}, NEUTRAL),
    ],
)
def test_a_statement_concerns_what_it_names(members: dict[str, Any], expected: str) -> None:
    assert decided(statement(**members)) == expected


def test_what_a_statement_does_not_name_it_may_name_by_its_opposite() -> None:
    all_but = {"Effect": "Allow", "NotAction": "iam:*", "NotResource": ROLE}
    assert decided(all_but) == ALLOWED
    assert decided(all_but, action="iam:PassRole") == NEUTRAL
    assert decided(all_but, resource=ROLE) == NEUTRAL
    assert decided({"Effect": "Allow", "Action": "*"}) == NEUTRAL  # no resource at all


def test_a_deny_wins_over_every_allow() -> None:
    deny = statement("Deny", Action="sagemaker:CreateModel")
    for order in ([statement(), deny], [deny, statement()]):
        assert decided(*order) == DENIED
    policies = [{"Statement": statement()}, {"Statement": deny}]
    assert evaluate_policies(policies, "sagemaker:CreateModel", MODEL) == DENIED
    assert evaluate_policies(policies, "sagemaker:DeleteModel", MODEL) == ALLOWED
    assert evaluate_policies([], "sagemaker:DeleteModel", MODEL) == NEUTRAL


@pytest.mark.parametrize(
    ("operator", "value", "met"),
    [
        ("StringEquals", "sagemaker.amazonaws.com", True),
        ("StringEquals", ["lambda.amazonaws.com", "sagemaker.amazonaws.com"], True),
        ("StringEquals", "lambda.amazonaws.com", False),
        ("StringEqualsIfExists", "lambda.amazonaws.com", False),
        ("StringNotEquals", "lambda.amazonaws.com", True),
        ("StringNotEquals", "sagemaker.amazonaws.com", False),
        ("StringLike", "sagemaker.*", True),
        ("ForAnyValue:StringLike", "lambda.*", False),
        ("StringNotLike", "sage*", False),
        ("Null", "false", True),
        ("Null", "true", False),
    ],
)
def test_conditions_on_keys_that_are_known(operator: str, value: Any, met: bool) -> None:
    condition = {operator: {"IAM:PassedToService": value}}
    context = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    pass_role = {"action": "iam:PassRole", "resource": ROLE}
    allow = statement(Action="iam:PassRole", Condition=condition)
    assert decided(allow, **pass_role, **context) == (ALLOWED if met else NEUTRAL)
    deny = statement("Deny", Action="iam:PassRole", Condition=condition)
    everything = statement(Action="*")
    assert decided(everything, deny, **pass_role, **context) == (DENIED if met else ALLOWED)


def test_an_unknown_condition_neither_refuses_nor_denies() -> None:
    for condition in (
        {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
        {"DateGreaterThan": {"aws:RequestedRegion": "x"}},
    ):
        known = {"aws:RequestedRegion": "us-east-1"}
        assert decided(statement(Condition=condition), **known) == ALLOWED
        deny = statement("Deny", Condition=condition)
        assert decided(statement(), deny, **known) == ALLOWED


@given(st.text(st.characters(exclude_characters="*?")), st.text(max_size=5))
def test_only_wildcards_are_special(text: str, more: str) -> None:
    assert decided(statement(Resource=text), resource=text) == ALLOWED
    assert decided(statement(Resource=text + "*"), resource=text + more) == ALLOWED
    if more:
        assert decided(statement(Resource=text), resource=text + more) == NEUTRAL


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=12))
def test_wildcards_match_as_they_are_described(wildcards: str, text: str) -> None:
    plain = re.escape(wildcards).replace(r"\*", ".*").replace(r"\?", ".")
    expected = ALLOWED if re.fullmatch(plain, text) else NEUTRAL
    assert decided(statement(Resource=wildcards), resource=text) == expected


def test_many_wildcards_take_no_time() -> None:
    """A search that tries every place of each of them would outlive the machine."""
    assert decided(statement(Resource="*a" * 40 + "b"), resource="a" * 1500) == NEUTRAL
