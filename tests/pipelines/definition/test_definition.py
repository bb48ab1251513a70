"""definition/pipeline.py: the definition as AWS would read it, for configs of every kind."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from longspan.infra.local.control import shapes
from longspan.pipelines.config import Config, parse_config, template
from longspan.pipelines.definition import Target, definition_json
from tests.pipelines.definition.reading import (
    OPERATIONS,
    all_steps,
    references,
    request_of,
    resolved,
)

GOLDEN = Path(__file__).with_name("golden.json")

BASE = "name: kyoto\ndata:\n  pairs: s3://bucket/pairs\n"
AWS = """
training: {instance_type: ml.p3.2xlarge}
aws:
  region: eu-central-1
  role: SageMakerRole
  bucket: my-bucket
  image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/longspan:0.1.0
  kms: {volume: alias/disks, output: alias/results}
  vpc: {subnets: [subnet-1, subnet-2], security_groups: [sg-1]}
  network_isolation: true
  encrypt_traffic: true
  tags: {team: kyoto, cost: translation}
  retries: {attempts: 5, interval_seconds: 30, backoff: 1.5}
"""
VARIANTS = {
    "sample": template(),
    "minimal": BASE,
    "aws": BASE + AWS,
    "no baseline": BASE + "baseline: {enabled: false}\n",
    "no endpoint": BASE + "endpoint: {enabled: false}\n",
    "watched": BASE + "endpoint: {rollback_alarms: [longspan-5xx]}\n",
    "serverless": BASE + "endpoint: {serverless: {memory_mb: 4096}}\n",
    "spot": BASE + "training: {spot: true}\n",
    "no cache": BASE + "aws: {cache_days: 0}\n",
    "random": BASE
    + "training: {hyperparameters: {optimized_metric: bleu_long}}\n"
    + "tuning: {strategy: Random, seed: null, early_stopping: true}\n",
    "grid": BASE + "tuning: {strategy: Grid, search_space: {attention_heads: [1, 2]}}\n",
    "hyperband": BASE
    + "training: {hyperparameters: {optimized_metric: bleu_long}}\n"
    + "tuning: {strategy: Hyperband, hyperband: {min_resource: 1, max_resource: 9}}\n",
    "warm start": BASE + "tuning: {warm_start: {parents: [before]}}\n",
    "ranges": BASE
    + "tuning: {search_space: {learning_rate: {min: 0.0001, max: 0.01, scaling: Logarithmic}, "
    + "num_layers_encoder: {min: 1, max: 4}, label_smoothing: [0.0, 0.1]}}\n",
    "variables": BASE
    + "training: {variables: {B: x, A: y}}\nendpoint: {variables: {LONGSPAN_THREADS: '2'}}\n",
    "tokenizer": BASE + "evaluation: {bleu_tokenizer: intl}\n",
    "budget": BASE + "tuning: {max_runtime_minutes: 600}\n",
}


def config_of(name: str) -> Config:
    return parse_config(VARIANTS[name], name)


@functools.cache
def text_of(name: str) -> str:
    config = config_of(name)
    return definition_json(config, Target.placeholder(config))


def read(name: str) -> dict[str, Any]:
    return dict(json.loads(text_of(name)))


def defaults(definition: dict[str, Any]) -> dict[str, Any]:
    return {p["Name"]: p["DefaultValue"] for p in definition["Parameters"]}


def step(definition: dict[str, Any], name: str) -> dict[str, Any]:
    return next(found for found in all_steps(definition["Steps"]) if found["Name"] == name)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_request_is_one_that_the_service_takes(name: str) -> None:
    definition = read(name)
    parameters = defaults(definition)
    for found in all_steps(definition["Steps"]):
        if found["Type"] in OPERATIONS:
            operation = shapes.operation(OPERATIONS[found["Type"]])
            shapes.validate(request_of(found, parameters), operation.input_shape)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_reference_leads_somewhere(name: str) -> None:
    definition = read(name)
    steps = list(all_steps(definition["Steps"]))
    names = [found["Name"] for found in steps]
    assert len(set(names)) == len(names)
    parameters = defaults(definition)
    for found in steps:
        earlier = names[: names.index(found["Name"])]
        own = {k: v for k, v in found["Arguments"].items() if k not in ("IfSteps", "ElseSteps")}
        for reference in references(own):
            kind, rest = reference.split(".", 1)
            assert kind in ("Parameters", "Steps", "Execution")
            if kind == "Parameters":
                assert rest in parameters
            elif kind == "Steps":
                assert rest.split(".", 1)[0] in earlier


@pytest.mark.parametrize("name", VARIANTS)
def test_every_parameter_is_used(name: str) -> None:
    definition = read(name)
    used = set(references(definition["Steps"]))
    assert {f"Parameters.{p}" for p in defaults(definition)} <= used


@pytest.mark.long
def test_the_same_config_gives_the_same_bytes_in_any_process() -> None:
    code = (
        "from pathlib import Path\n"
        "from longspan.pipelines.config import parse_config, template\n"
        "from longspan.pipelines.definition import Target, definition_json\n"
        "c = parse_config(template(), 'sample')\n"
        "print(definition_json(c, Target.placeholder(c)))"
    )
    found = set()
    for seed, home in (("1", "/nowhere"), ("2", "/elsewhere")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "HOME": home, "TZ": f"UTC-{seed}"}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        found.add(done.stdout)
    assert len(found) == 1


def test_it_is_as_it_was() -> None:
    """An upgrade of the SDK changes nothing unseen. `GOLDEN=write` takes a change of ours over."""
    if os.environ.get("GOLDEN") == "write":
        text = json.dumps(read("aws"), indent=1, sort_keys=True)
        GOLDEN.write_text(text + "\n", encoding="utf-8")
    assert read("aws") == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_keys_network_and_tags_are_on_every_job() -> None:
    definition = read("aws")
    parameters = defaults(definition)
    for name in ("Prepare", "Evaluate"):
        request = request_of(step(definition, name), parameters)
        assert request["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"] == "alias/disks"
        assert request["ProcessingOutputConfig"]["KmsKeyId"] == "alias/results"
        network = request["NetworkConfig"]
        assert network["EnableNetworkIsolation"]
        assert network["EnableInterContainerTrafficEncryption"]
        assert network["VpcConfig"]["Subnets"] == ["subnet-1", "subnet-2"]
        assert {"Key": "team", "Value": "kyoto"} in request["Tags"]
    tuning = request_of(step(definition, "Tune"), parameters)
    training = request_of(step(definition, "TrainBaseline"), parameters)
    for request in (tuning["TrainingJobDefinition"], training):
        assert request["ResourceConfig"]["VolumeKmsKeyId"] == "alias/disks"
        assert request["OutputDataConfig"]["KmsKeyId"] == "alias/results"
        assert request["EnableNetworkIsolation"]
        assert request["EnableInterContainerTrafficEncryption"]
        assert request["VpcConfig"]["SecurityGroupIds"] == ["sg-1"]
    assert {"Key": "team", "Value": "kyoto"} in tuning["Tags"]
    assert {"Key": "team", "Value": "kyoto"} in training["Tags"]
    model = request_of(step(definition, "CreateModel"), parameters)
    assert model["EnableNetworkIsolation"]
    assert model["VpcConfig"]["Subnets"] == ["subnet-1", "subnet-2"]
    config = request_of(step(definition, "EndpointConfig"), parameters)
    assert config["KmsKeyId"] == "alias/disks"


def test_tuning_ranges_over_what_the_config_says() -> None:
    ranges = step(read("ranges"), "Tune")["Arguments"]["HyperParameterTuningJobConfig"][
        "ParameterRanges"
    ]
    assert ranges["ContinuousParameterRanges"] == [
        {
            "Name": "learning_rate",
            "MinValue": "0.0001",
            "MaxValue": "0.01",
            "ScalingType": "Logarithmic",
        }
    ]
    assert [found["Name"] for found in ranges["IntegerParameterRanges"]] == ["num_layers_encoder"]
    assert ranges["CategoricalParameterRanges"] == [
        {"Name": "label_smoothing", "Values": ["0.0", "0.1"]}
    ]


def test_all_jobs_count_the_words_of_bleu_as_the_config_says() -> None:
    steps = {step["Name"]: json.dumps(step["Arguments"]) for step in read("tokenizer")["Steps"]}
    for name in ("Tune", "TrainBaseline"):
        assert '"bleu_tokenizer": "intl"' in steps[name]
    assert '"--tokenize", "intl"' in steps["Evaluate"]
    assert '"--tokenize"' not in text_of("minimal")


def test_every_metric_of_the_trainer_is_defined_for_both_kinds_of_jobs() -> None:
    definition = read("minimal")
    training = step(definition, "TrainBaseline")["Arguments"]["AlgorithmSpecification"]
    tuning = step(definition, "Tune")["Arguments"]["TrainingJobDefinition"][
        "AlgorithmSpecification"
    ]
    assert training["MetricDefinitions"] == tuning["MetricDefinitions"]
    assert "validation:bleu_long" in {m["Name"] for m in training["MetricDefinitions"]}


def test_spot_jobs_keep_their_checkpoints_by_data_and_settings() -> None:
    definition = read("spot")
    training = step(definition, "TrainBaseline")["Arguments"]
    assert training["EnableManagedSpotTraining"]
    assert training["StoppingCondition"]["MaxWaitTimeInSeconds"] == 2 * 480 * 60
    place = training["CheckpointConfig"]["S3Uri"]
    assert list(references(place)) == ["Steps.Prepare.ProcessingJobName"]
    assert list(references(training["OutputDataConfig"])) == []
    tuning = step(definition, "Tune")["Arguments"]["TrainingJobDefinition"]
    assert tuning["EnableManagedSpotTraining"]
    assert tuning["CheckpointConfig"]["S3Uri"] != place


def test_what_counts_for_the_cache_is_the_same_in_every_execution() -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-default-keys.html"""
    definition = read("spot")
    counted = {
        "Prepare": ("AppSpecification", "Environment", "ProcessingInputs"),
        "Evaluate": ("AppSpecification", "Environment", "ProcessingInputs"),
        "TrainBaseline": (
            "AlgorithmSpecification",
            "CheckpointConfig",
            "Environment",
            "HyperParameters",
            "InputDataConfig",
        ),
        "Tune": ("HyperParameterTuningJobConfig", "TrainingJobDefinition"),
    }
    for name, members in counted.items():
        found = step(definition, name)
        assert found["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P30D"}
        for member in members:
            for reference in references(found["Arguments"].get(member)):
                assert not reference.startswith("Execution."), (name, reference)


