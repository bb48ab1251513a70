"""The container's `evaluate`: archives in, evaluation out."""

import io
import json
import tarfile

import pytest
import torch

from longspan.pipelines.jobs import evaluate as evaluate_job
from longspan.training.container.paths import ContainerPaths
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.directory import save_model
from longspan.training.model.model import Model
from longspan.training.tokenizer.tokenizer import Tokenizer
from longspan.training.tokenizer.vocabularies import WordVocabulary
from tests.in_process import call

WORDS = WordVocabulary(["<pad>", "<unk>", "<s>", "</s>", "a", "b", "c", "d"])
ROWS = [("a b c", "a b"), ("d", "d"), ("a a b b c c d", "c c b"), ("d c b a", "a")]


def put_model(paths, name, seed):
    """A model of random weights, packed as SageMaker packs a job's model folder."""
    torch.manual_seed(seed)
    h = Hyperparameters.parse(
        {"rnn_num_hidden": "8", "num_embed_source": "4", "num_embed_target": "4",
         "attention_dimension": "4", "beam_size": "2"}
    )  # fmt: skip
    folder = paths.base / "made" / name
    save_model(folder, Model(h, 8, 8), h, Tokenizer(WORDS, WORDS, joint=True))
    archive = paths.processing_input(name) / "model.tar.gz"
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w:gz") as content:
        for path in sorted(folder.iterdir()):
            content.add(path, path.name)


@pytest.fixture
def paths(tmp_path):
    paths = ContainerPaths(tmp_path / "ml")
    put_model(paths, "model", seed=1)
    test = paths.processing_input("prepared") / "test.tsv"
    test.parent.mkdir(parents=True)
    lines = ["source\ttarget\tjoined", *(f"{s}\t{t}\t0" for s, t in ROWS)]
    test.write_text("\n".join(lines) + "\n")
    return paths


def run(paths, *options):
    environment = {"LONGSPAN_BASE": str(paths.base)}
    return call(lambda: evaluate_job.main(options, environment))


def read(paths):
    folder = paths.processing_output("evaluation")
    return json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))


def test_a_model_alone(paths):
    done = run(paths, "--resamples", "20", "--beam-size", "1", "--tokenize", "none")
    assert done.returncode == 0, done.stderr
    assert not paths.message.exists()
    document = read(paths)
    assert document["details"]["system"] == "model"
    assert document["details"]["test"] == ["prepared"]
    assert document["details"]["search"]["beam_size"] == 1
    assert document["metrics"]["tokenizer"] == "none"
    assert document["gate"]["bleu_long"] == round(document["long"]["bleu"], 2)
    assert document["gate"]["bleu_short_change"] == 0
    assert "against" not in document
    rows = (paths.processing_output("evaluation") / "translations.tsv").read_text().splitlines()
    assert [row.split("\t")[0] for row in rows[1:]] == [source for source, _ in ROWS]
    assert done.stdout.splitlines()[1].startswith("words")


def test_against_a_baseline(paths):
    put_model(paths, "baseline", seed=2)
    done = run(paths, "--resamples", "20")
    assert done.returncode == 0, done.stderr
    document = read(paths)
    assert document["against"]["details"]["system"] == "baseline"
    gained = document["all"]["bleu"] - document["against"]["all"]["bleu"]
    # Everything in this test is short, and so all of it counts as long too.
    assert document["gate"]["bleu_short_change"] == round(gained, 2)
    assert document["gate"]["bleu_long_change"] == round(gained, 2)
    assert document["comparison"]["all"]["difference"] == pytest.approx(gained)


def failure(paths, *options):
    done = run(paths, *options)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last == f"longspan: error: {paths.message.read_text()}"
    assert "Traceback" not in done.stderr
    assert not (paths.processing_output("evaluation") / "evaluation.json").exists()
    return last


def test_a_hostile_archive_is_refused(paths):
    archive = paths.processing_input("model") / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as content:
        content.addfile(tarfile.TarInfo("../../evil"), io.BytesIO())
    assert "a path that leads outside: ../../evil" in failure(paths)


def test_missing_inputs_are_named(paths):
    (paths.processing_input("prepared") / "test.tsv").unlink()
    assert "prepared directory with test.tsv" in failure(paths)
    (paths.processing_input("model") / "model.tar.gz").unlink()
    assert "expected model.tar.gz or a model directory, got nothing" in failure(paths)


def test_an_empty_baseline_is_not_taken_for_none(paths):
    paths.processing_input("baseline").mkdir()
    assert "baseline: expected model.tar.gz" in failure(paths)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--resamples", "0"], "--resamples: expected at least 1, got 0"),
        (["--against", "model2"], "unrecognized arguments: --against model2"),
        (["--beam-size", "0"], "beam_size: expected an integer of at least 1, got 0"),
        (["--tokenize", "words"], "argument --tokenize: invalid choice: 'words'"),
    ],
)
def test_a_wrong_option_is_the_message(paths, options, reason):
    assert reason in failure(paths, *options)
