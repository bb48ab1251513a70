"""The whole evaluation, with a model of random weights and with other systems' files."""

import gzip
import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import torch

from longspan.inference.evaluation.evaluate import EvaluationJob, evaluate, read_test
from longspan.inference.evaluation.table import render_table
from longspan.pipelines.runs.results import evaluation_lines
from longspan.training.errors import DataError, HyperparameterError, ModelDirectoryError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.directory import save_model
from longspan.training.model.model import Model
from longspan.training.pairs.columns import Columns
from longspan.training.tokenizer.tokenizer import EOS, Tokenizer
from longspan.training.tokenizer.vocabularies import WordVocabulary
from tests.training.saved_datasets import save_dataset_dict

WORDS = WordVocabulary(["<pad>", "<unk>", "<s>", "</s>", "a", "b", "c", "d"])
ROWS = [("a b c", "a b"), ("d", "d"), ("a a b b c c d", "c c b"), ("d c b a", "a")]


@pytest.fixture
def model(tmp_path):
    torch.manual_seed(1)
    h = Hyperparameters.parse(
        {"rnn_num_hidden": "8", "num_embed_source": "4", "num_embed_target": "4",
         "attention_dimension": "4", "beam_size": "2"}
    )  # fmt: skip
    save_model(tmp_path / "model", Model(h, 8, 8), h, Tokenizer(WORDS, WORDS, joint=True))
    return str(tmp_path / "model")


def with_details(model, name, **details):
    """A copy of a model whose training left these."""
    copy = shutil.copytree(model, Path(model).with_name(name))
    config = json.loads((copy / "config.json").read_text())
    config["details"] = details
    (copy / "config.json").write_text(json.dumps(config))
    return str(copy)


@pytest.fixture
def pairs_file(tmp_path):
    path = tmp_path / "test.tsv"
    lines = [
        "doc\tsource\ttarget\tjoined",
        *(f"d#{i}\t{s}\t{t}\t{int(i == 2)}" for i, (s, t) in enumerate(ROWS)),
    ]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_a_model_is_evaluated_and_everything_written(model, pairs_file, tmp_path):
    out = tmp_path / "out"
    done = evaluate(EvaluationJob(model, [pairs_file], str(out), resamples=20))
    assert done.against is None
    document = json.loads((out / "evaluation.json").read_text())
    assert document["all"]["segments"] == 4
    assert document["buckets"][1]["joined"]["segments"] == 1
    assert document["details"]["search"]["beam_size"] == 2
    assert document["all"]["unfinished_rate"] is not None
    rows = (out / "translations.tsv").read_text().splitlines()
    assert [row.split("\t")[0] for row in rows[1:]] == [source for source, _ in ROWS]
    assert [row.split("\t")[7] for row in rows[1:]] == ["0", "0", "1", "0"]
    evidence = json.loads((out / "evidence.json").read_text())
    assert evidence["model"]["hyperparameters"]["rnn_num_hidden"] == 8
    for name in ("weights_sha256", "test_sha256", "hyperparameters_sha256"):
        assert len(document["details"][name]) == 64
    again = tmp_path / "again"
    evaluate(EvaluationJob(model, [pairs_file], str(again), resamples=20))
    assert (again / "evaluation.json").read_bytes() == (out / "evaluation.json").read_bytes()


def test_two_models_in_two_processes_give_what_they_give_one_after_the_other(
    model, pairs_file, tmp_path, monkeypatch
):
    other = with_details(model, "other", updates=3)
    files = []
    for side_by_side in (False, True):
        monkeypatch.setattr("longspan.inference.evaluation.evaluate._WORTH_A_PROCESS", 0)
        threads, out = torch.get_num_threads(), tmp_path / f"out-{side_by_side}"
        job = EvaluationJob(
            model, [pairs_file], str(out), other, resamples=20, side_by_side=side_by_side
        )
        evaluate(job)
        assert torch.get_num_threads() == threads
        files.append({path.name: path.read_bytes() for path in sorted(out.iterdir())})
    assert files[0] == files[1]
    assert "against.translations.tsv" in files[0]


