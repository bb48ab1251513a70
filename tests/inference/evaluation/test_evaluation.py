"""Evaluation by length: buckets, joined segments, notes, comparison, table and files."""

import json
from pathlib import Path

import numpy as np
import pytest
import sacrebleu

from longspan.inference.evaluation.evaluation import (
    Quality,
    compare_evaluations,
    evaluate_translations,
)
from longspan.inference.evaluation.files import (
    escape,
    evaluation_document,
    unescape,
    write_evaluation,
)
from longspan.inference.evaluation.table import render_table
from longspan.training.buckets import BUCKETS
from longspan.training.errors import DataError
from longspan.training.model.outcome import TrainingOutcome
from tests.document_pieces import compared_documents

DOCS = Path(__file__).parents[3] / "docs"


def make(lengths, quality=0.8, **options):
    """Segments of these lengths, each reference token kept with probability `quality`."""
    generator = np.random.default_rng(0)
    references = [" ".join(generator.choice(list("abcdefgh"), size=n)) for n in lengths]
    hypotheses = [
        " ".join(t if generator.random() < quality else "x" for t in r.split()) for r in references
    ]
    options.setdefault("tokenize", "none")
    options.setdefault("resamples", 100)
    return evaluate_translations(references, references, hypotheses, **options)


LENGTHS = [3, 5, 8, 15, 25, 40, 60, 90, 150] * 20


def test_every_segment_is_in_the_bucket_of_its_source_words():
    evaluation = make(LENGTHS)
    assert [g.name for g in evaluation.buckets] == [b.name for b in BUCKETS]
    assert [g.quality.segments for g in evaluation.buckets] == [40, *[20] * 7]
    assert sorted(i for g in evaluation.buckets for i in g.members) == list(range(180))
    assert evaluation.all.quality.segments == 180


def test_a_bucket_scores_what_sacrebleu_says_of_its_segments():
    evaluation = make(LENGTHS)
    bleu = sacrebleu.BLEU(tokenize="none", force=True)
    for group in [*evaluation.buckets, evaluation.all]:
        texts = evaluation.segments
        hypotheses = [texts.hypotheses[i] for i in group.members]
        references = [texts.references[i] for i in group.members]
        score = bleu.corpus_score(hypotheses, [references]).score
        assert group.quality.bleu == pytest.approx(score)
        assert group.quality.bleu_interval.low <= score <= group.quality.bleu_interval.high
        assert group.quality.chrf == pytest.approx(
            sacrebleu.CHRF().corpus_score(hypotheses, [references]).score
        )
        assert group.quality.length_ratio == 1


def test_an_empty_bucket_is_shown_with_null_figures_and_noted():
    evaluation = make([3, 4, 50])
    by_name = {g.name: g.quality for g in evaluation.buckets}
    assert by_name["over 100"] == by_name["6-10"] == Quality(0)
    assert by_name["1-5"].segments == 2
    assert "no segments of 6-10, 11-20, 21-30, 51-75, 76-100, over 100" in evaluation.notes[0]
    assert evaluation.long.name == "all lengths"
    assert "too few segments of over 100" in evaluation.notes[1]
    table = render_table(evaluation, evaluation)
    assert "over 100" in table
    json.dumps(evaluation_document(evaluation, against=evaluation), allow_nan=False)


def test_long_is_over_100_words_without_a_note_where_there_are_enough():
    evaluation = make(LENGTHS)
    assert evaluation.long.name == "over 100"
    assert evaluation.long.quality == evaluation.buckets[-1].quality
    assert evaluation.notes == ()


def test_joined_segments_are_reported_apart():
    joined = [n == 150 and i % 2 == 0 for i, n in enumerate(LENGTHS)]
    evaluation = make(LENGTHS, joined=joined)
    group = evaluation.buckets[-1]
    assert (group.natural.segments, group.joined.segments) == (10, 10)
    assert group.natural.bleu != group.joined.bleu
    assert evaluation.buckets[0].joined == Quality(0)
    assert "over 100 (joined)" in render_table(make([3, 150], joined=[False, True]))
    lines = render_table(evaluation).splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith("over 100"))
    assert lines[place + 1].split()[:2] == ["natural", "10"]
    assert lines[place + 2].split()[:2] == ["joined", "10"]


