"""Tags of resources, those of their creation included."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.local.control.control_client import ControlClient, open_control


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlClient]:
    with open_control(tmp_path_factory.mktemp("control")) as control:
        yield control


def tags(control: ControlClient, arn: str) -> dict[str, str]:
    found = control.call("ListTags", ResourceArn=arn)["Tags"]
    return {tag["Key"]: tag["Value"] for tag in found}


def given(**pairs: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def test_tags_are_added_changed_and_deleted(control: ControlClient) -> None:
    arn = control.call(
        "CreateModelPackageGroup", ModelPackageGroupName="tagged", Tags=given(a="1", b="2")
    )["ModelPackageGroupArn"]
    assert tags(control, arn) == {"a": "1", "b": "2"}
    answer = control.call("AddTags", ResourceArn=arn, Tags=given(b="3", c="4"))
    assert answer["Tags"] == given(a="1", b="3", c="4")
    assert control.call("DeleteTags", ResourceArn=arn, TagKeys=["a", "none"]) == {}
    assert tags(control, arn) == {"b": "3", "c": "4"}


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([*given(a="1"), *given(a="2")], "Duplicate tag keys found: a"),
        ([{"Key": "AWS:mine", "Value": "1"}], "reserved for AWS: AWS:mine"),
        ([{"Key": "", "Value": "1"}], "greater than or equal to 1"),
        ([{"Key": "a", "Value": "v" * 257}], "less than or equal to 256"),
        ([{"Key": "a!", "Value": "1"}], "regular expression"),
    ],
)
def test_bad_tags_are_refused_by_all(
    control: ControlClient, pairs: list[dict[str, Any]], said: str
) -> None:
    arn = control.model(f"bad-{abs(hash(said))}")
    for operation, request in {
        "AddTags": {"ResourceArn": arn},
        "CreateModelPackageGroup": {"ModelPackageGroupName": "never"},
    }.items():
        code, message = control.refusal(operation, **request, Tags=pairs)
        assert code == "ValidationException"
        assert said in message
    assert tags(control, arn) == {}


def test_a_resource_has_at_most_fifty(control: ControlClient) -> None:
    arn = control.model("many")
    control.call("AddTags", ResourceArn=arn, Tags=given(**{f"k{n}": "" for n in range(50)}))
    control.call("AddTags", ResourceArn=arn, Tags=given(k7="new"))
    code, message = control.refusal("AddTags", ResourceArn=arn, Tags=given(one="more"))
    assert code == "ResourceLimitExceeded"
    assert "51 tags, 50 are allowed" in message
    assert len(tags(control, arn)) == 50


@pytest.mark.parametrize(
    "resource", ["model/none", "model", "notebook-instance/a", "experiment/x", "/"]
)
@pytest.mark.parametrize("operation", ["AddTags", "ListTags", "DeleteTags"])
def test_a_resource_that_is_not_there_is_named(
    control: ControlClient, operation: str, resource: str
) -> None:
    more: dict[str, Any] = {"AddTags": {"Tags": []}, "DeleteTags": {"TagKeys": ["a"]}}.get(
        operation, {}
    )
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:{resource}"
    code, message = control.refusal(operation, ResourceArn=arn, **more)
    assert (code, arn in message) == ("ValidationException", True)


def test_a_region_knows_its_own_resources_alone(control: ControlClient) -> None:
    arn = control.model("here")
    with pytest.raises(Exception, match="does not exist in eu-west-1"):
        control.call("ListTags", region="eu-west-1", ResourceArn=arn)