def test_a_model_that_cannot_be_read_is_named_from_the_other_process_too(
    model, pairs_file, tmp_path, monkeypatch
):
    monkeypatch.setattr("longspan.inference.evaluation.evaluate._WORTH_A_PROCESS", 0)
    other = with_details(model, "other")
    (Path(other) / "model.safetensors").write_bytes(b"")
    job = EvaluationJob(model, [pairs_file], str(tmp_path / "out"), other, side_by_side=True)
    with pytest.raises(ModelDirectoryError, match=r"other/model\.safetensors"):
        evaluate(job)


def test_training_that_ended_early_is_said_everywhere(model, pairs_file, tmp_path):
    reason = "max_minutes=3 was reached after 534 of 900 updates"
    end = {"complete": False, "reason": reason, "updates": 534, "tokens": 7, "zero_metric": None}
    early = with_details(model, "early", **end, seconds=180.5)
    done = evaluate(EvaluationJob(early, [pairs_file], str(tmp_path / "o"), model, resamples=5))
    document = json.loads((tmp_path / "o" / "evaluation.json").read_text())
    unknown = dict.fromkeys(end)
    assert document["training"] == {"model": end, "against": unknown}
    assert document["gate"]["training_complete"] == 0.0
    line = f"model: training ended early: {reason}"
    page = (tmp_path / "o" / "report.html").read_text()
    assert page.count(line) == 1
    chart = ET.parse(tmp_path / "o" / "quality.svg").getroot()
    key = [text.text for text in chart.iter("{http://www.w3.org/2000/svg}text")][-2:]
    assert key == ["model", "baseline"]
    for lines in (render_table(done.model, done.against, done.training).splitlines(),
                  list(evaluation_lines(document))):  # fmt: skip
        assert [one for one in lines if "early" in one] == [line]


def test_a_metric_of_0_at_every_checkpoint_is_said_everywhere(model, pairs_file, tmp_path):
    end = {"complete": True, "reason": "r", "updates": 4, "tokens": 7, "zero_metric": "bleu_long"}
    done = evaluate(
        EvaluationJob(
            with_details(model, "zero", **end), [pairs_file], str(tmp_path / "o"), resamples=5
        )
    )
    document = json.loads((tmp_path / "o" / "evaluation.json").read_text())
    assert document["training"]["model"] == end
    line = "model: validation bleu_long was 0 at every checkpoint"
    for text in (
        (tmp_path / "o" / "report.html").read_text(),
        render_table(done.model, done.against, done.training),
        "\n".join(evaluation_lines(document)),
    ):
        assert text.count(line) == 1


def test_words_of_bleu_follow_the_language_and_are_told_with_the_reason(tmp_path):
    references = ["プリンターが見つかりません。", "USB (v2.0)", "OK", "ファイルを開く"]
    (tmp_path / "test.tsv").write_text(
        "source\ttarget\n" + "".join(f"s{i}\t{r}\n" for i, r in enumerate(references)), "utf-8"
    )
    (tmp_path / "hyp").write_text(
        "\n".join(["プリンターがありません。", *references[1:]]) + "\n", "utf-8"
    )
    out = tmp_path / "o"
    found = {}
    for language in ("ja", None):
        job = EvaluationJob(
            str(tmp_path / "hyp"), [str(tmp_path / "test.tsv")], str(out),
            language=language, resamples=5,
        )  # fmt: skip
        done = evaluate(job)
        metrics = json.loads((out / "evaluation.json").read_text())["metrics"]
        found[language] = metrics["tokenizer"], metrics["tokenizer_reason"]
        told = f"{metrics['tokenizer']}: {metrics['tokenizer_reason']}"
        assert told in (out / "report.html").read_text()
        assert f"words of BLEU: {metrics['tokenizer']} (" in render_table(done.model)
    assert found == {
        "ja": ("ja-mecab", "target language ja"),
        None: ("13a", "script of the references"),
    }


def test_a_tokenizer_that_is_not_there_is_refused_before_the_work(model, pairs_file, tmp_path):
    job = EvaluationJob(model, [pairs_file], str(tmp_path / "o"), tokenize="13b")
    with pytest.raises(DataError, match=r"expected a tokenizer of 13a, .*, got 13b"):
        evaluate(job)


