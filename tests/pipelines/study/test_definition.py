"""The study's definition as AWS would read it."""

import json

import pytest

from longspan.infra.local.control import shapes
from longspan.pipelines.config import parse_config, template
from longspan.pipelines.definition import Target
from longspan.pipelines.study.budget import Budget
from longspan.pipelines.study.definition import Study, evaluate_step_name, study_json
from tests.pipelines.definition.reading import OPERATIONS, references, request_of

CONFIG = parse_config(template(), "sample")
STUDY = Study(Budget(90, None, 0.5), seeds=(1, 2), threads=1)
LIMITS = ("num_batches", "num_epochs", "minutes")
COURSES = ("fixed", "ngrams", "larger", "attention", "weights", "batch")


@pytest.fixture(scope="module")
def definition():
    return json.loads(study_json(CONFIG, Target.placeholder(CONFIG), STUDY))


def test_it_is_the_same_each_time():
    target = Target.placeholder(CONFIG)
    assert study_json(CONFIG, target, STUDY) == study_json(CONFIG, target, STUDY)


def test_each_request_is_what_the_api_takes(definition):
    parameters = {p["Name"]: p["DefaultValue"] for p in definition["Parameters"]}
    for step in definition["Steps"]:
        operation = shapes.operation(OPERATIONS[step["Type"]])
        shapes.validate(request_of(step, parameters), operation.input_shape)


def test_there_is_a_model_and_an_evaluation_for_each_course_and_seed(definition):
    steps = {step["Name"]: step for step in definition["Steps"]}
    assert len(steps) == len(definition["Steps"]) == 2 + 2 * 6 * 2
    for seed in STUDY.seeds:
        for course in COURSES:
            train = steps[f"Train-{course}-{seed}"]["Arguments"]
            assert train["HyperParameters"]["seed"] == str(seed)
            limits = {name: train["HyperParameters"][f"max_{name}"] for name in LIMITS}
            assert list(limits.values()) == ["23" if course == "batch" else "90", "none", "0.5"]
            assert train["Environment"]["OMP_NUM_THREADS"] == "1"
            evaluated = set(references(steps[evaluate_step_name(course, seed)]["Arguments"]))
            prepare = "PrepareNgrams" if course == "ngrams" else "Prepare"
            assert any(name.startswith(f"Steps.Train-{course}-{seed}.") for name in evaluated)
            assert any(name.startswith(f"Steps.{prepare}.") for name in evaluated)
            read = set(references(train))
            assert any(name.startswith(f"Steps.{prepare}.") for name in read)


def test_only_the_ngrams_are_prepared_otherwise(definition):
    steps = {step["Name"]: step["Arguments"] for step in definition["Steps"]}
    plain, ngrams = (
        steps[name]["AppSpecification"]["ContainerArguments"]
        for name in ("Prepare", "PrepareNgrams")
    )
    different = [(a, b) for a, b in zip(plain, ngrams, strict=True) if a != b]
    assert different == [("1000", "2000"), ("bpe", "ngram")]


def test_no_two_steps_write_to_one_place(definition):
    places = [
        json.dumps(output["S3Output"]["S3Uri"])
        for step in definition["Steps"]
        if step["Type"] == "Processing"
        for output in step["Arguments"]["ProcessingOutputConfig"]["Outputs"]
    ]
    assert len(set(places)) == len(places) == 2 + 12


def test_parameters_are_those_that_are_used(definition):
    used = set(references(definition["Steps"]))
    for parameter in definition["Parameters"]:
        assert f"Parameters.{parameter['Name']}" in used
