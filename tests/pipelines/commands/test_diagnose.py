"""The command `diagnose`, from its arguments to its output."""

import argparse
import json

import pytest
import torch

from longspan.pipelines.commands import diagnose
from longspan.training.errors import DataError, ModelDirectoryError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.directory import save_model
from longspan.training.model.model import Model
from longspan.training.tokenizer.tokenizer import EOS, Tokenizer
from longspan.training.tokenizer.vocabularies import WordVocabulary
from tests.damage import altered

WORDS = WordVocabulary(["<pad>", "<unk>", "<s>", "</s>", "a", "b", "c", "d"])
SIZES = {
    "rnn_num_hidden": 8, "num_embed_source": 4, "num_embed_target": 4, "beam_size": 2,
    "attention_dimension": 4, "transformer_num_hidden": 8, "transformer_heads": 2,
}  # fmt: skip


def save(path, **changes):
    """A model that ends at once: every output is empty or short."""
    torch.manual_seed(1)
    h = Hyperparameters(**SIZES | changes)
    network = Model(h, 8, 8)
    with torch.no_grad():
        network.projection.bias[EOS] += 20
    details = {"longest_example": {"source": 50, "target": 50}}
    save_model(path, network, h, Tokenizer(WORDS, WORDS, joint=True), details=details)
    return path


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "longest_example: expected an object, got null"),
        ({"source": 50}, "longest_example.target: is missing"),
        ({"source": "50", "target": 50}, "longest_example.source: expected an integer of at least"),
    ],
)
def test_a_damaged_length_of_examples_is_named(value, said, tmp_path, test_file):
    path = save(tmp_path / "model") / "config.json"
    changed = altered(json.loads(path.read_text()), ("details", "longest_example"), value)
    path.write_text(json.dumps(changed))
    with pytest.raises(ModelDirectoryError) as caught:
        call(path.parent, test_file)
    assert str(caught.value).startswith(f"{path}: expected a model's description: details.{said}")


@pytest.fixture
def test_file(tmp_path):
    """Six pairs of 15 words and six of 120."""
    lines = [" ".join("abcd"[(i + k) % 4] for k in range(n)) for n in (15, 120) for i in range(6)]
    path = tmp_path / "test.tsv"
    path.write_text("source\ttarget\n" + "".join(f"{x}\t{x}\n" for x in lines))
    return path


def call(*arguments):
    parser = argparse.ArgumentParser()
    diagnose.add_arguments(parser)
    return diagnose.run(parser.parse_args([str(a) for a in arguments]))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"attention_type": "none"},
        {"architecture": "transformer", "attention_location": "progress"},
    ],
    ids=str,
)
def test_it_says_what_is_wrong_and_what_to_try(changes, tmp_path, test_file, capsys):
    model = save(tmp_path / "model", **changes)
    out = tmp_path / "new" / "diagnosis.json"
    assert call(model, test_file, "--out", out, "--threads", 1) == 0
    text = capsys.readouterr().out
    assert "long:   101 words and more: 6 segments" in text
    assert (
        "6 of 6 long segments have more source tokens than the longest training example's" in text
    )
    assert "try: length_augmentation=0.1" in text
    assert "segment 7, 120 words" in text
    document = json.loads(out.read_text())
    assert document["findings"][0]["name"] == "source lengths never seen"
    named = {str(n) for finding in document["findings"] for n in finding["examples"]}
    assert document["segments"].keys() == named


def test_a_model_whose_training_lengths_are_not_known(tmp_path, test_file, capsys):
    model = save(tmp_path / "model")
    config = json.loads((model / "config.json").read_text())
    config["details"] = {}
    (model / "config.json").write_text(json.dumps(config))
    assert call(model, test_file, "--beam-size", 1) == 0
    assert "never seen" not in capsys.readouterr().out


def test_an_empty_test_is_an_error(tmp_path):
    (tmp_path / "test.tsv").write_text("source\ttarget\n")
    with pytest.raises(DataError):
        call(save(tmp_path / "model"), tmp_path / "test.tsv")
