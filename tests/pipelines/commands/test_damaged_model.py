"""A damaged model directory is one line and exit code 1, for every command that reads one."""

import json
import shutil

import pytest

from longspan.pipelines.command import main
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.directory import save_model
from longspan.training.model.model import Model
from longspan.training.tokenizer.tokenizer import Tokenizer, WordVocabulary


@pytest.fixture(scope="module")
def model(tmp_path_factory, tiny_settings):
    folder = tmp_path_factory.mktemp("whole") / "model"
    vocabulary = WordVocabulary(["<pad>", "<unk>", "<s>", "</s>", "one", "two"])
    tokenizer = Tokenizer(vocabulary, vocabulary)
    hyperparameters = Hyperparameters.parse(tiny_settings)
    save_model(folder, Model(hyperparameters, 6, 6), hyperparameters, tokenizer)
    return folder


def cut(name):
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:50])


def changed(**values):
    def change(folder):
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return change


DAMAGES = {
    "a truncated config": (cut("config.json"), "expected a model's description: got invalid JSON"),
    "an empty config": (lambda f: (f / "config.json").write_bytes(b""), "got an empty file; copy"),
    "no object": (
        lambda f: (f / "config.json").write_text("[1]"),
        "expected an object, got",
    ),
    "no config": (lambda f: (f / "config.json").unlink(), "did training finish?"),
    "another format": (changed(format=2), "expected format 1, got 2; use the longspan that wrote"),
    "odd settings": (
        changed(hyperparameters=[]),
        "hyperparameters: expected an object",
    ),
    "another size": (changed(target_vocabulary_size=10**12), "expected vocabularies of 6 and 6"),
    "no tokenizer": (lambda f: shutil.rmtree(f / "tokenizer"), "expected a tokenizer's file, got:"),
    "a cut tokenizer": (
        cut("tokenizer/tokenizer.json"),
        "tokenizer's description: got invalid JSON",
    ),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "expected the model's weights"),
    "cut weights": (cut("model.safetensors"), "expected the weights whose hash is in config"),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("command", ["translate", "evaluate", "diagnose"])
def test_one_line_and_nothing_left(model, tmp_path, capsys, command, damage):
    harm, reason = DAMAGES[damage]
    folder = shutil.copytree(model, tmp_path / "model")
    harm(folder)
    test, out = tmp_path / "test.tsv", tmp_path / "new" / "out"
    test.write_text("en\tja\none\tone\n")
    words = {
        "translate": ["--text", "one"],
        "evaluate": [str(test), "--out", str(out)],
        "diagnose": [str(test)],
    }[command]
    assert main([command, str(folder), *words]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"longspan: error: {folder}")
    assert reason in error
    assert error.count("\n") == 1
    assert not out.parent.exists()


@pytest.mark.parametrize("damage", ["a truncated config", "another format", "no tokenizer"])
def test_a_server_does_not_start(model, tmp_path, capsys, damage):
    harm, reason = DAMAGES[damage]
    folder = shutil.copytree(model, tmp_path / "model")
    harm(folder)
    assert main(["serve", str(folder), "--port", "0"]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"longspan: error: {folder}")
    assert reason in error


@pytest.mark.parametrize(
    ("content", "came"),
    [
        ('[{"updates":', "got invalid JSON"),
        ('[{"updates": "4"}]', "updates: expected an integer of at least 0, got '4'"),
        (
            '[{"updates": 4, "validation:bleu": "high"}]',
            "validation:bleu: expected a number, got 'high'",
        ),
    ],
)
def test_a_damaged_history_is_named_before_the_work(model, tmp_path, capsys, content, came):
    folder = shutil.copytree(model, tmp_path / "model")
    (folder / "history.json").write_text(content)
    (tmp_path / "test.tsv").write_text("en\tja\none\tone\n")
    out = tmp_path / "out"
    assert main(["evaluate", str(folder), str(tmp_path / "test.tsv"), "--out", str(out)]) == 1
    assert f"history.json: expected metrics of a training run: {came}" in capsys.readouterr().err
    assert not out.exists()
