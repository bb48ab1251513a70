"""From a model to another domain: `longspan prepare --tokenizer-from`, `longspan train --from`."""

import argparse
import json
import random
import tarfile

import pytest
import torch

from longspan.pipelines.commands import prepare, train
from longspan.training.errors import (
    CheckpointError,
    DataError,
    HyperparameterError,
    LongspanError,
    ModelDirectoryError,
)
from longspan.training.loop.trainer import Trainer
from longspan.training.model.directory import load_model, read_history
from longspan.training.tokenizer.tokenizer import Tokenizer
from tests.pipelines.commands.test_train import parse, settings_of

NOUNS = ["cat", "dog", "doctor", "letter", "river", "garden", "clock"]
VERBS = ["sees", "reads", "finds", "buys", "likes"]


def write_pairs(path, nouns, seed):
    """Sentences whose translation is the same words in capitals, the other way round."""
    draw = random.Random(seed)
    lines = ["id\tsource\ttarget\n"]
    for number in range(240):
        words = ["the", draw.choice(nouns), draw.choice(VERBS), "a", draw.choice(nouns)]
        words += draw.choices(nouns, k=draw.randint(0, 3))
        lines.append(f"{number}\t{' '.join(words)}\t{' '.join(reversed(words)).upper()}\n")
    path.write_text("".join(lines), encoding="utf-8")
    return path


def run_prepare(*words):
    parser = argparse.ArgumentParser()
    prepare.add_arguments(parser)
    sizes = ["--vocabulary-size", "310", "--test-size", "8", "--validation-size", "20"]
    options = [*sizes, "--no-joined", "--source-language", "en", "--target-language", "de"]
    return prepare.run(parser.parse_args([*map(str, words), *options]))


@pytest.fixture(scope="module")
def world(tmp_path_factory, tiny_settings):
    """A model of one domain, and pairs of another one, prepared with its tokenizer and without."""
    folder = tmp_path_factory.mktemp("domains")
    general = write_pairs(folder / "general.tsv", NOUNS, 1)
    special = write_pairs(folder / "special.tsv", [*NOUNS[:2], "café", "bolt", "gear"], 2)
    assert run_prepare(general, "--out", folder / "general") == 0
    given = {"max_num_batches": "200", "attention_type": "dot", "tie_embeddings": "none"}
    words = settings_of(tiny_settings | given)
    assert train.run(parse(folder / "general", "--out", folder / "model", *words)) == 0
    own = ["--tokenizer-from", folder / "model"]
    assert run_prepare(special, "--out", folder / "special", *own) == 0
    assert run_prepare(special, "--out", folder / "stranger") == 0
    return folder


def adapt(world, out, settings, *words, data="special", start="model"):
    words = [*settings_of(settings), *words]
    return train.run(parse(world / data, "--from", world / start, "--out", out, *words))


@pytest.fixture
def few(tiny_settings):
    """Settings without any of the architecture."""
    architecture = ("rnn_num_hidden", "num_embed_source", "num_embed_target", "attention_dimension")
    return {name: value for name, value in tiny_settings.items() if name not in architecture}


def test_it_continues_from_the_weights_of_the_model(world, few, tmp_path, capsys):
    assert adapt(world, tmp_path / "still", few | {"learning_rate": "1e-9"}) == 0
    before, after = (load_model(place) for place in (world / "model", tmp_path / "still"))
    for name, weight in before.model.state_dict().items():
        torch.testing.assert_close(after.model.state_dict()[name], weight, rtol=0, atol=1e-6)
    assert f"continues from the weights of {world / 'model'}" in capsys.readouterr().out
    assert after.tokenizer.fingerprint == before.tokenizer.fingerprint
    assert after.hyperparameters.attention_type == "dot"
    assert after.hyperparameters.rnn_num_hidden == 8
    assert after.config.details["continued_from"] == {
        "weights_sha256": before.config.weights_sha256, "updates": before.config.outcome.updates,
    }  # fmt: skip


def test_it_learns_the_new_domain_sooner_than_a_new_model(world, few, tiny_settings, tmp_path):
    assert adapt(world, tmp_path / "adapted", few) == 0
    fresh = settings_of(tiny_settings | {"attention_type": "dot"})
    assert train.run(parse(world / "special", "--out", tmp_path / "fresh", *fresh)) == 0
    adapted, new = (
        [entry["validation:loss"] for entry in read_history(tmp_path / name)]
        for name in ("adapted", "fresh")
    )
    assert all(ours < theirs for ours, theirs in zip(adapted, new, strict=True))
    assert adapted[-1] < adapted[0]


