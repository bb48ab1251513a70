"""Definitions: what is read from them, and what is refused before anything runs."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from longspan.infra.local.control.api import ValidationError
from longspan.infra.local.pipeline.definition.definition import Branch, Dependency
from longspan.infra.local.pipeline.definition.graph import dependencies, upstream
from longspan.infra.local.pipeline.definition.parsing import read_definition
from tests.infra.local.pipeline.pipeline_client import (
    condition,
    definition,
    equals,
    fail,
    get,
    join,
    json_get,
    parameter,
)

ROLE = "arn:aws:iam::123456789012:role/role"
YES = equals(1, 1)


def process(name: str, argument: Any = "x", **members: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": "image", "ContainerArguments": [argument]},
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            }
        },
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "report",
                    "S3Output": {"S3Uri": "s3://b/k", "S3UploadMode": "EndOfJob"},
                }
            ]
        },
        **members.pop("arguments", {}),
    }
    return {"Name": name, "Type": "Processing", "Arguments": arguments, **members}


def refused(text: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        read_definition(text)


def test_branches_are_unfolded_and_dependencies_found() -> None:
    report = {"PropertyFileName": "Report", "OutputName": "report", "FilePath": "r.json"}
    found = read_definition(
        definition(
            process("Make", get("Parameters.Text"), PropertyFiles=[report]),
            process("Also", DependsOn=["Make"]),
            condition(
                "Gate",
                equals(json_get("Make", "Report", "a"), 1),
                then=[
                    process("Yes", join("a", get("Steps.Also.ProcessingJobArn"))),
                    condition("Inner", YES, otherwise=[fail("No", get("Steps.Gate.Outcome"))]),
                ],
            ),
            process("Last", DependsOn=["Gate", {"Step": "Also", "Trigger": "Any"}]),
            parameters=[parameter("Text", "t")],
            Metadata={},
            PipelineExperimentConfig=None,
        )
    )
    assert list(found.steps) == ["Make", "Also", "Gate", "Yes", "Inner", "No", "Last"]
    assert found.steps["Yes"].branch == Branch("Gate", True)
    assert found.steps["No"].branch == Branch("Inner", False)
    assert dependencies(found, "Yes") == (Dependency("Also"),)
    assert dependencies(found, "No") == ()
    assert dependencies(found, "Last") == (Dependency("Gate"), Dependency("Also", "Any"))
    assert upstream(found, "Gate") == {"Make"}
    assert upstream(found, "Inner") == {"Gate"}
    assert upstream(found, "Last") == {"Gate", "Yes", "Inner", "No", "Also"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "Expecting start of Json Object"),
        (json.dumps({"Steps": [fail("A")]}), "Missing required property 'Version'"),
        (json.dumps({"Version": "2020-12-01"}), "Missing required property 'Steps'"),
        (json.dumps({"Version": "2021-12-01", "Steps": []}), "must be '2020-12-01'"),
        (definition(), "at least one step"),
        (definition(fail("A"), Other=1), "unknown property 'Other'"),
        (definition(fail("A"), parameters=[{"Name": "A"}]), "Missing required property 'Type'"),
    ],
)
def test_a_document_of_another_form_is_refused(text: str, words: str) -> None:
    refused(text, words)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("A", "Expecting start of Json Object"),
        ({"Type": "Fail", "Arguments": {}}, "Missing required property 'Name'"),
        ({"Name": "A", "Arguments": {}}, "Missing required property 'Type'"),
        ({"Name": "A", "Type": "Fail"}, "Step 'A': Missing required property 'Arguments'"),
        (fail("a b"), "Step name 'a b' must match"),
        (fail("a" * 65), "must match"),
        ({"Name": "A", "Type": "Train", "Arguments": {}}, "Unknown step type 'Train'"),
        (
            {"Name": "A", "Type": "Lambda", "Arguments": {}},
            "type Lambda are not supported by the local cloud. It runs Processing, Training",
        ),
        (fail("A", DependOn=["B"]), "unknown property 'DependOn'"),
        (fail("A", CacheConfig={"Enabled": False}), "unknown property 'CacheConfig'"),
        (fail("A", DependsOn="B"), "Expecting start of Json Array"),
        (fail("A", DependsOn=["B"]), "DependsOn names the unknown step 'B'"),
        (fail("A", DependsOn=[{"Step": "A", "Trigger": "Later"}]), "Trigger must be one of"),
        (fail("A", DependsOn=["A"]), "Cycle detected .*: A -> A"),
        ({"Name": "A", "Type": "Fail", "Arguments": {"Message": ""}}, "property 'Message'"),
        (condition("A"), "at least one condition"),
        (condition("A", {"Type": "Same"}), "Unknown condition type 'Same'"),
        (condition("A", {"Type": "Equals", "LeftValue": 1}), "property 'RightValue'"),
        (condition("A", {"Type": "Not", "Expression": YES}), "unknown property 'Expression'"),
        (condition("A", {"Type": "Or", "Conditions": [{}]}), r"Or\[0\]: Unknown condition type"),
        (condition("A", YES, then=[fail("A")]), "Duplicate step name 'A'"),
        (condition("A", YES, then=[fail("B", DependsOn=["A"])]), "whose branch contains the step"),
        (fail("A", get("Parameters.X")), "Parameters.X is an unknown parameter"),
        (fail("A", get("Steps.B.ProcessingJobArn")), "refers to the unknown step 'B'"),
        (fail("A", get("Steps.A.Outcome")), "refers to the step itself"),
        (fail("A", get("Execution.Id")), "is not a variable of a Fail step. .*PipelineExecutionId"),
        (fail("A", get("Execution.TrainingJobName")), "is not a variable of a Fail step"),
        (fail("A", get("Step.B")), "Step 'A': Get expects"),
        (fail("A", {"Std:Upper": "a"}), "unknown function Std:Upper"),
        (process("A", 1), r"Arguments.AppSpecification.ContainerArguments\[0\]: expected a string"),
        (process("A", arguments={"ProcessingJob": 1}), "Unknown Argument member 'ProcessingJob'"),
        (process("A", arguments={"RoleArn": None}), "Missing required Argument member 'RoleArn'"),
        (process("A", arguments={"Environment": []}), "Environment: expected an object"),
        (
            process("A", arguments={"Environment": {f"K{n}": "v" for n in range(132)}}),
            "Environment' failed to satisfy constraint: .* length less than or equal to 100",
        ),
        (process("A", arguments={"Environment": {"a b": "v"}}), "regular expression pattern"),
        (process("A", ""), "length greater than or equal to 1"),
        (process("A", PropertyFiles=[{"PropertyFileName": "R"}]), "property 'OutputName'"),
        (
            {
                "Name": "A",
                "Type": "RegisterModel",
                "Arguments": {"ModelPackageName": "p"},
            },
            "Unknown Argument member 'ModelPackageName'",
        ),
        (
            {
                "Name": "A",
                "Type": "Endpoint",
                "Arguments": {"EndpointName": "e", "EndpointConfigName": "c"},
                "RetryPolicies": [],
            },
            "unknown property 'RetryPolicies'",
        ),
        (
            {"Name": "A", "Type": "Endpoint", "Arguments": {"EndpointConfigName": "c"}},
            "Missing required Argument member 'EndpointName'",
        ),
    ],
)
def test_a_wrong_step_is_refused(step: Any, words: str) -> None:
    refused(definition(step), words)


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        (get("Steps.Make.ProcessingJobNames"), "DescribeProcessingJob has no property"),
        (get("Steps.Make.ProcessingOutputConfig.Outputs['x'].Uri"), "no property .*x.Uri"),
        (get("Steps.Make.PropertyFiles.Other"), "unknown property file.*has: Report"),
        (json_get("Make", "Other", "a"), "unknown property file"),
        (json_get("Gate", "Report", "a"), "unknown property file"),
        (get("Steps.Gate.Result"), "not a property of a Condition step"),
        (get("Steps.No.ErrorMessage"), "not a property of a Fail step"),
    ],
)
def test_a_property_that_cannot_be_is_refused(reference: Mapping[str, Any], words: str) -> None:
    report = {"PropertyFileName": "Report", "OutputName": "report", "FilePath": "r.json"}
    steps = [
        process("Make", PropertyFiles=[report]),
        condition("Gate", YES, then=[fail("No")]),
        process("Use", reference),
    ]
    refused(definition(*steps), words)


def test_a_property_file_needs_its_output() -> None:
    file = {"PropertyFileName": "R", "OutputName": "other", "FilePath": "r.json"}
    refused(definition(process("A", PropertyFiles=[file])), "Its outputs are: report")
    file["OutputName"] = "report"
    refused(definition(process("A", PropertyFiles=[file, file])), "Duplicate property file name")


@pytest.mark.parametrize(
    "steps",
    [
        [
            process("A", DependsOn=["B"]),
            process("B", DependsOn=["C"]),
            process("C", DependsOn=["A"]),
        ],
        [process("A", get("Steps.B.ProcessingJobArn")), process("B", DependsOn=["A"])],
        [
            condition("A", equals(get("Steps.B.ProcessingJobArn"), "x"), then=[process("B")]),
        ],
        [
            condition("A", YES, then=[process("B", DependsOn=["C"])]),
            process("C", DependsOn=["A"]),
        ],
    ],
)
def test_steps_in_a_circle_are_refused(steps: Any) -> None:
    refused(definition(*steps), "Cycle detected in pipeline definition: [ABC] -> [ABC]")


def test_tuning_steps_have_the_best_jobs_among_their_properties() -> None:
    limits = {"MaxParallelTrainingJobs": 1, "MaxNumberOfTrainingJobs": 1}
    request = {"HyperParameterTuningJobConfig": {"Strategy": "Random", "ResourceLimits": limits}}
    tune = {"Name": "Tune", "Type": "Tuning", "Arguments": request}
    best = get("Steps.Tune.TrainingJobSummaries[0].TrainingJobName")
    read_definition(definition(tune, process("A", best)))
    best = get("Steps.Tune.BestTrainingJob.TrainingJobName")
    read_definition(definition(tune, process("A", best)))
    wrong = get("Steps.Tune.TrainingJobSummaries[0].Name")
    refused(definition(tune, process("A", wrong)), "has no property TrainingJobSummaries.0.Name")
