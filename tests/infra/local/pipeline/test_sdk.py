"""Pipelines by SageMaker's SDK, without changes to it: covers the service of the folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import WaiterError
from botocore.httpsession import URLLib3Session

from longspan.infra.local.pipeline.definition.parsing import read_definition
from longspan.pipelines.definition import sdk
from tests.infra.local.notebook import notebook
from tests.infra.local.pipeline.pipeline_client import PipelineClient

with sdk.quiet():
    from sagemaker.core.helper.session_helper import Session
    from sagemaker.core.workflow.conditions import ConditionNot
    from sagemaker.mlops.workflow.parallelism_config import ParallelismConfiguration
    from sagemaker.mlops.workflow.selective_execution_config import SelectiveExecutionConfig
    from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep
    from sagemaker.train import ModelTrainer

# "There will be No Wait": as meant.
pytestmark = pytest.mark.filterwarnings("ignore:Running within a PipelineSession")

REPORT = (
    "import json, pathlib, sys\n"
    "folder = pathlib.Path('/opt/ml/processing/output/report')\n"
    "(folder / 'report.json').write_text(json.dumps({'gate': {'bleu': 21.5}}))\n"
)
CACHE = CacheConfig(enable_caching=True, expire_after="P30D")


@pytest.fixture(scope="module")
def session(tiny_cloud: Any) -> Iterator[Any]:
    """Of a pipeline, against the local cloud."""
    with notebook(tiny_cloud.environment):
        yield sdk.PipelineSession()


@pytest.fixture(scope="module")
def pipeline_client(tiny_cloud: Any) -> PipelineClient:
    return PipelineClient(tiny_cloud, tiny_cloud.client("sagemaker"), tiny_cloud.client("s3"))


def test_the_sdks_defaults_stay_on_this_machine(
    tiny_cloud: Any, session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bucket, role and the check of the role's rights: only the local cloud is asked."""
    asked = []
    original = URLLib3Session.send

    def send(self: Any, request: Any) -> Any:
        asked.append(request.url)
        assert request.url.startswith(tiny_cloud.environment["AWS_ENDPOINT_URL"])
        return original(self, request)

    monkeypatch.setattr(URLLib3Session, "send", send)
    plain = Session()
    assert plain.default_bucket() == tiny_cloud.bucket
    trainer = ModelTrainer(
        training_image="image",
        compute=sdk.Compute(instance_type="ml.m5.large", instance_count=1),
        sagemaker_session=plain,
    )
    assert trainer.role == tiny_cloud.role
    assert asked


def process(
    pipeline_client: PipelineClient, session: Any, name: str, script: str, **members: Any
) -> Any:
    processor = sdk.Processor(
        role=pipeline_client.cloud.role,
        image_uri="image",
        instance_count=1,
        instance_type="ml.m5.large",
        entrypoint=pipeline_client.program(script),
        sagemaker_session=session,
    )
    target = sdk.ProcessingS3Output(
        s3_uri=pipeline_client.uri(f"sdk/{name}"),
        local_path="/opt/ml/processing/output/report",
        s3_upload_mode="EndOfJob",
    )
    output = sdk.ProcessingOutput(output_name="report", s3_output=target)
    return ProcessingStep(name=name, step_args=processor.run(outputs=[output]), **members)


def train(pipeline_client: PipelineClient, session: Any, rate: Any) -> Any:
    trainer = sdk.ModelTrainer(
        sagemaker_session=session,
        role=pipeline_client.cloud.role,
        training_image="tiny",
        compute=sdk.Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=1),
        output_data_config=sdk.OutputDataConfig(s3_output_path=pipeline_client.uri("models")),
        stopping_condition=sdk.StoppingCondition(max_runtime_in_seconds=60),
        hyperparameters={"rate": rate.to_string()},
    )
    return trainer.train()


@pytest.fixture(scope="module")
def pipeline(pipeline_client: PipelineClient, session: Any) -> Any:
    """With a gate, created: the SDK takes seconds to check its own settings each time."""
    minimum = sdk.ParameterFloat(name="Minimum", default_value=20.0)
    report = sdk.PropertyFile(name="Report", output_name="report", path="report.json")
    make = process(
        pipeline_client, session, "Make", REPORT, property_files=[report], cache_config=CACHE
    )
    bleu = sdk.JsonGet(step_name="Make", property_file=report, json_path="gate.bleu")
    message = sdk.Join(on=" ", values=["BLEU", bleu, "<", minimum])
    gate = sdk.ConditionStep(
        name="Gate",
        conditions=[sdk.ConditionGreaterThanOrEqualTo(left=bleu, right=minimum)],
        else_steps=[sdk.FailStep(name="No", error_message=message)],
    )
    one = sdk.Pipeline(
        name="gated", parameters=[minimum], steps=[make, gate], sagemaker_session=session
    )
    one.upsert(role_arn=pipeline_client.cloud.role, tags=[{"Key": "team", "Value": "blue"}])
    return one


