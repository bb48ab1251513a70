"""Requirements of the gate: as the pipeline's conditions have them, on models of every kind."""

import json
import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.inference.evaluation.evaluation import Evaluation, evaluate_translations
from longspan.inference.evaluation.files import evaluation_document
from longspan.infra.local.pipeline.definition.conditions import holds
from longspan.infra.local.pipeline.definition.expressions import Reference, evaluate_expression
from longspan.pipelines.config import Config, OwnCorpus, own_template, parse_config, template
from longspan.pipelines.definition import Target, definition_json
from longspan.pipelines.definition.requirements import requirements_of, unmet
from longspan.training.pairs.columns import Columns
from tests.pipelines.definition.reading import all_steps

SAMPLE = parse_config(template())
OWN = parse_config(own_template(OwnCorpus(["pairs.tsv"], Columns()), "ml.g5.xlarge"))
DEFINITION = json.loads(definition_json(OWN, Target.placeholder(OWN)))
STEPS = {step["Name"]: step["Arguments"] for step in all_steps(DEFINITION["Steps"])}
BLEU = st.floats(0, 30).map(lambda value: round(value, 2))
CHANGE = st.floats(-5, 5).map(lambda value: round(value, 2))
SHARE = st.floats(0, 1).map(lambda value: round(value, 3))
FIGURES = st.fixed_dictionaries(
    {
        "bleu_long": BLEU,
        "bleu_short": BLEU,
        "bleu_medium": BLEU,
        "bleu_long_change": CHANGE,
        "bleu_short_change": CHANGE,
        "share_kept": SHARE,
        "distinct": SHARE,
        "training_complete": st.sampled_from([0.0, 1.0]),
    }
)


class Values:
    """The parameters' defaults, and an evaluation with these figures."""

    def __init__(self, figures: Mapping[str, float]) -> None:
        self._parameters = {p["Name"]: p["DefaultValue"] for p in DEFINITION["Parameters"]}
        self._document = {"gate": dict(figures)}

    def get(self, reference: Reference) -> Any:
        return self._parameters[reference.name]

    def property_file(self, reference: Reference) -> Any:
        return self._document

    def json_at(self, uri: str) -> Any:
        raise AssertionError(uri)


@given(FIGURES)
def test_the_pipeline_judges_as_the_command_tells(figures: dict[str, float]) -> None:
    values = Values(figures)
    told = dict(unmet(OWN, figures))
    for requirement in requirements_of(OWN):
        gate = STEPS[f"Gate{requirement.name}"]
        passes = all(holds(condition, values) for condition in gate["Conditions"])
        assert passes == (requirement.name not in told)
        if not passes:
            message = evaluate_expression(STEPS[f"Fail{requirement.name}"]["ErrorMessage"], values)
            assert message == told[requirement.name]
    for step in ("Release", "Deploy"):
        released = all(holds(condition, values) for condition in STEPS[step]["Conditions"])
        assert released == (not told)


@pytest.mark.parametrize("config", [SAMPLE, OWN])
def test_each_message_names_its_key_what_was_expected_and_what_came(config: Config) -> None:
    worst = {name: -100.0 for requirement in requirements_of(config) for name in _all(requirement)}
    keys = {key for key in type(config.gate).model_fields if key != "minimum_share_kept"}
    told = dict(unmet(config, worst))
    # The share kept is not judged where every sentence is wrong.
    assert "Kept" not in told
    assert {message.split(":")[0].removeprefix("gate.") for message in told.values()} == keys
    for message in told.values():
        assert re.search(r"expected .*, got .*; .*gate\.\w+", message)
        assert "{" not in message
        assert len(message) < 1024  # AWS's limit of a step's failure reason


def _all(requirement: Any) -> list[str]:
    return re.findall(r"{(\w+)}", requirement.text) + list(requirement.figures)


def test_the_share_is_judged_from_the_least_bleu_on() -> None:
    good = {name: 100.0 for requirement in requirements_of(OWN) for name in _all(requirement)}
    for medium, names in ((8.0, ["Kept"]), (7.99, ["Short"])):
        figures = {**good, "bleu_medium": medium, "share_kept": 0.69}
        assert [name for name, _ in unmet(OWN, figures)] == names


def test_without_a_baseline_no_change_is_judged() -> None:
    alone = parse_config("data: {pairs: a.tsv}\nbaseline: {enabled: false}\n")
    names = {requirement.name for requirement in requirements_of(alone)}
    assert names == {requirement.name for requirement in requirements_of(OWN)} - {
        "LongChange",
        "ShortChange",
    }


def test_training_that_was_not_complete_passes_only_where_it_is_allowed() -> None:
    good = {name: 100.0 for requirement in requirements_of(OWN) for name in _all(requirement)}
    early = {**good, "training_complete": 0.0}
    [(name, message)] = unmet(OWN, early)
    assert name == "Complete"
    assert message.startswith("gate.allow_incomplete_training: expected ")
    allowed = "data: {pairs: a.tsv}\ngate: {allow_incomplete_training: true}\n"
    assert list(unmet(parse_config(allowed), early)) == []


PAGES = sorted((Path(__file__).parents[3] / "docs").glob("*.md"))


def prose() -> list[str]:
    """Real text of all lengths: sentences of this project's pages, joined to any length."""
    text = " ".join(re.sub(r"```.*?```|\|", " ", page.read_text(), flags=re.S) for page in PAGES)
    sentences = [" ".join(s.split()) for s in re.split(r"(?<=[.:;])\s+", text)]
    sentences = [s for s in sentences if 3 <= len(s.split()) <= 40]
    dice, found = random.Random(1), list(sentences[:300])
    for size in (2, 4, 8, 12, 16):
        found += [" ".join(dice.sample(sentences, size)) for _ in range(60)]
    return found


REFERENCES = prose()


def translated(hypotheses: list[str]) -> Evaluation:
    return evaluate_translations(REFERENCES, REFERENCES, hypotheses, resamples=2)


def lacks(config: Config, evaluation: Evaluation) -> set[str]:
    figures = evaluation_document(evaluation, against=evaluation)["gate"]
    return {name for name, _ in unmet(config, figures)} - {"LongChange", "ShortChange"}


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.95, 1.0])
def test_what_says_the_same_to_everything_is_refused_on_real_text(share: float) -> None:
    by_length = sorted(REFERENCES, key=len)
    same = by_length[int(share * (len(by_length) - 1))]
    evaluation = translated([same] * len(REFERENCES))
    assert evaluation.kept is None
    for config in (SAMPLE, OWN):
        assert lacks(config, evaluation) == {"Long", "Short", "Distinct"}


def test_a_model_of_24_bleu_passes_on_real_text_and_not_on_the_sample() -> None:
    dice = random.Random(2)
    hypotheses = [
        " ".join(w if dice.random() < 0.48 else "wrong" for w in text.split())
        for text in REFERENCES
    ]
    evaluation = translated(hypotheses)
    assert 18 < evaluation.long.quality.bleu < 30
    assert lacks(OWN, evaluation) == set()
    assert lacks(SAMPLE, evaluation) >= {"Long", "Short"}
