"""Jobs of the image, prepare, train and evaluate, on the local cloud: covers the runs of jobs."""

import json
from pathlib import Path
from typing import Any

import pytest

from longspan.pipelines.definition import sdk
from longspan.training.loop.metrics import metric_definitions
from longspan.training.sample.directory import write_sample
from longspan.training.sample.generator import SampleSettings
from tests.infra.local.jobs.job_client import JobClient
from tests.infra.local.notebook import notebook

with sdk.quiet():
    from sagemaker.core.helper.session_helper import Session
    from sagemaker.core.training.configs import MetricDefinition

SMALL = {
    "rnn_num_hidden": "16",
    "num_embed_source": "16",
    "num_embed_target": "16",
    "attention_dimension": "16",
    "attention_heads": "2",
    "batch_tokens": "400",
    "learning_rate": "0.01",
    "max_num_batches": "12",
    "checkpoint_frequency_num_batches": "6",
    "bleu_sample_size": "4",
    "optimized_metric": "bleu_long",
}


@pytest.fixture(scope="module")
def job_client(
    cloud: Any, sagemaker: Any, s3: Any, tmp_path_factory: pytest.TempPathFactory
) -> JobClient:
    return JobClient(cloud, sagemaker, s3, tmp_path_factory.mktemp("scripts"))


def image_job(command: str, *arguments: str) -> dict[str, Any]:
    entrypoint = ["python", "-m", "longspan.pipelines.jobs", command]
    return {
        "AppSpecification": {
            "ImageUri": "image",
            "ContainerEntrypoint": entrypoint,
            **({"ContainerArguments": list(arguments)} if arguments else {}),
        }
    }


def given(name: str, uri: str) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"/opt/ml/processing/input/{name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        },
    }


def result(name: str, uri: str) -> dict[str, Any]:
    target = {
        "S3Uri": uri,
        "LocalPath": f"/opt/ml/processing/output/{name}",
        "S3UploadMode": "EndOfJob",
    }
    return {"Outputs": [{"OutputName": name, "S3Output": target}]}


def train(job_client: JobClient) -> str:
    """By the SDK, which waits and shows the log; the job's name."""
    with notebook(job_client.cloud.environment):
        source = sdk.S3DataSource(
            s3_data_type="S3Prefix",
            s3_uri=job_client.uri("prepared"),
            s3_data_distribution_type="FullyReplicated",
        )
        trainer = sdk.ModelTrainer(
            sagemaker_session=Session(),
            role=job_client.cloud.role,
            training_image="image",
            base_job_name="sdk",
            compute=sdk.Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=1),
            output_data_config=sdk.OutputDataConfig(s3_output_path=job_client.uri("models")),
            stopping_condition=sdk.StoppingCondition(max_runtime_in_seconds=600),
            input_data_config=[
                sdk.Channel(
                    channel_name="prepared", data_source=sdk.DataSource(s3_data_source=source)
                )
            ],
            hyperparameters=SMALL,
        ).with_metric_definitions([MetricDefinition(**lower(d)) for d in metric_definitions()])
        trainer.train(wait=True, logs=True)
    [newest] = job_client.sagemaker.list_training_jobs(MaxResults=1)["TrainingJobSummaries"]
    return str(newest["TrainingJobName"])


def lower(definition: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in definition.items()}


@pytest.mark.long
def test_from_pairs_to_an_evaluation(job_client: JobClient, tmp_path: Path) -> None:
    write_sample(tmp_path, SampleSettings(pairs=400, validation=20, test_per_bucket=4))
    for split in ("train", "validation", "test"):
        job_client.put(f"pairs/{split}/{split}.tsv", (tmp_path / f"{split}.tsv").read_bytes())

    prepare = job_client.process(
        "",
        **image_job("prepare", "--vocabulary-size", "400"),
        ProcessingInputs=[
            given("pairs", job_client.uri("pairs/train")),
            given("validation", job_client.uri("pairs/validation")),
            given("test", job_client.uri("pairs/test")),
        ],
        ProcessingOutputConfig=result("prepared", job_client.uri("prepared")),
    )
    done = job_client.processed(prepare)
    assert done["ProcessingJobStatus"] == "Completed", done.get("FailureReason")
    assert "manifest.json" in job_client.keys("prepared/")

    job = job_client.trained(train(job_client))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    metrics = {metric["MetricName"] for metric in job["FinalMetricDataList"]}
    assert {"validation:bleu_long", "validation:perplexity"} <= metrics

    model = job["ModelArtifacts"]["S3ModelArtifacts"]
    evaluate = job_client.process(
        "",
        **image_job(
            "evaluate", "--beam-size", "1", "--max-length-factor", "1", "--resamples", "20"
        ),
        ProcessingInputs=[
            given("model", model),
            given("baseline", model),
            given("prepared", job_client.uri("prepared")),
        ],
        ProcessingOutputConfig=result("evaluation", job_client.uri("evaluation")),
    )
    done = job_client.processed(evaluate)
    assert done["ProcessingJobStatus"] == "Completed", done.get("FailureReason")
    evaluation = json.loads(job_client.get("evaluation/evaluation.json"))
    assert evaluation["gate"]["bleu_long_change"] == 0  # the same model twice
    assert "report.html" in job_client.keys("evaluation/")