def test_rates():
    evaluation = evaluate_translations(
        ["one two"] * 4,
        ["a b c d e"] * 4,
        ["a b c d e", "", " ", "a b c d a b c d"],
        finished=[True, True, False, False],
        looping=[False, False, True, False],
        tokenize="none",
        resamples=10,
    )
    quality = evaluation.all.quality
    assert quality.empty_rate == 0.5
    assert quality.unfinished_rate == 0.25
    assert quality.looping_rate == 0.25
    assert quality.repetition_rate == pytest.approx(1 / 7)
    assert quality.reference_repetition_rate == 0
    assert quality.length_ratio == pytest.approx(13 / 20)
    assert make([3]).all.quality.unfinished_rate is None
    assert make([3]).all.quality.looping_rate is None


def test_references_without_any_token_do_not_divide_by_zero():
    evaluation = evaluate_translations(["a", ""], ["", ""], ["x", ""], resamples=5)
    assert evaluation.all.quality.length_ratio is None
    assert evaluation.all.quality.bleu == 0
    assert evaluation.buckets[0].quality.segments == 2


def test_the_same_input_gives_the_same_figures_and_the_seed_moves_the_interval():
    assert make(LENGTHS) == make(LENGTHS)
    moved = make(LENGTHS, seed=2).all.quality
    assert moved.bleu == make(LENGTHS).all.quality.bleu
    assert moved.bleu_interval != make(LENGTHS).all.quality.bleu_interval


def test_comparison_per_bucket():
    better, worse = make(LENGTHS, 0.9), make(LENGTHS, 0.6)
    worse_again = make(LENGTHS, 0.6)
    assert list(better.segments.references) == list(worse_again.segments.references)
    paired = compare_evaluations(better, worse)
    assert set(paired) == {"all", "long", *(b.name for b in BUCKETS)}
    for name, group in zip([b.name for b in BUCKETS], better.buckets, strict=True):
        other = next(g for g in worse.buckets if g.name == name)
        assert paired[name].difference == pytest.approx(group.quality.bleu - other.quality.bleu)
    assert paired["over 100"].p_value < 0.05
    assert compare_evaluations(worse, worse_again)["all"].p_value == 1
    assert compare_evaluations(make([3]), make([3]))["over 100"] is None


def test_different_tests_are_not_compared():
    with pytest.raises(DataError, match="same references"):
        compare_evaluations(make([3, 4]), make([3]))
    with pytest.raises(DataError, match="same tokenizer"):
        compare_evaluations(make([3]), make([3], tokenize="13a"))


def test_nothing_and_unequal_lists_are_refused():
    with pytest.raises(DataError, match="at least one segment"):
        evaluate_translations([], [], [])
    with pytest.raises(DataError, match="expected 2 hypotheses, one a source, got 1"):
        evaluate_translations(["a", "b"], ["a", "b"], ["a"])


def test_the_table_is_aligned():
    evaluation, against = make(LENGTHS), make(LENGTHS, 0.5, finished=[True] * len(LENGTHS))
    lines = render_table(evaluation, against).splitlines()
    rule = lines[1]
    assert set(rule) == {"-"}
    head, body = lines[0], lines[2 : lines.index(rule, 2)]
    assert len(body) == len(BUCKETS) + 2
    assert {len(line) for line in [head, *body]} == {len(rule)}
    ends = [head.rindex(title) + len(title) for title in ("segments", "chrF", "gain")]
    assert all(
        line[end - 1] != " " and line[end : end + 1] in ("", " ") for line in body for end in ends
    )
    assert all(
        f"{g.quality.bleu:.1f}" in line for g, line in zip(evaluation.buckets, body, strict=False)
    )


# --- files ---------------------------------------------------------------------------------