def test_a_failed_gate_says_what_was_wanted_and_what_came() -> None:
    definition = read("minimal")
    parameters = {**defaults(definition), "MinimumBleuLong": 12.5}
    message = resolved(step(definition, "FailLong")["Arguments"]["ErrorMessage"], parameters)
    assert message.startswith(
        "gate.minimum_bleu_long: expected BLEU of at least 12.5 over 100 words, got 1.5; train "
    )


def test_without_a_baseline_nothing_refers_to_it() -> None:
    definition = read("no baseline")
    assert not [r for r in references(definition["Steps"]) if "Baseline" in r]
    inputs = step(definition, "Evaluate")["Arguments"]["ProcessingInputs"]
    assert [found["InputName"] for found in inputs] == ["model", "prepared"]


@pytest.mark.parametrize("name", VARIANTS)
def test_no_condition_stands_within_another(name: str) -> None:
    """SageMaker's guide: nested condition steps are not supported."""
    for found in read(name)["Steps"]:
        if found["Type"] == "Condition":
            inner = [*found["Arguments"]["IfSteps"], *found["Arguments"]["ElseSteps"]]
            assert "Condition" not in {step["Type"] for step in inner}


def test_only_what_is_approved_is_deployed() -> None:
    definition = read("minimal")
    deploy = step(definition, "Deploy")["Arguments"]
    assert [found["Name"] for found in deploy["IfSteps"]] == [
        "CreateModel",
        "EndpointConfig",
        "Endpoint",
    ]
    assert deploy["ElseSteps"] == []
    assert "Endpoint" not in {f["Name"] for f in all_steps(read("no endpoint")["Steps"])}


