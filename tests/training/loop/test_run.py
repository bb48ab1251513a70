import json
import re

import pytest
import torch

from longspan.inference.search.search import GreedySearch
from longspan.training.corpus.prepared import Prepared
from longspan.training.errors import DataError, HyperparameterError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.distributed import World
from longspan.training.loop.run import TrainingOutput, TrainingSearch, train_model
from longspan.training.loop.setup import TrainingEnvironment
from longspan.training.loop.training_log import TrainingLog
from longspan.training.model.directory import load_model
from longspan.training.model.output_length import length_factor


@pytest.fixture
def prepared(write_prepared, tmp_path):
    return write_prepared(tmp_path / "prepared")


def train(prepared, out, settings):
    lines = []
    result = train_model(
        Prepared.open(prepared),
        Hyperparameters.parse(settings),
        TrainingOutput(out, out.with_name("checkpoints")),
        TrainingSearch(GreedySearch.of(Prepared.open(prepared))),
        TrainingEnvironment(World(), torch.device("cpu"), TrainingLog(write=lines.append)),
    )
    return result, lines


def test_a_model_directory_that_loads_with_history_and_figures(prepared, tiny_settings, tmp_path):
    result, lines = train(prepared, tmp_path / "model", tiny_settings)
    loaded = load_model(tmp_path / "model")
    lengths = (
        Prepared.open(prepared).train.source_lengths,
        Prepared.open(prepared).train.target_lengths,
    )
    assert loaded.hyperparameters == Hyperparameters.parse(tiny_settings).replace(
        max_length_factor=length_factor(*lengths), bleu_tokenizer="13a"
    )
    assert loaded.config.details["metrics"] == result.best.metrics
    assert {"validation:bleu", "validation:bleu_long"} <= result.best.metrics.keys()
    history = json.loads((tmp_path / "model" / "history.json").read_text())
    assert [entry["updates"] for entry in history] == [10, 20, 30]
    said = "\n".join(lines)
    parameters = sum(p.numel() for p in loaded.model.parameters())
    for text in (f"{parameters:,} parameters", "cpu", "float32", "60 pairs", "best model: "):
        assert text in said
    assert "before the rate falls" not in said


def test_words_of_bleu_are_those_of_the_target_language_or_those_that_the_user_names(
    prepared, tiny_settings, tmp_path
):
    result, lines = train(prepared, tmp_path / "model", tiny_settings)
    assert "words of BLEU: 13a (script of the references)" in lines
    # The validation's words are w0, w1 ...: their characters match more often.
    named, lines = train(
        prepared, tmp_path / "char" / "model", tiny_settings | {"bleu_tokenizer": "char"}
    )
    assert "words of BLEU: char (named by the user)" in lines
    assert load_model(tmp_path / "char" / "model").hyperparameters.bleu_tokenizer == "char"
    assert named.best.loss == result.best.loss
    assert named.best.bleu > result.best.bleu
    with pytest.raises(DataError, match=r"dictionary of the tokenizer ko-mecab"):
        train(prepared, tmp_path / "ko" / "model", tiny_settings | {"bleu_tokenizer": "ko-mecab"})


def test_a_limit_of_time_is_said_at_the_end_and_kept_with_the_model(
    prepared, tiny_settings, tmp_path
):
    ends = {}
    for name, minutes in (("whole", "0"), ("early", "0.0001")):
        settings = tiny_settings | {"max_minutes": minutes, "max_num_batches": "40"}
        (tmp_path / name).mkdir()
        result, lines = train(prepared, tmp_path / name / "model", settings)
        ending = load_model(tmp_path / name / "model").config.outcome
        assert ending == result.outcome
        ends[name] = (ending.complete, [line for line in lines if "ended early" in line])
    assert ends["whole"] == (True, [])
    complete, [line] = ends["early"]
    assert complete is False
    expected = r"training ended early: max_minutes=0.0001 was reached after \d+ of 40 updates"
    assert re.fullmatch(expected, line)


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        ({"max_num_batches": "none"}, 1),
        ({"max_num_batches": "1000"}, 0),
        ({"max_num_batches": "none", "max_num_epochs": "1000"}, 0),
    ],
)
def test_minutes_alone_are_said_to_depend_on_the_machine(
    prepared, tiny_settings, tmp_path, settings, count
):
    settings = tiny_settings | {"max_minutes": "0.0001"} | settings
    _, lines = train(prepared, tmp_path / "model", settings)
    assert sum("the result depends on the speed of this machine" in one for one in lines) == count


def test_a_schedule_that_cannot_act_draws_a_note(prepared, tiny_settings, tmp_path):
    settings = tiny_settings | {"checkpoint_threshold": "3", "plateau_reduce_lr_threshold": "3"}
    _, lines = train(prepared, tmp_path / "model", settings)
    assert any("training ends before the rate falls" in line for line in lines)


def test_tying_all_embeddings_needs_one_vocabulary(prepared, tiny_settings, tmp_path):
    with pytest.raises(HyperparameterError, match="tie_embeddings=all"):
        train(prepared, tmp_path / "model", tiny_settings | {"tie_embeddings": "all"})
