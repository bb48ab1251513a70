"""SageMaker's handler functions alone: no server, no workers."""

import csv
import io
import json
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from longspan.inference.refusals import BadRequest, NotAcceptable, TooLong
from longspan.inference.server.handler import ServedModel, input_fn, model_fn, output_fn, predict_fn
from longspan.inference.translation.parts import Limits
from longspan.training.errors import ModelDirectoryError


@pytest.fixture(scope="module")
def model(model_directory: Path) -> ServedModel:
    return model_fn(model_directory)


def answer(model: ServedModel, body: object, accept: str | None = None, given: str | None = None):
    content_type = given or "application/json"
    text = body if isinstance(body, str) else json.dumps(body)
    content, media = output_fn(predict_fn(input_fn(text, content_type), model), accept)
    return json.loads(content) if media == "application/json" else content.decode()


def test_the_built_ins_client_gets_target_and_matrix(model: ServedModel):
    instance = {"data": "w1 w2", "configuration": {"attention_matrix": "true"}}
    got = answer(model, {"instances": [instance, {"data": "w3"}]})
    first, second = got["predictions"]
    assert second.keys() <= {"target", "finished"}
    assert len(first["matrix"]) == len(first["target"].split())
    assert all(len(row) == len(first["source_tokens"]) for row in first["matrix"])
    assert sum(first["matrix"][0]) == pytest.approx(1, abs=0.01)


def test_plain_answers_say_what_they_are(model: ServedModel):
    one = answer(model, {"text": "w1 w2 w3", "n_best": 3, "alignment": True})
    assert one["translation"] == one["n_best"][0]["translation"]
    assert one["score"] == one["n_best"][0]["score"]
    assert len(one["n_best"]) == 3
    assert one["source_tokens"] == ["w1", "w2", "w3", "</s>"]
    assert len(one["alignment"]) == len(one["target_tokens"])


def test_every_way_to_ask_gets_the_same_translation(model: ServedModel):
    texts = ["w1 w2", "w3 w4 w5", ""]
    singly = [answer(model, {"text": text})["translation"] for text in texts]
    assert singly[2] == ""
    together = answer(model, {"text": texts})["translations"]
    assert [record["translation"] for record in together] == singly
    assert [record["translation"] for record in answer(model, texts)] == singly
    lines = "".join(json.dumps({"source": text}) + "\n" for text in texts)
    got = answer(model, lines, given="application/jsonlines").splitlines()
    assert [json.loads(line)["target"] for line in got] == singly
    table = answer(model, '"w1 w2"\nw3 w4 w5\n""\n', given="text/csv")
    assert [row[0] for row in csv.reader(io.StringIO(table))] == singly
    assert answer(model, "w1 w2\nw3 w4 w5\n\n", given="text/plain").split("\n")[:-1] == singly
    built_in = answer(model, {"instances": [{"data": text} for text in texts]})
    assert [record["target"] for record in built_in["predictions"]] == singly


def test_the_client_chooses_the_form_of_its_answer(model: ServedModel):
    plain = answer(model, {"text": "w1 w2"})["translation"]
    assert answer(model, {"text": "w1 w2"}, accept="text/plain") == plain
    assert answer(model, {"text": "w1 w2"}, accept="text/csv").strip('"\n') == plain
    line = answer(model, "w1 w2", accept="application/jsonlines", given="text/plain")
    assert json.loads(line)["translation"] == plain
    with pytest.raises(NotAcceptable):
        answer(model, {"text": "w1"}, accept="image/png")