def test_an_end_that_is_not_known_is_null_and_noted(model, pairs_file, tmp_path):
    out = tmp_path / "o"
    evaluate(EvaluationJob(model, [pairs_file], str(out), resamples=5))
    document = json.loads((out / "evaluation.json").read_text())
    assert document["training"]["model"]["complete"] is None
    assert document["gate"]["training_complete"] == 1.0
    assert any("does not say whether its training" in note for note in document["notes"])
    assert "ended early" not in (out / "report.html").read_text()


def test_an_end_that_was_damaged_is_one_line(model, pairs_file, tmp_path):
    wrong = with_details(model, "wrong", complete="yes")
    with pytest.raises(ModelDirectoryError, match="complete: expected true"):
        evaluate(EvaluationJob(wrong, [pairs_file], str(tmp_path / "o")))


def test_one_long_sentence_shows_its_alignment(pairs_file, tmp_path):
    h = Hyperparameters(rnn_num_hidden=8, num_embed_source=4, num_embed_target=4)
    network = Model(h, 8, 8)
    with torch.no_grad():
        network.projection.bias[EOS] = -20
    save_model(tmp_path / "m", network, h, Tokenizer(WORDS, WORDS, joint=True))
    evaluate(EvaluationJob(str(tmp_path / "m"), [pairs_file], str(tmp_path / "o"), resamples=5))
    found = json.loads((tmp_path / "o" / "evidence.json").read_text())["alignment"]
    assert (found["words"], found["source"]) == (7, "a a b b c c d")
    assert len(found["columns"]) == 8
    assert len(found["weights"]) == len(found["rows"]) > 0
    assert all(abs(sum(row) - 1) < 0.01 for row in found["weights"])
    assert "Attention on a sentence of 7 words" in (tmp_path / "o" / "report.html").read_text()


def test_search_settings_replace_the_models_own(model, pairs_file, tmp_path):
    job = EvaluationJob(
        model, [pairs_file], str(tmp_path / "o"), search={"beam_size": 4, "length_penalty": None},
        resamples=5,
    )  # fmt: skip
    evaluate(job)
    search = json.loads((tmp_path / "o" / "evaluation.json").read_text())["details"]["search"]
    assert (search["beam_size"], search["length_penalty"]) == (4, 0.6)


def test_against_a_file_of_translations(model, pairs_file, tmp_path):
    perfect = tmp_path / "other.txt.gz"
    perfect.write_bytes(gzip.compress("".join(t + "\n" for _, t in ROWS).encode()))
    job = EvaluationJob(
        model, [pairs_file], str(tmp_path / "o"), str(perfect), resamples=20, tokenize="none"
    )
    done = evaluate(job)
    assert done.against.all.quality.chrf == 100
    assert done.against.all.quality.unfinished_rate is None
    document = json.loads((tmp_path / "o" / "evaluation.json").read_text())
    assert document["comparison"]["all"]["difference"] <= 0
    assert document["against"]["details"]["system"] == str(perfect)
    assert document["training"]["against"] is None


def test_a_prepared_directory_and_named_columns_and_parallel_files(pairs_file, tmp_path):
    assert [(p.source, p.target) for p in read_test([str(tmp_path)])] == ROWS
    named = tmp_path / "named.tsv"
    named.write_text("x\ty\n1\t2\n")
    assert read_test([str(named)], Columns(source="y", target="x"))[0].source == "2"
    for name, column in (("t.en", 0), ("t.ja", 1)):
        (tmp_path / name).write_text("".join(row[column] + "\n" for row in ROWS))
    pairs = read_test([str(tmp_path / "t.en"), str(tmp_path / "t.ja")])
    assert [(p.source, p.target) for p in pairs] == ROWS


