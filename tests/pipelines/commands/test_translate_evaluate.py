"""commands/translate.py and commands/evaluate.py, from their options to their output."""

import argparse
import io
import json
import random
import sys

import pytest
import torch

from longspan.pipelines.commands import evaluate, translate
from longspan.training.errors import (
    DataError,
    HyperparameterError,
    LongspanError,
    ModelDirectoryError,
    OptionError,
)
from longspan.training.files import atomic_files
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.directory import save_model
from longspan.training.model.model import Model
from longspan.training.tokenizer.tokenizer import EOS, Tokenizer
from longspan.training.tokenizer.vocabularies import WordVocabulary

WORDS = WordVocabulary(["<pad>", "<unk>", "<s>", "</s>", "a", "b", "c", "d"])


@pytest.fixture
def model(tmp_path):
    return save(tmp_path / "model")


def save(path, end=0.0):
    torch.manual_seed(1)
    h = Hyperparameters.parse(
        {"rnn_num_hidden": "8", "num_embed_source": "4", "num_embed_target": "4",
         "attention_dimension": "4", "beam_size": "2"}
    )  # fmt: skip
    network = Model(h, 8, 8)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_()
        network.projection.bias[EOS] += end
    save_model(path, network, h, Tokenizer(WORDS, WORDS, joint=True))
    return str(path)


def call(command, *arguments):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args([str(a) for a in arguments]))


def test_lines_in_lines_out(model, tmp_path, capsysbinary, monkeypatch):
    text = b"a b c\n\nd\r\n   \nb b unknown\nc"
    (tmp_path / "in.txt").write_bytes(text)
    assert call(translate, model, tmp_path / "in.txt") == 0
    from_file = capsysbinary.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert call(translate, model) == 0
    assert capsysbinary.readouterr().out == from_file
    lines = from_file.decode().split("\n")
    assert len(lines) == 7
    assert [i for i, line in enumerate(lines) if not line and i in (1, 3, 6)] == [1, 3, 6]
    assert call(translate, model, "--text", "a b c") == 0
    assert capsysbinary.readouterr().out.decode() == lines[0] + "\n"


def test_standard_input_is_answered_as_it_comes(model, monkeypatch, capsysbinary):
    """Every line is answered before the next one is written."""
    answers = []
    lines = [b"a b\n", b"c\n", b""]

    class Slow(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, buffer):
            answers.append(capsysbinary.readouterr().out.count(b"\n"))
            line = lines.pop(0)
            buffer[: len(line)] = line
            return len(line)

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Slow())))
    assert call(translate, model) == 0
    assert answers == [0, 1, 1]


def test_json_lines_with_alignment_and_n_best(model, tmp_path, capsys):
    (tmp_path / "in.txt").write_text("a b c\n\n")
    call(translate, model, tmp_path / "in.txt", "--n-best", "3", "--alignment")
    first, blank = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["line"] == 1
    assert first["source_tokens"] == ["a", "b", "c", "</s>"]
    assert len(first["n_best"]) == 3
    for candidate in first["n_best"]:
        assert len(candidate["alignment"]) == len(candidate["tokens"])
        assert all(sum(row) == pytest.approx(1, abs=1e-3) for row in candidate["alignment"])
    assert first["n_best"][0]["score"] == first["score"]
    assert (blank["line"], blank["translation"], blank["tokens"]) == (2, "", [])
    call(translate, model, "--text", "a b", "--json")
    assert "alignment" not in json.loads(capsys.readouterr().out)


def test_n_best_as_text(model, tmp_path, capsys):
    (tmp_path / "in.txt").write_text("a b c\n\nd\n")
    call(translate, model, tmp_path / "in.txt", "--n-best", "2", "--beam-size", "4")
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows] == ["1", "1", "2", "3", "3"]
    assert float(rows[0][1]) >= float(rows[1][1])


def test_what_the_limit_cut_is_reported_by_line(tmp_path, capsys):
    endless = save(tmp_path / "endless", end=-1e4)
    (tmp_path / "in.txt").write_text("a\n\nb\n")
    arguments = ["--max-length-offset", "0", "--max-length-factor", "1"]
    assert call(translate, endless, tmp_path / "in.txt", *arguments) == 0
    captured = capsys.readouterr()
    assert "2 translations reached the length limit and are unfinished: line 1, 3;" in captured.err
    assert len(captured.out.splitlines()) == 3


def test_what_repeats_itself_is_reported_by_line(tmp_path, capsys):
    endless = save(tmp_path / "endless", end=-1e4)
    long = " ".join(random.Random(1).choices("abcd", k=120))
    (tmp_path / "in.txt").write_text(f"a\n\n{long}\n")
    arguments = ["--json", "--beam-size", "1", "--max-length-factor", "2"]
    assert call(translate, endless, tmp_path / "in.txt", *arguments) == 0
    captured = capsys.readouterr()
    records = [json.loads(line) for line in captured.out.splitlines()]
    looping = [record["line"] for record in records if record["looping"]]
    assert 3 in looping
    assert not any(record["finished"] for record in records if record["looping"])
    assert len(records[2]["tokens"]) < 2 * len(records[2]["source_tokens"])
    shown = ", ".join(map(str, looping))
    said = f"{len(looping)} translations repeated themselves and were stopped: line {shown};"
    assert said in captured.err


def test_n_grams_that_come_once_at_most(tmp_path, capsys):
    model = save(tmp_path / "endless", end=-1e6)
    assert call(translate, model, "--text", "a b c d a b", "--no-repeat-ngram-size", "1") == 0
    output = capsys.readouterr().out.split()
    assert 3 < len(output) == len(set(output))


