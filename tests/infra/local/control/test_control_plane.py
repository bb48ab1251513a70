"""From a request to an answer, with a service of three lines."""

from collections.abc import Mapping
from typing import Any

import pytest

from longspan.infra.local.control.api import (
    ApiCall,
    Document,
    Handler,
    UnknownOperation,
    ValidationError,
)
from longspan.infra.local.control.control_plane import ControlPlane


class Echo:
    def __init__(self, name: str, log: list[str], *operations: str) -> None:
        self._name, self._log, self._operations = name, log, operations

    def operations(self) -> Mapping[str, Handler]:
        return dict.fromkeys(self._operations, self._answer)

    def recover(self) -> None:
        self._log.append(f"recover {self._name}")

    def _answer(self, call: ApiCall) -> Document:
        self._log.append(call.operation)
        return {**call.request, "ModelArn": call.arn("model/a"), "Private": 1}


def call(operation: str, **request: Any) -> ApiCall:
    return ApiCall(operation, request, "us-east-1", "123456789012", "arn:aws:iam::1:user/a")


def test_an_answer_has_the_members_of_its_shape() -> None:
    plane = ControlPlane([Echo("a", [], "DescribeModel", "DeleteModel")])
    answer = plane.handle(call("DescribeModel", ModelName="a"))
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model/a"
    assert answer == {"ModelName": "a", "ModelArn": arn, "EnableNetworkIsolation": False}
    assert plane.handle(call("DeleteModel", ModelName="a")) == {}  # it has no output
    assert plane.operations == {"DescribeModel", "DeleteModel"}


def test_a_request_that_is_wrong_reaches_nobody() -> None:
    log: list[str] = []
    plane = ControlPlane([Echo("a", log, "DescribeModel", "AddTags")])
    with pytest.raises(ValidationError, match="'modelName' failed to satisfy"):
        plane.handle(call("DescribeModel", ModelName="_"))
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    with pytest.raises(ValidationError, match="Duplicate tag keys found: a"):
        plane.handle(call("AddTags", ResourceArn="arn:aws:sagemaker:a:123456789012:b", Tags=twice))
    assert log == []


def test_an_operation_that_nobody_answers_is_refused_by_name() -> None:
    with pytest.raises(UnknownOperation, match="no CreateCluster"):
        ControlPlane([]).handle(call("CreateCluster"))


def test_services_recover_in_order() -> None:
    log: list[str] = []
    plane = ControlPlane([Echo("a", log), Echo("b", log)])
    plane.recover()
    assert log == ["recover a", "recover b"]


def test_an_operation_belongs_to_one_service_and_to_sagemaker() -> None:
    with pytest.raises(ValueError, match="two services answer DescribeModel"):
        ControlPlane([Echo("a", [], "DescribeModel"), Echo("b", [], "DescribeModel")])
    with pytest.raises(Exception, match="Describemodel"):
        ControlPlane([Echo("a", [], "Describemodel")])
