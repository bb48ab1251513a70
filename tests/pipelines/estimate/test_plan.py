"""What `longspan run --dry-run` says a run would create, against the definition."""

import json

import pytest

from longspan.pipelines.config import parse_config
from longspan.pipelines.definition import Target, definition_json
from longspan.pipelines.estimate.plan import PlanRow, plan_lines, plan_rows
from longspan.pipelines.study.budget import Budget
from longspan.pipelines.study.definition import Study, study_json
from tests.pipelines.definition.reading import all_steps
from tests.pipelines.definition.test_definition import BASE, VARIANTS, read


def rows_of(text: str) -> list[PlanRow]:
    config = parse_config(text)
    return plan_rows(config, json.loads(definition_json(config, Target.placeholder(config))))


@pytest.mark.parametrize("name", VARIANTS)
def test_every_step_of_every_config_is_told(name: str) -> None:
    config = parse_config(VARIANTS[name])
    definition = read(name)
    rows = plan_rows(config, definition)
    told = {row.step for row in rows} | {row.what.split()[0] for row in rows}
    assert {step["Name"] for step in all_steps(definition["Steps"])} <= told
    assert PlanRow("first", "pipeline", config.name) in rows
    assert not any("{" in row.what or "None" in row.what for row in rows)


def test_the_sample_is_told_as_it_will_be() -> None:
    place = "s3://bucket/longspan/longspan-sample"
    rows = rows_of(VARIANTS["sample"])
    for row in (
        PlanRow("first", "objects", f"{place}/data/pairs/<hash>/"),
        PlanRow("Prepare", "processing job", "1 x ml.m5.xlarge, at most 120 minutes"),
        PlanRow("Prepare", "objects", f"{place}/runs/<execution>/prepared/"),
        PlanRow(
            "Tune", "training jobs", "6, 2 at a time, each 1 x ml.m5.xlarge, at most 30 minutes"
        ),
        PlanRow("TrainBaseline", "objects", f"{place}/models/<job>/output/"),
        PlanRow("GateLong", "only if", "gate.bleu_long >= MinimumBleuLong (75.0)"),
        PlanRow("GateLong", "otherwise", "FailLong fails the run"),
        PlanRow(
            "GateKept",
            "only if",
            "(gate.bleu_medium < MinimumBleuShort (80.0) or "
            "gate.share_kept >= MinimumShareKept (0.85))",
        ),
        PlanRow("Release", "only if", "all conditions above"),
        PlanRow("Register", "model package group", "longspan-sample"),
        PlanRow("CreateModel", "model", "longspan-sample-<execution>-<suffix>"),
        PlanRow(
            "EndpointConfig", "endpoint config", "longspan-sample-<execution>, 1 x ml.m5.large"
        ),
        PlanRow("Endpoint", "endpoint", "longspan-sample, or an update of it"),
    ):
        assert row in rows


def test_what_only_some_configs_have_is_told() -> None:
    rows = rows_of(
        BASE
        + "training: {spot: true}\n"
        + "endpoint: {autoscaling: {min_instances: 1, max_instances: 3}}\n"
    )
    [job] = [row.what for row in rows if row.kind == "training job"]
    assert ", spot, " in job
    place = "s3://bucket/longspan/kyoto/checkpoints/<Prepare.ProcessingJobName>/tuning/"
    assert PlanRow("Tune", "objects", place) in rows
    assert PlanRow("then", "autoscaling", "of kyoto: 1 to 3 machines") in rows
    # Data that lies on S3 is not uploaded.
    assert [row for row in rows if row.step == "first"] == [PlanRow("first", "pipeline", "kyoto")]
    serverless = rows_of(VARIANTS["serverless"])
    assert PlanRow(
        "EndpointConfig", "endpoint config", "kyoto-<execution>, serverless, 4096 MB"
    ) in (serverless)


def test_lines_name_a_step_once_and_break_no_address() -> None:
    address = f"s3://bucket/{'long-prefix/' * 20}"
    rows = [
        PlanRow("A", "objects", address),
        PlanRow("A", "job", "b"),
        PlanRow("C", "job", "word " * 40),
    ]
    lines = list(plan_lines(rows))

    assert [line.split()[0] for line in lines if not line.startswith(" ")] == ["A", "C"]
    assert any(address in line for line in lines)


def test_steps_that_create_the_same_are_told_once() -> None:
    config = parse_config(VARIANTS["sample"])
    study = study_json(
        config, Target.placeholder(config), Study(Budget(90, None, 0.0), seeds=(1, 2))
    )
    rows = plan_rows(config, json.loads(study))
    [first, *others] = [
        step["Name"] for step in json.loads(study)["Steps"] if step["Type"] == "Training"
    ]
    assert PlanRow(first, "likewise", ", ".join(others)) in rows
    assert {row.step for row in rows} == {"first", "Prepare", first, "Evaluate-fixed-1"}


def test_what_deploys_nothing_scales_nothing() -> None:
    scaling = "endpoint: {autoscaling: {min_instances: 1, max_instances: 3}}\n"
    config = parse_config(BASE + scaling)
    rows = plan_rows(
        config,
        json.loads(study_json(config, Target.placeholder(config), Study(Budget(90, None, 0.0)))),
    )
    assert not any(row.kind == "autoscaling" for row in rows)
