"""The cloud's parts together: what each of its operations needs."""

import re

import pytest
from botocore.session import Session

from longspan.infra.local.moto.arns import resource
from tests.infra.local.conformance import PAGE, answered_operations, conformance_table, table_of


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    return answered_operations(tmp_path_factory.mktemp("workplace"))


def test_every_operation_is_about_a_resource_that_policies_can_name(
    operations: frozenset[str],
) -> None:
    """Lists of a kind are about none, in AWS's list too."""
    service = Session().get_service_model("sagemaker")
    without = set()
    for name in operations:
        shape = service.operation_model(name).input_shape
        request = dict.fromkeys(shape.required_members, "name")
        # AWS asks for these without saying so in its model.
        request.setdefault("ModelPackageName", "name")
        request.setdefault("PipelineExecutionArn", "arn:aws:sagemaker:a:b:pipeline/c")
        request.setdefault("ResourceArn", "arn:aws:sagemaker:a:b:c")
        if resource(name, request, "us-east-1", "123456789012") == "*":
            without.add(name)
    assert without == {
        "ListEndpointConfigs",
        "ListEndpoints",
        "ListHyperParameterTuningJobs",
        "ListModelPackageGroups",
        "ListModelPackages",
        "ListModels",
        "ListPipelines",
        "ListProcessingJobs",
        "ListTrainingJobs",
        "ListTransformJobs",
    }


def test_what_can_be_created_can_be_described_and_listed(operations: frozenset[str]) -> None:
    created = {name.removeprefix("Create") for name in operations if name.startswith("Create")}
    assert len(created) == 10
    for kind in created:
        assert {f"Describe{kind}", f"List{kind}s"} <= operations


def test_the_documentation_names_what_is_done_beyond_the_usual_verbs(
    operations: frozenset[str],
) -> None:
    text = PAGE.read_text()
    usual = ("Create", "Describe", "List", "Update", "Delete", "Stop", "Start", "Retry", "Add")
    assert {name for name in operations if not name.startswith(usual)} == set()
    assert "ListTrainingJobsForHyperParameterTuningJob" in text
    assert "UpdateEndpointWeightsAndCapacities" in text
    assert "UnknownOperationException" in text


def test_the_table_of_operations_is_that_of_botocore(operations: frozenset[str]) -> None:
    """`python tests/infra/local/conformance.py` writes it."""
    table = conformance_table(operations)
    assert table_of(PAGE.read_text(encoding="utf-8")) == table
    # No operation is left out.
    listed = set(re.findall(r"\w+", table))
    for name in Session().get_service_model("sagemaker").operation_names:
        assert any(name.endswith(f"{kind}{end}") for kind in listed for end in ("", "s", "es")) or (
            name.endswith("ies") and any(name.endswith(f"{kind[:-1]}ies") for kind in listed)
        ), name