def test_the_endpoint_knows_the_source_language_and_what_the_config_sets() -> None:
    def environment(rest: str) -> dict[str, str]:
        config = parse_config(BASE.replace("data:", "data:\n  source_language: de") + rest, "x")
        definition = json.loads(definition_json(config, Target.placeholder(config)))
        request = step(definition, "Register")["Arguments"]["InferenceSpecification"]
        return dict(request["Containers"][0]["Environment"])

    assert environment("") == {"LONGSPAN_LANGUAGE": "de"}
    threads = "endpoint: {variables: {LONGSPAN_THREADS: '2'}}\n"
    assert environment(threads) == {"LONGSPAN_LANGUAGE": "de", "LONGSPAN_THREADS": "2"}
    other = "endpoint: {variables: {LONGSPAN_LANGUAGE: nl}}\n"
    assert environment(other) == {"LONGSPAN_LANGUAGE": "nl"}


def test_lineage_names_config_data_and_training_job() -> None:
    config = config_of("minimal")
    other = parse_config(BASE + "gate: {minimum_bleu_long: 11.0}\n", "other")
    hashes = set()
    for one in (config, other):
        definition = json.loads(definition_json(one, Target.placeholder(one)))
        properties = step(definition, "Register")["Arguments"]["CustomerMetadataProperties"]
        assert {"pairs", "prepared", "training_job", "execution"} <= set(properties)
        hashes.add(properties["config_sha256"])
    assert len(hashes) == 2