@pytest.mark.parametrize("beam", ["1", "4"])
def test_outputs_have_the_least_length(tmp_path, capsys, beam):
    short = save(tmp_path / "short", end=1e4)
    options = ["--text", "a b c", "--beam-size", beam]
    assert call(translate, short, *options) == 0
    assert capsys.readouterr().out == "\n"
    assert call(translate, short, *options, "--min-length", "60") == 0
    assert len(capsys.readouterr().out.split()) == 60
    with pytest.raises(HyperparameterError, match="min_length: expected an integer"):
        call(translate, short, *options, "--min-length", "-1")


def test_a_line_break_in_the_output_does_not_shift_the_lines():
    assert translate._one_line("a\nb\r\nc\rd") == "a b c d"


def test_errors(model, tmp_path):
    with pytest.raises(ModelDirectoryError):
        call(translate, tmp_path / "none", "--text", "a")
    with pytest.raises(LongspanError, match=r"missing\.txt: expected a file"):
        call(translate, model, tmp_path / "missing.txt")
    with pytest.raises(HyperparameterError, match="beam_size: expected"):
        call(translate, model, "--text", "a", "--beam-size", "0")
    with pytest.raises(LongspanError, match="device warp: expected a device"):
        call(translate, model, "--text", "a", "--device", "warp")
    with pytest.raises(SystemExit):
        call(translate, model, "file.txt", "--text", "a")
    with pytest.raises(SystemExit):
        call(translate, model, "--text", "a", "--batch-tokens", "0")


def test_evaluate_refuses_a_language_that_there_is_not(model, capsys):
    """Else BLEU would count other words: jp is no Japanese."""
    with pytest.raises(SystemExit):
        call(evaluate, model, "test.tsv", "--out", "out", "--target-language", "jp")
    assert "--target-language: expected the ISO 639 code" in capsys.readouterr().err


def test_evaluate_refuses_a_directory_that_another_run_writes_to(model, tmp_path):
    (tmp_path / "t.tsv").write_text("en\tja\na b\tc d\n")
    out = tmp_path / "out"
    with (
        atomic_files(out, last="report.html"),
        pytest.raises(DataError, match="another run is writing to it; wait for it to end"),
    ):
        call(evaluate, model, tmp_path / "t.tsv", "--out", out)


def test_evaluate_prints_the_table(model, tmp_path, capsys):
    (tmp_path / "t.tsv").write_text("en\tja\na b\tc d\na b c d a b\td\n")
    out = tmp_path / "out"
    assert call(evaluate, model, tmp_path / "t.tsv", "--out", out, "--against", model,
                "--resamples", "10", "--tokenize", "none") == 0  # fmt: skip
    printed = capsys.readouterr().out
    assert printed.startswith("words")
    assert "over 100" in printed
    assert "1.000" in printed  # the p-value of no difference
    document = json.loads((out / "evaluation.json").read_text())
    assert document["comparison"]["all"]["p_value"] == 1
    assert document["metrics"]["tokenizer"] == "none"


def test_sentences_of_a_line_can_be_translated_on_their_own(tmp_path, capsys):
    model = save(tmp_path / "model", end=-5)

    def translated(text, *options):
        assert call(translate, model, "--text", text, *options) == 0
        return capsys.readouterr().out.rstrip("\n")

    first, second = translated("See a!"), translated("See d d!")
    assert first
    assert second
    assert translated("See a! See d d!", "--split", "sentences") == f"{first} {second}"
    with pytest.raises(OptionError, match="--n-best: expected 1 with --split sentences, got 2"):
        call(translate, model, "--text", "a", "--split", "sentences", "--n-best", "2")

    test = tmp_path / "test.tsv"
    test.write_text("source\ttarget\nSee a! See d d!\ta\n")
    for how in ("never", "sentences"):
        out = tmp_path / how
        assert call(evaluate, model, test, "--out", out, "--split", how, "--resamples", 5) == 0
        assert json.loads((out / "evaluation.json").read_text())["details"]["split"] == how
    capsys.readouterr()
    row = (tmp_path / "sentences" / "translations.tsv").read_text().splitlines()[1]
    assert row.split("\t")[2] == f"{first} {second}"


def test_a_check_names_spans_of_each_line(model, tmp_path, capsysbinary):
    lines = [
        "a b c d a b c d a b c d a b c d a b c d a b c d a b c d a b c d a b c d a b c d a",
        "",
        "b",
    ]
    (tmp_path / "in.txt").write_text("\n".join(lines))
    assert call(translate, model, tmp_path / "in.txt", "--check", "--max-length-factor", "0") == 0
    records = [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]
    assert [record["source"] for record in records] == lines
    assert "omissions" not in records[1]
    for record in (records[0], records[2]):
        for name, whole in (("omissions", "source"), ("duplications", "translation")):
            for span in record[name]:
                assert span["text"] == record[whole][span["start"] : span["stop"]]
    call(translate, model, tmp_path / "in.txt")
    plain = capsysbinary.readouterr().out
    call(translate, model, tmp_path / "in.txt", "--repair")
    assert len(capsysbinary.readouterr().out.splitlines()) == len(plain.splitlines())


def test_a_check_by_sentence_counts_from_the_start_of_the_line(model, capsysbinary):
    text = "A b c d a b c d. B a c d a b c d."
    call(translate, model, "--text", text, "--check", "--split", "sentences")
    [record] = [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]
    for span in record["omissions"]:
        assert span["text"] == text[span["start"] : span["stop"]]