def test_what_was_split_is_said_with_its_parts(model: ServedModel):
    limits = Limits(part=8, text=100)
    small = ServedModel(model.ready, replace(model.planner, limits=limits))
    text = "w1 w2 w3 w4 w5. W1 w2 w3 w4."
    got = answer(small, {"text": text, "alignment": True, "n_best": 2})
    assert got["split"]["at"] == "sentence"
    sources = [part["source"] for part in got["split"]["parts"]]
    assert sources == ["w1 w2 w3 w4 w5.", "W1 w2 w3 w4."]
    translated = [part["translation"] for part in got["split"]["parts"]]
    assert got["translation"] == " ".join(translated)
    assert all(len(part["n_best"]) == 2 for part in got["split"]["parts"])
    assert len(got["alignment"]) == len(got["target_tokens"])
    assert all(len(row) == len(got["source_tokens"]) for row in got["alignment"])
    assert answer(small, {"instances": [{"data": text}]})["predictions"][0]["split"]
    with pytest.raises(TooLong):
        answer(small, {"text": text, "split": "never"})
    with pytest.raises(TooLong):
        answer(small, {"text": "w1 " * 200})


def test_a_check_names_places_in_the_whole_text_and_translation(model: ServedModel):
    line = " w1 w2 w3, w4 w5 w6; w7 w8 w9, w10 w11 w1."
    text = f"\n{line} \n{line}\n"
    # One target token cannot say four clauses.
    options = {"text": text, "max_length": 1}
    plain = answer(model, options)
    got = answer(model, options | {"check": True})
    assert got["translation"] == plain["translation"]
    assert "omissions" not in plain
    assert "repairs" not in got
    assert {span["start"] // len(line) for span in got["omissions"]} >= {0, 1}
    for name, whole in (("omissions", text), ("duplications", got["translation"])):
        for span in got[name]:
            assert span["text"] == whole[span["start"] : span["stop"]]
            assert span["text"] == span["text"].strip() != ""
            assert 0 < span["score"] <= 1
    repaired = answer(model, options | {"repair": True})
    assert (repaired["repairs"] == 0) == (repaired["translation"] == plain["translation"])
    instance = {"data": text, "configuration": {"max_length": 1, "check": True}}
    [built_in] = answer(model, {"instances": [instance]})["predictions"]
    assert built_in["omissions"] == got["omissions"]
    blank = answer(model, {"text": " ", "check": True})
    assert (blank["omissions"], blank["duplications"]) == ([], [])


def test_alignments_beyond_the_bound_are_refused_before_the_search(model: ServedModel):
    text = "w1 " * 3000
    for asked in ({"text": text, "n_best": 3}, {"text": [text] * 3}):
        with pytest.raises(TooLong, match=r"at most 25,000,000 cells .* got 27,198,363"):
            answer(model, asked | {"alignment": True})


def test_an_output_at_its_limit_is_said_to_be_unfinished(model: ServedModel):
    got = answer(model, {"text": "w1 w2 w3", "max_length": 1, "beam_size": 1})
    assert not got["finished"]
    built_in = {"instances": [{"data": "w1 w2 w3", "configuration": {"max_length": 1}}]}
    assert answer(model, built_in)["predictions"][0].get("finished", True) is got["finished"]


def test_wrong_options_are_refused(model: ServedModel):
    with pytest.raises(BadRequest, match="beam_size: expected"):
        answer(model, {"text": "w1", "beam_size": 0})


def test_a_model_archive_is_unpacked_elsewhere(model_directory: Path, tmp_path: Path):
    folder = tmp_path / "model"
    folder.mkdir()
    with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
        archive.add(model_directory, arcname=".")
    folder.chmod(0o555)
    model = model_fn(folder)
    assert answer(model, {"text": "w1"})["finished"] in (True, False)
    assert [path.name for path in folder.iterdir()] == ["model.tar.gz"]


def test_a_folder_without_a_model_is_named(tmp_path: Path, model_directory: Path):
    with pytest.raises(ModelDirectoryError, match=r"expected model.tar.gz or a model directory"):
        model_fn(tmp_path)
    shutil.copytree(model_directory, tmp_path / "broken")
    (tmp_path / "broken" / "model.safetensors").write_bytes(b"pickle")
    with pytest.raises(ModelDirectoryError, match=r"model\.safetensors"):
        model_fn(tmp_path / "broken")