def check(value, schema, root, where="$"):
    """The part of JSON Schema that `evaluation.schema.json` uses."""
    if "$ref" in schema:
        return check(value, root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root, where)
    if "anyOf" in schema:
        kind = next(s for s in schema["anyOf"] if (s.get("type") == "null") == (value is None))
        return check(value, kind, root, where)
    types = {
        "object": dict, "array": list, "string": str, "integer": int, "number": (int, float),
        "boolean": bool, "null": type(None),
    }  # fmt: skip
    if "const" in schema:
        assert value == schema["const"], where
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        assert any(isinstance(value, types[n]) for n in names), f"{where}: {value!r} not {names}"
    if isinstance(value, dict):
        assert set(schema.get("required", ())) <= value.keys(), where
        properties = schema.get("properties", {})
        if schema.get("additionalProperties", True) is False:
            assert value.keys() <= properties.keys(), f"{where}: {value.keys() - properties.keys()}"
        for name, entry in value.items():
            inner = properties.get(name, schema.get("additionalProperties", True))
            if inner is not True:
                check(entry, inner, root, f"{where}.{name}")
    if isinstance(value, list):
        assert schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 1e9), where
        for i, entry in enumerate(value):
            check(entry, schema["items"], root, f"{where}[{i}]")
    return None


@pytest.mark.parametrize("lengths", [LENGTHS, [3]])
def test_the_document_is_what_the_schema_says(lengths):
    schema = json.loads((DOCS / "evaluation.schema.json").read_text())
    evaluation = make(lengths, finished=[True] * len(lengths))
    check(evaluation_document(evaluation, details={"system": "model"}), schema, schema)
    against, training = (
        make(lengths, 0.5),
        {
            "model": TrainingOutcome(complete=True, reason="r", updates=1, tokens=2),
            "against": TrainingOutcome(),
        },
    )
    check(evaluation_document(evaluation, against=against, training=training), schema, schema)
    check(evaluation_document(evaluation, documents=compared_documents()), schema, schema)
    broken = evaluation_document(evaluation)
    broken["all"]["bleu"] = "30"
    with pytest.raises(AssertionError, match=r"all\.bleu"):
        check(broken, schema, schema)


def test_every_field_of_the_document_is_described():
    text = (DOCS / "evaluation-schema.md").read_text()
    document = evaluation_document(
        make(LENGTHS), against=make(LENGTHS, 0.5), documents=compared_documents()
    )
    documents = document["documents"]
    names = set(documents).union(*(documents[key][0] for key in ("units", "lengths", "places")))
    names |= set(document) | set(document["all"]) | set(document["metrics"])
    names |= (
        set(document["comparison"]["all"])
        | set(document["gate"])
        | set(TrainingOutcome().model_dump())
    )
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []


def test_files(tmp_path):
    sources = ["a\tb", "line\nbreak \\n", "plain"]
    evaluation = evaluate_translations(
        sources,
        ["x", "y", "z"],
        ["x", "", "\ud800"],
        scores=[-1.5, -2.0, -3.0],
        finished=[True, False, True],
        looping=[False, True, False],
        joined=[False, True, False],
        resamples=5,
    )
    write_evaluation(tmp_path / "new" / "out", evaluation, against=evaluation)
    folder = tmp_path / "new" / "out"
    assert sorted(p.name for p in folder.iterdir()) == [
        "against.translations.tsv",
        "evaluation.json",
        "translations.tsv",
    ]
    document = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    assert (document["format"], document["version"]) == ("longspan-evaluation", 1)
    text = (folder / "translations.tsv").read_text(encoding="utf-8")
    head, *rows = [line.split("\t") for line in text.splitlines()]
    assert " ".join(head) == (
        "source reference hypothesis words bucket score finished joined looping omissions "
        "duplications"
    )
    assert [unescape(row[0]) for row in rows] == sources
    assert rows[1][1:] == ["y", "", "3", "1-5", "-2.000000", "0", "1", "1", "", ""]


@pytest.mark.parametrize("text", ["", "a\tb\\tc", "\\", "\r\n\\n", "\\\\t"])
def test_escaping_is_reversible_and_keeps_to_one_field(text):
    assert unescape(escape(text)) == text
    assert not set(escape(text)) & set("\t\r\n")
