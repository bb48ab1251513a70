"""The cloud's parts together: what each of its operations needs."""

from pathlib import Path
from typing import cast

import pytest
from botocore.session import Session

from longspan.infra.local.cloud import services
from longspan.infra.local.control.clients import Clients
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.control_plane import ControlPlane
from longspan.infra.local.control.documents import Documents
from longspan.infra.local.control.threads import Threads
from longspan.infra.local.endpoints.deployments import Deployments
from longspan.infra.local.endpoints.service import Endpoints
from longspan.infra.local.moto.arns import resource
from longspan.infra.local.runtimes.runtime import Runtime

DOCUMENTATION = Path(__file__).parents[3] / "docs/local-cloud.md"


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    documents = Documents()
    context = Context(
        documents,
        Threads(documents),
        cast(Clients, None),
        cast(Runtime, None),
        tmp_path_factory.mktemp("workplace"),
        lambda: 0.0,
    )
    return ControlPlane(services(context, Endpoints(context, Deployments(context)))).operations


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
    text = DOCUMENTATION.read_text()
    usual = ("Create", "Describe", "List", "Update", "Delete", "Stop", "Start", "Retry", "Add")
    assert {name for name in operations if not name.startswith(usual)} == set()
    assert "ListTrainingJobsForHyperParameterTuningJob" in text
    assert "UpdateEndpointWeightsAndCapacities" in text
    assert "UnknownOperationException" in text
