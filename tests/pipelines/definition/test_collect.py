"""definition/preparation.py, the step Collect: several machines read the pairs for Prepare."""

import json
from typing import Any

from longspan.pipelines.config import parse_config, template
from longspan.pipelines.definition import Target, definition_json
from longspan.pipelines.estimate.cost import estimate


def config(machines: int) -> Any:
    parsed = parse_config(template(), "the template")
    preparation = parsed.preparation.model_copy(update={"instance_count": machines})
    return parsed.model_copy(update={"preparation": preparation})


def steps(machines: int) -> dict[str, Any]:
    made = config(machines)
    definition = json.loads(definition_json(made, Target.placeholder(made)))
    return {step["Name"]: step for step in definition["Steps"]}


def inputs(step: dict[str, Any]) -> dict[str, Any]:
    return {one["InputName"]: one["S3Input"] for one in step["Arguments"]["ProcessingInputs"]}


def test_one_machine_needs_no_step_of_its_own():
    assert "Collect" not in steps(1)


def test_each_machine_gets_its_share_and_prepare_gets_all():
    found = steps(3)
    collect, prepare = found["Collect"], found["Prepare"]
    cluster = collect["Arguments"]["ProcessingResources"]["ClusterConfig"]
    assert cluster["InstanceCount"] == 3
    assert set(inputs(collect)) == {"pairs"}
    assert inputs(collect)["pairs"]["S3DataDistributionType"] == "ShardedByS3Key"
    assert prepare["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceCount"] == 1
    assert "pairs" not in inputs(prepare)
    collected = inputs(prepare)["collected"]
    assert collected["S3Uri"] == {
        "Get": "Steps.Collect.ProcessingOutputConfig.Outputs['collected'].S3Output.S3Uri"
    }
    # They must agree on what a pair is.
    arguments = [
        step["Arguments"]["AppSpecification"]["ContainerArguments"] for step in (collect, prepare)
    ]
    assert arguments[0] == arguments[1]


def test_it_costs():
    names = [item.name for item in estimate(config(3)).items]
    assert names[:2] == ["Collect", "Prepare"]
    [collect] = [item for item in estimate(config(3)).items if item.name == "Collect"]
    assert "3 x" in collect.note
