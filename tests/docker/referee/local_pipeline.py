"""SageMaker's local pipeline: Prepare, Train, Evaluate, Condition. S3-PREFIX HYPERPARAMETERS."""

import json
import os
import sys

import boto3
from sagemaker.core.processing import Processor
from sagemaker.core.shapes import (
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)
from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.core.workflow.functions import JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat
from sagemaker.core.workflow.pipeline_context import LocalPipelineSession as CapturingSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.local import LocalPipelineSession as RunningSession
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData

PREFIX, HYPERPARAMETERS = sys.argv[1], json.loads(sys.argv[2])
THREADS = {"OMP_NUM_THREADS": "1"}  # as the Makefile has it: small matrices gain nothing from more
IMAGE, ROLE = os.environ["LONGSPAN_IMAGE"], os.environ["LONGSPAN_ROLE_ARN"]


class Session(RunningSession, CapturingSession):
    """One of the SDK's two classes of this name runs pipelines, the other captures steps."""

    def _initialize(self, *arguments, **members):
        super()._initialize(*arguments, **members)
        for name in ("create", "update", "describe", "delete"):
            setattr(self.sagemaker_client, f"{name}_pipeline", getattr(self, f"{name}_pipeline"))
        self.sagemaker_client.start_pipeline_execution = self.start_pipeline_execution


def processor(session: Session, job: str) -> Processor:
    return Processor(
        role=ROLE,
        image_uri=IMAGE,
        instance_count=1,
        instance_type="local",
        entrypoint=["python", "-m", "longspan.pipelines.jobs", job],
        sagemaker_session=session,
        env=THREADS,
    )


def given(name: str, uri: object) -> ProcessingInput:
    source = ProcessingS3Input(
        s3_uri=uri,
        local_path=f"/opt/ml/processing/input/{name}",
        s3_data_type="S3Prefix",
        s3_input_mode="File",
    )
    return ProcessingInput(input_name=name, s3_input=source)


def made(name: str) -> ProcessingOutput:
    target = ProcessingS3Output(
        s3_uri=f"{PREFIX}/{name}",
        local_path=f"/opt/ml/processing/output/{name}",
        s3_upload_mode="EndOfJob",
    )
    return ProcessingOutput(output_name=name, s3_output=target)


def prepare(session: Session) -> ProcessingStep:
    arguments = processor(session, "prepare").run(
        inputs=[given("pairs", f"{PREFIX}/pairs")],
        outputs=[made("prepared")],
        arguments=["--vocabulary-size", "600", "--validation-size", "40", "--test-size", "40"],
    )
    return ProcessingStep("Prepare", step_args=arguments)


def train(session: Session, prepared: object) -> TrainingStep:
    trainer = ModelTrainer(
        sagemaker_session=session,
        training_image=IMAGE,
        role=ROLE,
        compute=Compute(instance_type="local", instance_count=1, volume_size_in_gb=30),
        hyperparameters=HYPERPARAMETERS,
        environment=THREADS,
        base_job_name="referee",
    )
    data = InputData(channel_name="prepared", data_source=prepared)
    return TrainingStep("Train", step_args=trainer.train(input_data_config=[data]))


def evaluate(session: Session, prepared: object, model: object, file: PropertyFile):
    arguments = processor(session, "evaluate").run(
        inputs=[given("model", model), given("prepared", prepared)],
        outputs=[made("evaluation")],
        arguments=["--beam-size", "1"],
    )
    return ProcessingStep("Evaluate", step_args=arguments, property_files=[file])


def gate(
    name: str, file: PropertyFile, minimum: object, passed: list[ConditionStep]
) -> ConditionStep:
    value = JsonGet(step_name="Evaluate", property_file=file, json_path="gate.bleu_long")
    return ConditionStep(
        name,
        conditions=[ConditionGreaterThanOrEqualTo(left=value, right=minimum)],
        if_steps=passed,
        else_steps=[FailStep(f"Fail{name}", error_message=f"below the bound of {name}")],
    )


def main() -> None:
    session = Session(
        boto_session=boto3.Session(), default_bucket=PREFIX.removeprefix("s3://").split("/")[0]
    )
    file = PropertyFile(name="Evaluation", output_name="evaluation", path="evaluation.json")
    minimum = ParameterFloat("MinimumBleuLong", default_value=0.0)
    prepared = prepare(session)
    corpus = prepared.properties.ProcessingOutputConfig.Outputs["prepared"].S3Output.S3Uri
    trained = train(session, corpus)
    model = trained.properties.ModelArtifacts.S3ModelArtifacts
    evaluated = evaluate(session, corpus, model, file)
    # What any model reaches, and behind it what one as small as this cannot: the SDK stops at the
    # first step that fails, and of steps that do not wait for each other it takes any first.
    high = gate("HighGate", file, 99.0, [])
    low = gate("Gate", file, minimum, [high])
    pipeline = Pipeline(
        name="referee",
        parameters=[minimum],
        steps=[prepared, trained, evaluated, low],
        sagemaker_session=session,
    )
    pipeline.create(ROLE)
    execution = pipeline.start(parameters={"MinimumBleuLong": 0.0})
    steps = execution.list_steps()["PipelineExecutionSteps"]
    print(json.dumps({s["StepName"]: [s["StepStatus"], s.get("FailureReason", "")] for s in steps}))


main()
