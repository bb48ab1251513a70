"""Names of executions and of what their steps create."""

import re

from hypothesis import given
from hypothesis import strategies as st

from longspan.infra.local.pipeline.definition.faults import fault_of_reason
from longspan.infra.local.pipeline.execution.names import execution_id, resource_name

STEPS = st.from_regex(r"[A-Za-z0-9\-_]{1,64}", fullmatch=True)
LONGEST = st.sampled_from([32, 63])


@given(STEPS, LONGEST, st.none() | STEPS)
def test_a_name_is_one_that_the_api_takes(step: str, longest: int, prefix: str | None) -> None:
    name = resource_name(execution_id(), step, longest, prefix)
    assert len(name) <= longest
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*", name)


def test_a_name_tells_the_execution_and_the_step() -> None:
    one, end = execution_id(), "-[A-Za-z0-9]{10}"
    assert re.fullmatch("[a-z0-9]{12}", one)
    assert re.fullmatch(f"pipelines-{one}-Train-it{end}", resource_name(one, "Train_it", 63))
    assert re.fullmatch(f"{one}-HyperTun{end}", resource_name(one, "HyperTuning", 32))
    assert re.fullmatch(f"mine-{one}{end}", resource_name(one, "Train", 63, "mine"))
    assert resource_name(one, "Train", 63) != resource_name(one, "Train", 63)


def test_reasons_of_jobs_are_the_faults_that_policies_name() -> None:
    assert fault_of_reason("InternalServerError: try again") == "SageMaker.JOB_INTERNAL_ERROR"
    assert fault_of_reason("CapacityError: no ml.p5.48xlarge") == "SageMaker.CAPACITY_ERROR"
    assert fault_of_reason("ResourceLimitExceeded: 0 left") == "SageMaker.RESOURCE_LIMIT"
    assert fault_of_reason("AlgorithmError: InternalServerError of my own") == ""
    assert fault_of_reason("") == ""
