"""Steps of the definition: how they follow each other, are tried again, and what the SDK sees."""

import json
from typing import Any

import pytest

from longspan.infra.local.pipeline.definition.parsing import read_definition
from longspan.pipelines.definition import Target, build_pipeline
from tests.pipelines.definition.reading import all_steps, references
from tests.pipelines.definition.test_definition import VARIANTS, config_of, read, step, text_of

# https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html
RETRIED = {"Processing", "Training", "Tuning", "Model", "RegisterModel"}


def needs(definition: dict[str, Any], name: str) -> set[str]:
    """The steps that must have ended before this one starts."""
    arguments = step(definition, name)["Arguments"]
    own = {k: v for k, v in arguments.items() if k not in ("IfSteps", "ElseSteps")}
    return {r.split(".")[1] for r in references(own) if r.startswith("Steps.")}


@pytest.mark.parametrize("name", VARIANTS)
def test_the_local_cloud_reads_it(name: str) -> None:
    found = read_definition(text_of(name))
    assert set(found.steps) == {one["Name"] for one in all_steps(read(name)["Steps"])}


def test_each_step_waits_for_what_it_needs_and_no_more() -> None:
    definition = read("spot")
    assert needs(definition, "Prepare") == set()
    # These two run side by side.
    assert needs(definition, "Tune") == {"Prepare"}
    assert needs(definition, "TrainBaseline") == {"Prepare"}
    assert needs(definition, "Evaluate") == {"Prepare", "Tune", "TrainBaseline"}
    for name in ("GateLong", "GateShort", "FailLong", "FailShort", "Release", "Deploy"):
        assert needs(definition, name) == {"Evaluate"}
    assert needs(definition, "Register") == {"Prepare", "Tune", "Evaluate"}
    assert needs(definition, "CreateModel") == {"Register"}
    assert needs(definition, "EndpointConfig") == {"CreateModel"}
    assert needs(definition, "Endpoint") == {"EndpointConfig"}


def test_only_steps_that_aws_tries_again_say_so() -> None:
    for found in all_steps(read("aws")["Steps"]):
        assert ("RetryPolicies" in found) == (found["Type"] in RETRIED), found["Name"]
        for policy in found.get("RetryPolicies", []):
            assert (policy["MaxAttempts"], policy["IntervalSeconds"]) == (5, 30)
            assert policy["BackoffRate"] == 1.5


def test_jobs_of_a_tuning_job_are_tried_again_within_it() -> None:
    tune = step(read("aws"), "Tune")
    kinds = {kind for policy in tune["RetryPolicies"] for kind in policy["ExceptionType"]}
    assert "SageMaker.JOB_INTERNAL_ERROR" not in kinds
    strategy = tune["Arguments"]["TrainingJobDefinition"]["RetryStrategy"]
    assert strategy == {"MaximumRetryAttempts": 5}


def test_without_a_cache_no_step_asks_for_one() -> None:
    assert not [one for one in all_steps(read("no cache")["Steps"]) if "CacheConfig" in one]


def test_the_sdk_sees_the_same_pipeline() -> None:
    config = config_of("aws")
    pipeline = build_pipeline(config, Target.placeholder(config))
    found = {k: v for k, v in json.loads(pipeline.definition()).items() if v is not None}
    assert found == read("aws")
    assert pipeline.name == "kyoto"


def test_variables_of_the_config_reach_the_containers() -> None:
    definition = read("variables")
    expected = {"A": "y", "B": "x"}
    assert step(definition, "TrainBaseline")["Arguments"]["Environment"] == expected
    assert step(definition, "Tune")["Arguments"]["TrainingJobDefinition"]["Environment"] == expected
    (container,) = step(definition, "Register")["Arguments"]["InferenceSpecification"]["Containers"]
    assert container["Environment"] == {"LONGSPAN_LANGUAGE": "en", "LONGSPAN_THREADS": "2"}


def test_alarms_of_the_config_watch_the_update() -> None:
    watched = step(read("watched"), "Endpoint")["Arguments"]["DeploymentConfig"]
    assert watched["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": "longspan-5xx"}]}
    assert "BlueGreenUpdatePolicy" in watched


def test_serverless_endpoints_have_no_machines() -> None:
    definition = read("serverless")
    (variant,) = step(definition, "EndpointConfig")["Arguments"]["ProductionVariants"]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 4096, "MaxConcurrency": 5}
    assert "InstanceType" not in variant
    assert "EndpointInstanceType" not in {p["Name"] for p in definition["Parameters"]}


@pytest.mark.parametrize("name", ["minimal", "random", "grid", "hyperband"])
def test_each_strategy_is_asked_for_as_the_config_says(name: str) -> None:
    config = config_of(name)
    tuning = step(read(name), "Tune")["Arguments"]["HyperParameterTuningJobConfig"]
    assert tuning["Strategy"] == config.tuning.strategy
    limits = tuning["ResourceLimits"]
    assert limits["MaxNumberOfTrainingJobs"] == config.tuning.number_of_jobs
    assert limits["MaxParallelTrainingJobs"] == config.tuning.parallel_jobs
    early = "Auto" if config.tuning.early_stopping else "Off"
    assert tuning["TrainingJobEarlyStoppingType"] == early
    assert tuning.get("RandomSeed") == config.tuning.seed
    resources = tuning.get("StrategyConfig", {}).get("HyperbandStrategyConfig")
    assert resources == ({"MinResource": 1, "MaxResource": 9} if name == "hyperband" else None)


def test_a_warm_start_names_its_parents() -> None:
    warm = step(read("warm start"), "Tune")["Arguments"]["WarmStartConfig"]
    assert warm["WarmStartType"] == "TransferLearning"
    parents = warm["ParentHyperParameterTuningJobs"]
    assert parents == [{"HyperParameterTuningJobName": "before"}]