def test_a_stopped_run_goes_on_to_the_same_weights(
    world, few, tiny_settings, tmp_path, monkeypatch
):
    assert adapt(world, tmp_path / "whole", few) == 0
    plain = Trainer.__init__

    def stopping(self, task, checkpoints, environment, stop, *more):
        plain(self, task, checkpoints, environment, lambda: self.state.updates >= 13, *more)

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "__init__", stopping)
        with pytest.raises(LongspanError, match="stopped after 13 updates"):
            adapt(world, tmp_path / "parts", few)
    assert adapt(world, tmp_path / "parts", few) == 0
    whole, parts = (load_model(tmp_path / name).model.state_dict() for name in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)

    # The same folder resumes neither a run of a new model nor one from another model.
    words = parse(
        world / "special", "--out", tmp_path / "parts",
        *settings_of(tiny_settings | {"attention_type": "dot"}),
    )  # fmt: skip
    with pytest.raises(CheckpointError, match="model to continue from is "):
        train.run(words)


def test_an_archive_of_a_model_will_do(world, few, tmp_path):
    archive = tmp_path / "artifact" / "model.tar.gz"
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz") as packed:
        for path in (world / "model").iterdir():
            packed.add(path, path.name)
    for number, start in enumerate((archive, archive.parent)):
        out = tmp_path / f"adapted{number}"
        assert adapt(world, out, few | {"max_num_batches": "10"}, start=start) == 0
        begun = load_model(out).config.details["continued_from"]["weights_sha256"]
        assert begun == load_model(world / "model").config.weights_sha256


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rnn_num_hidden": "16"}, r"rnn_num_hidden=16: expected .* which has rnn_num_hidden=8;"),
        (
            {"rnn_attention_type": "mlp", "num_layers_encoder": "2"},
            r"num_layers_encoder=2, attention_type=additive: expected the architecture of .*, "
            r"which has num_layers_encoder=1, attention_type=dot; leave these out",
        ),
        ({"coverage_mechanism": "recurrent"}, "which has coverage_mechanism=none"),
        ({"tie_embeddings": "target"}, "tie_embeddings=target: expected"),
    ],
)
def test_another_architecture_is_refused_by_name(world, few, tmp_path, changes, message):
    with pytest.raises(HyperparameterError, match=message):
        adapt(world, tmp_path / "out", few | changes)
    assert not (tmp_path / "out").exists()


def test_settings_with_the_same_weights_may_change(world, few, tmp_path):
    changes = {"coverage_mechanism": "loss", "attention_type": "dot", "max_num_batches": "10"}
    assert adapt(world, tmp_path / "out", few | changes | {"beam_size": "3"}) == 0
    found = load_model(tmp_path / "out").hyperparameters
    assert (found.coverage_mechanism, found.beam_size) == ("loss", 3)


def test_text_of_another_tokenizer_is_refused_and_costs_no_checkpoint(world, few, tmp_path):
    assert adapt(world, tmp_path / "out", few | {"max_num_batches": "10"}) == 0
    kept = sorted((tmp_path / "out.checkpoints").iterdir())
    with pytest.raises(DataError, match=r"prepare the pairs with --tokenizer-from .*model"):
        adapt(world, tmp_path / "out", few, "--fresh", data="stranger")
    assert sorted((tmp_path / "out.checkpoints").iterdir()) == kept


def test_what_is_no_model_to_continue_from_is_refused(world, few, tmp_path):
    with pytest.raises(ModelDirectoryError, match=r"expected model\.tar\.gz or a model directory"):
        adapt(world, tmp_path / "out", few, start="special")
    with pytest.raises(DataError, match="--out: expected another directory than --from"):
        adapt(world, world / "model", few)


def test_pairs_prepared_for_a_model_have_its_tokenizer(world, capsys):
    tokenizer = Tokenizer.load(world / "model" / "tokenizer")
    assert Tokenizer.load(world / "special" / "tokenizer").fingerprint == tokenizer.fingerprint
    manifest = json.loads((world / "special" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["tokenizer"]["given"] is True
    assert manifest["tokenizer"]["fingerprint"] == tokenizer.fingerprint
    # Up to date with the same tokenizer alone; a prepared directory has one too.
    again = [world / "special.tsv", "--out", world / "special"]
    for place in ("model", "general"):
        assert run_prepare(*again, "--tokenizer-from", world / place) == 0
        assert "up to date" in capsys.readouterr().out
    for others in ([], ["--tokenizer-from", world / "stranger"]):
        with pytest.raises(DataError, match="its tokenizer differs"):
            run_prepare(*again, *others)
    with pytest.raises(ModelDirectoryError, match=r"expected model\.tar\.gz or a model directory"):
        run_prepare(*again, "--overwrite", "--tokenizer-from", world)