def test_upsert_updates_what_is_there(pipeline_client: PipelineClient, pipeline: Any) -> None:
    created = pipeline.describe()
    again = pipeline.upsert(role_arn=pipeline_client.cloud.role, description="again")
    assert again["PipelineArn"] == created["PipelineArn"]
    found = pipeline.describe()
    assert found["PipelineDescription"] == "again"
    assert found["PipelineDefinition"] == created["PipelineDefinition"]
    assert pipeline.latest_pipeline_version_id == 1


def test_start_wait_and_list_steps(pipeline: Any) -> None:
    execution = pipeline.start()
    execution.wait(delay=1)
    found = {step["StepName"]: step for step in execution.list_steps()}
    assert list(found) == ["Gate", "Make"]  # newest first
    assert {step["StepStatus"] for step in found.values()} == {"Succeeded"}
    assert found["Gate"]["Metadata"]["Condition"]["Outcome"] == "True"

    failed = pipeline.start(parameters={"Minimum": 22.5}, execution_display_name="strict")
    with pytest.raises(WaiterError, match="terminal failure"):
        failed.wait(delay=1)
    assert failed.describe()["PipelineExecutionDisplayName"] == "strict"
    assert failed.describe()["FailureReason"].endswith("BLEU 21.5 < 22.5")
    assert failed.list_parameters()["PipelineParameters"] == [{"Name": "Minimum", "Value": "22.5"}]
    hits = [step["CacheHitResult"] for step in failed.list_steps() if "CacheHitResult" in step]
    made = {"SourcePipelineExecutionArn": execution.arn}
    assert hits == [found["Make"].get("CacheHitResult", made)]
    newest = pipeline.list_executions()["PipelineExecutionSummaries"][0]
    assert newest["PipelineExecutionArn"] == failed.arn


def test_selective_execution_takes_the_latest_results(
    pipeline_client: PipelineClient, pipeline: Any
) -> None:
    first = pipeline.start()
    first.wait(delay=1)
    execution = pipeline.start(
        selective_execution_config=SelectiveExecutionConfig(selected_steps=["Gate"]),
        parallelism_config=ParallelismConfiguration(max_parallel_execution_steps=1),
        parameters={"Minimum": 30.0},
    )
    # Only the gate itself is selected, so nobody fails.
    execution.wait(delay=1)
    found = {step["StepName"]: step for step in execution.list_steps()}
    assert found["Make"]["SelectiveExecutionResult"] == {"SourcePipelineExecutionArn": first.arn}
    assert found["Gate"]["Metadata"]["Condition"]["Outcome"] == "False"
    assert set(found) == {"Make", "Gate"}


def test_stop(pipeline_client: PipelineClient, session: Any) -> None:
    step = process(pipeline_client, session, "Long", "import time; time.sleep(600)")
    one = sdk.Pipeline(name=pipeline_client.name("sdk"), steps=[step], sagemaker_session=session)
    one.upsert(role_arn=pipeline_client.cloud.role)
    execution = one.start()
    pipeline_client.until(execution.arn, "Long", "Executing")
    execution.stop()
    assert pipeline_client.ended(execution.arn)["PipelineExecutionStatus"] == "Stopped"
    one.delete()


def test_definitions_of_all_kinds_of_steps_are_read(
    pipeline_client: PipelineClient, session: Any
) -> None:
    rate = sdk.ParameterFloat(name="Rate", default_value=0.1)
    step = TrainingStep(
        name="Train",
        step_args=train(pipeline_client, session, rate),
        cache_config=CACHE,
        retry_policies=[
            sdk.StepRetryPolicy(
                exception_types=[sdk.StepExceptionTypeEnum.THROTTLING], expire_after_mins=5
            ),
            sdk.SageMakerJobStepRetryPolicy(
                exception_types=[sdk.SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT], max_attempts=3
            ),
        ],
    )
    seconds = step.properties.TrainingTimeInSeconds
    equal = sdk.ConditionEquals(left=seconds, right=0)
    gate = sdk.ConditionStep(name="Gate", conditions=[ConditionNot(equal)], depends_on=[step])
    one = sdk.Pipeline(
        name=pipeline_client.name("sdk"),
        parameters=[rate],
        steps=[step, gate],
        sagemaker_session=session,
    )
    found = read_definition(one.definition())
    assert list(found.steps) == ["Train", "Gate"]
    assert [policy.attempts for policy in found.steps["Train"].retries] == [None, 3, 5]
    assert found.steps["Train"].expires_after == 30 * 86_400


def test_the_projects_own_definition_is_read() -> None:
    golden = Path(__file__).parents[3] / "pipelines" / "definition" / "golden.json"
    found = read_definition(golden.read_text(encoding="utf-8"))
    assert {"Prepare", "Tune", "Evaluate", "Register", "Endpoint"} <= set(found.steps)