def test_what_cannot_be_evaluated_is_named(model, pairs_file, tmp_path):
    out = str(tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"with test\.tsv"):
        evaluate(EvaluationJob(model, [str(tmp_path / "empty")], out))
    header = tmp_path / "header.tsv"
    header.write_text("source\ttarget\n")
    with pytest.raises(DataError, match=r"header\.tsv: expected pairs, got none"):
        evaluate(EvaluationJob(model, [str(header)], out))
    short = tmp_path / "short.txt"
    short.write_text("a\nb\n")
    with pytest.raises(DataError, match=r"short\.txt: expected 4 translations.*got 2"):
        evaluate(EvaluationJob(str(short), [pairs_file], out))
    short.write_bytes(b"a\n\xff\n")
    with pytest.raises(DataError, match=r"short\.txt:2: expected UTF-8"):
        evaluate(EvaluationJob(str(short), [pairs_file], out))
    with pytest.raises(ModelDirectoryError, match="no such directory"):
        evaluate(EvaluationJob(str(tmp_path / "nowhere"), [pairs_file], out))
    with pytest.raises(HyperparameterError, match="beam_size: expected"):
        evaluate(EvaluationJob(model, [pairs_file], out, search={"beam_size": 0}))


def test_blank_lines_at_the_end_are_neither_pairs_nor_translations(pairs_file, tmp_path):
    hypotheses, test = tmp_path / "other.txt", tmp_path / "blank.tsv"
    content = Path(pairs_file).read_text("utf-8")
    test.write_text(content + "\n \n", encoding="utf-8")
    count = len(read_test([pairs_file]))
    found = []
    for path, end in ((pairs_file, ""), (str(test), "\n\n")):
        hypotheses.write_text("".join(f"line {n}\n" for n in range(count)) + end, encoding="utf-8")
        done = evaluate(EvaluationJob(str(hypotheses), [path], str(tmp_path / "out"), resamples=5))
        found.append(render_table(done.model))
    assert found[0] == found[1]
    # An empty translation within the test is one.
    hypotheses.write_text("\n" * count, encoding="utf-8")
    evaluate(EvaluationJob(str(hypotheses), [str(test)], str(tmp_path / "out"), resamples=5))


def test_a_saved_dataset_and_the_test_of_a_dict_of_datasets(tmp_path):
    rows = [{"source": f"a {n}", "target": f"b {n}"} for n in range(4)]
    folder = save_dataset_dict(tmp_path / "saved", {"train": rows, "test": rows[1:3]})
    assert [pair.source for pair in read_test([str(folder)])] == ["a 1", "a 2"]
    assert len(read_test([str(folder / "train")])) == 4
    (folder / "dataset_dict.json").write_text('{"splits": ["train"]}')
    with pytest.raises(DataError, match="expected a split test, got train"):
        read_test([str(folder)])


def test_a_checked_evaluation_has_rates_by_length(model, tmp_path):
    pairs = [("a b c d a b c d . " * 12, "a b c d . " * 12), ("a b c", "a b")]
    test = tmp_path / "t.tsv"
    test.write_text("source\ttarget\n" + "".join(f"{s}\t{t}\n" for s, t in pairs))
    out = tmp_path / "o"
    search = {"max_length_factor": 0.1}
    job = EvaluationJob(model, [str(test)], str(out), search=search, resamples=5, check=True)
    done = evaluate(job)
    document = json.loads((out / "evaluation.json").read_text())
    accounts = done.model.segments.accounts
    assert accounts is not None
    omitted = sum(one.omitted_tokens for one in accounts)
    assert document["all"]["omission_rate"] == omitted / sum(one.source_tokens for one in accounts)
    assert document["buckets"][2]["omission_rate"] is None  # no segments
    rows = [row.split("\t") for row in (out / "translations.tsv").read_text().splitlines()]
    assert rows[0][-2:] == ["omissions", "duplications"]
    for row, account in zip(rows[1:], accounts, strict=True):
        assert row[-2].split() == [f"{one.start}-{one.stop}" for one in account.omissions]
        assert row[-1].split() == [f"{one.start}-{one.stop}" for one in account.duplications]
    assert "omitted" in render_table(done.model)
    page = (out / "report.html").read_text()
    assert "share of source tokens in omitted clauses" in page
    plain = tmp_path / "p"
    unchecked = evaluate(EvaluationJob(model, [str(test)], str(plain), search=search, resamples=5))
    assert unchecked.model.all.quality.omission_rate is None
    assert "omitted" not in render_table(unchecked.model)
    assert "omitted clauses" not in (plain / "report.html").read_text()
    assert [one[2] for one in rows[1:]] == list(unchecked.model.segments.hypotheses)
