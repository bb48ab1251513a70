import itertools
import math
import re

import pytest
import torch

from longspan.training.corpus.prepared import Prepared
from longspan.training.corpus.shards import MemoryCorpus
from longspan.training.errors import CheckpointError, DataError, Interrupted, LongspanError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.checkpoint import CheckpointStore
from longspan.training.loop.distributed import World
from longspan.training.loop.loss import sequence_loss
from longspan.training.loop.resume import run_identity
from longspan.training.loop.setup import (
    RunCheckpoints,
    TrainingClocks,
    TrainingEnvironment,
    TrainingTask,
)
from longspan.training.loop.trainer import Trainer
from longspan.training.loop.training_log import TrainingLog
from longspan.training.loop.updater import model_weights
from longspan.training.loop.validation import ValidationData, Validator
from longspan.training.model.initialization import initialize
from longspan.training.model.model import Model
from longspan.training.model.outcome import TrainingOutcome, outcome_warnings
from tests.metric_lines import parse_metrics

CPU = torch.device("cpu")
UNTIMED = ("seconds", "cpu_seconds", "train:tokens_per_second")


@pytest.fixture(scope="module")
def prepared(write_prepared, tmp_path_factory):
    return Prepared.open(write_prepared(tmp_path_factory.mktemp("prepared")))


@pytest.fixture
def job(prepared, tiny_settings, tmp_path):
    """Makes trainers of one run; `lines` collects what they say."""

    class Job:
        def __init__(self):
            self.lines = []
            self.store = CheckpointStore(tmp_path / "run", warn=self.lines.append)

        def trainer(
            self,
            *,
            train=prepared.train,
            stop=lambda: False,
            decode=None,
            between_saves=300.0,
            **settings,
        ):
            h = Hyperparameters.parse(tiny_settings).replace(**settings)
            self.model = Model(h, 16, 16)
            initialize(self.model, h, torch.Generator().manual_seed(h.seed))
            copy = decode or (lambda model, sources: [list(s[:-1]) for s in sources])
            validation = prepared.validation
            validator = Validator(
                ValidationData(validation, prepared.tokenizer), h, sequence_loss, World(), CPU,
                decode=copy,
            )  # fmt: skip
            ticks, cpu_ticks = itertools.count(), itertools.count()
            # A second between any two looks at a clock.
            clocks = TrainingClocks(
                lambda: float(next(ticks)), lambda: float(next(cpu_ticks)), between_saves
            )
            return Trainer(
                TrainingTask(self.model, train, validator, h, sequence_loss),
                RunCheckpoints(self.store, run_identity(h, train, validation, "tokenizer")),
                TrainingEnvironment(World(), CPU, TrainingLog(write=self.lines.append)),
                stop,
                clocks,
            )

    return Job()


def stop_at(count):
    calls = itertools.count(1)
    return lambda: next(calls) >= count


def test_the_loss_falls_and_metrics_are_read_back_from_the_lines(job):
    result = job.trainer(max_num_batches=100).run()
    losses = [entry["validation:loss"] for entry in result.history]
    assert len(losses) == 10
    assert losses[-1] < 0.9 * losses[0]
    assert result.best.loss == pytest.approx(min(losses))
    printed = [parse_metrics(line) for line in job.lines if line.startswith("checkpoint")]
    assert [p["validation:loss"] for p in printed] == pytest.approx(losses, rel=1e-4)
    assert {"train:loss", "train:tokens_per_second", "train:learning_rate"} <= printed[0].keys()
    assert any(line.startswith("update") and " elapsed " in line for line in job.lines)
    assert result.reason == "max_num_batches=100 reached"


@pytest.mark.parametrize(
    ("settings", "reason", "updates"),
    [
        ({"max_num_batches": 7}, "max_num_batches=7 reached", 7),
        ({"max_num_epochs": 2, "max_num_batches": None}, "max_num_epochs=2 reached", None),
        (
            {"max_minutes": 0.5, "max_num_batches": None},
            r"max_minutes=0.5 was reached after \d+ updates",
            None,
        ),
        (
            {"max_minutes": 0.5, "max_num_epochs": 300},
            r"max_minutes=0.5 was reached after \d+ of 1,000 updates and \d.\d\d of 300 epochs",
            None,
        ),
        (
            {"learning_rate": 1e-9, "checkpoint_threshold": 2, "optimized_metric": "accuracy"},
            "no gain in accuracy for 2 checkpoints",
            30,
        ),
    ],
)
def test_every_limit_ends_training_with_a_validated_model(job, settings, reason, updates):
    result = job.trainer(**{"max_num_batches": 1000, **settings}).run()
    assert re.fullmatch(reason, result.reason)
    assert result.complete == ("max_minutes" not in settings)
    assert updates in (None, result.updates)
    assert result.history[-1]["updates"] == result.updates
    assert math.isfinite(result.best.loss)


def test_no_early_stop_before_min_num_epochs(job):
    result = job.trainer(
        learning_rate=1e-9,
        optimized_metric="accuracy",
        checkpoint_threshold=1,
        min_num_epochs=5,
        max_num_batches=1000,
    ).run()
    assert 5 <= result.epochs < 6.5


def test_the_best_weights_are_those_loaded_at_the_end(job):
    calls = []

    def falling(model, sources):
        """Translates at the first validation only: every later one is worse."""
        calls.append(model.projection.weight.detach().clone())
        good = torch.equal(calls[0], calls[-1])
        return [list(s[:-1]) if good else [4] for s in sources]

    result = job.trainer(optimized_metric="bleu", decode=falling).run()
    assert result.history[0]["validation:bleu"] > result.history[1]["validation:bleu"]
    assert torch.equal(job.model.projection.weight, calls[0])
    assert result.best.bleu == result.history[0]["validation:bleu"]


def test_with_a_bleu_of_0_everywhere_the_lowest_loss_chooses_the_model_and_it_is_said(job):
    settings = {"optimized_metric": "bleu", "average_checkpoints": 1, "max_num_batches": 60}
    result = job.trainer(**settings, decode=lambda model, sources: [[] for _ in sources]).run()
    losses = [entry["validation:loss"] for entry in result.history]
    assert {entry["validation:bleu"] for entry in result.history} == {0}
    assert min(losses) < losses[0]
    assert result.best.loss == min(losses)
    assert result.zero_metric == "bleu"
    [line] = [line for line in result.lines if "was 0 at every checkpoint" in line]
    assert line.startswith(
        "validation bleu was 0 at every checkpoint, so the lowest validation loss"
    )
    read = TrainingOutcome.read(result.details)
    assert list(outcome_warnings({"model": read})) == [f"model: {line}"]


def test_what_was_measured_of_the_best_weights_is_not_measured_again(job):
    translated = []

    def copy(model, sources):
        translated.extend(sources)
        return [list(s[:-1]) for s in sources]

    trainer = job.trainer(optimized_metric="bleu_long", decode=copy)
    measured = []
    sums = trainer._task.validator._sums
    trainer._task.validator._sums = lambda *given: measured.append(1) or sums(*given)
    result = trainer.run()
    known = next(e for e in result.history if e["validation:bleu_long"] == result.best.bleu_long)
    assert result.best.metrics.items() >= {
        (name, known[name]) for name in known if name in result.best.metrics
    }
    assert result.best.bleu is not None
    assert len(measured) == len(result.history)
    natural, long = trainer._task.validator._natural, len(trainer._task.validator.long.members)
    assert len(translated) == natural + long * len(result.history)


def test_the_mean_of_the_best_checkpoints(job):
    trainer = job.trainer(average_checkpoints=3, max_num_batches=40)
    result = trainer.run()
    best = [entry["updates"] for entry in result.history][-3:]
    stored = [job.store.load(n).read_tensors("model.") for n in best]
    single = stored[-1]["projection.weight"]
    mean = torch.stack([s["projection.weight"] for s in stored]).double().mean(0).float()
    found = model_weights(job.model)["projection.weight"]
    no_better = any("is no better" in line for line in job.lines)
    assert torch.equal(found, single if no_better else mean)
    assert result.best.loss <= result.history[-1]["validation:loss"] + 1e-9


@pytest.mark.parametrize("count", [1, 13, 24, 25, "last"])
def test_a_stop_saves_and_the_run_goes_on_to_the_same_weights(job, tmp_path, count):
    """`count`: which of the looks for a stop finds one; the last is in the final measurement."""
    settings = {"rnn_dropout": 0.3, "length_augmentation": 0.3, "optimizer_type": "rmsprop"}
    looks = []
    whole = job.trainer(**settings, stop=lambda: bool(looks.append(1))).run()
    count = len(looks) if count == "last" else count
    expected = {name: value.clone() for name, value in model_weights(job.model).items()}
    job.store = CheckpointStore(tmp_path / "again", warn=job.lines.append)
    with pytest.raises(Interrupted, match="run the same command again to resume"):
        job.trainer(**settings, stop=stop_at(count)).run()
    resumed = job.trainer(**settings).run()
    assert any(line.startswith("resumed at update") for line in job.lines)
    for name, value in model_weights(job.model).items():
        assert torch.equal(value, expected[name]), name
    untimed = [
        [{k: v for k, v in entry.items() if k not in UNTIMED} for entry in result.history]
        for result in (whole, resumed)
    ]
    assert untimed[0] == untimed[1]


@pytest.mark.parametrize(
    ("count", "complete", "reason"),
    [
        (25, False, "stopped after 25 of 30 updates; the best weights are of update"),
        # The last update is done; only its validation is not.
        (30, True, "max_num_batches=30 reached; the best weights are of update"),
    ],
)
def test_a_stop_is_an_early_end_unless_every_update_was_done(job, count, complete, reason):
    trainer = job.trainer(max_num_batches=30)
    trainer._stop = lambda: trainer.state.updates >= count
    with pytest.raises(Interrupted):
        trainer.run()
    result = trainer.load_best()
    assert (result.complete, result.updates) == (complete, count)
    assert result.reason.startswith(reason)
    assert job.trainer(max_num_batches=30).run().complete


def test_the_budget_is_judged_before_the_clock(job):
    """Both are reached with the same update: the run had all its updates."""
    seconds = job.trainer(max_num_batches=9).run().history[-1]["seconds"]
    result = job.trainer(max_num_batches=9, max_minutes=seconds / 60 - 0.01).run()
    assert (result.complete, result.reason) == (True, "max_num_batches=9 reached")


def test_seconds_go_on_after_a_stop(job):
    with pytest.raises(Interrupted):
        job.trainer(max_minutes=0.5, max_num_batches=None, stop=stop_at(15)).run()
    saved = job.store.newest().state["training"]["seconds"]
    result = job.trainer(max_minutes=0.5, max_num_batches=None).run()
    assert 10 < saved < 30 <= result.seconds < 60
    # Read once an update and once a validation; it goes on after the stop.
    *_, before, last = [entry["cpu_seconds"] for entry in result.history]
    assert result.updates <= last <= result.updates + len(result.history) + 2
    assert before < last


def test_a_finished_run_ends_at_once_and_a_longer_one_goes_on(job):
    first = job.trainer().run()
    again = job.trainer().run()
    assert (again.updates, again.history) == (first.updates, first.history)
    assert job.trainer(max_num_batches=50).run().updates == 50


def test_a_damaged_checkpoint_costs_only_its_own_updates(job):
    job.trainer().run()
    expected = {name: value.clone() for name, value in model_weights(job.model).items()}
    newest = job.store.directory / f"checkpoint-{job.store.saved()[-1]:09d}"
    (newest / "tensors.safetensors").write_bytes(b"rubbish")
    job.trainer().run()
    assert any("using the checkpoint before it" in line for line in job.lines)
    assert all(torch.equal(v, expected[n]) for n, v in model_weights(job.model).items())


def test_other_settings_or_data_are_refused_by_name(job, prepared):
    job.trainer(max_num_batches=10).run()
    with pytest.raises(CheckpointError, match=r"learning_rate is 0\.01 there and 0\.02 here"):
        job.trainer(learning_rate=0.02).run()
    other = MemoryCorpus([[5, 3]] * 20, [[5, 3]] * 20)
    with pytest.raises(CheckpointError, match="training data is"):
        job.trainer(train=other).run()


def test_a_loss_that_is_no_number_ends_with_advice_and_keeps_checkpoints(job):
    with pytest.raises(Interrupted):
        job.trainer(stop=stop_at(12)).run()
    kept = job.store.saved()
    trainer = job.trainer()
    original = trainer._updater.apply

    def broken(*arguments):
        with torch.no_grad():
            job.model.projection.weight.fill_(math.inf)
        original(*arguments)

    trainer._updater.apply = broken
    with pytest.raises(
        LongspanError, match=r"expected a finite loss, got none .* lower learning_rate=0\.01"
    ):
        trainer.run()
    assert job.store.saved() == kept
    assert job.trainer().run().updates == 30


def test_nothing_to_train_on_is_a_clear_error(job):
    with pytest.raises(DataError, match="max_seq_len_source=1 "):
        job.trainer(max_seq_len_source=1).run()
    with pytest.raises(DataError, match="expected pairs, got none"):
        job.trainer(train=MemoryCorpus([], [])).run()


def test_pairs_left_out_are_said(job):
    job.trainer(max_seq_len_source=4, max_num_batches=2).run()
    assert any("pairs left out" in line for line in job.lines)


def test_checkpoints_by_the_clock_between_those_by_updates(job):
    settings = {"max_num_batches": 9, "checkpoint_frequency_num_batches": 1000}
    job.trainer(between_saves=3.0, **settings).run()
    assert len(job.store.saved()) > 1


@pytest.mark.parametrize("metric", ["perplexity", "bleu"])
def test_a_run_that_ends_worse_than_a_uniform_guess_fails_and_says_what_to_change(job, metric):
    settings = {"learning_rate": 100.0, "max_num_batches": 20, "optimized_metric": metric}
    with pytest.raises(
        LongspanError,
        match=r"validation loss below 2\.773, that of a uniform guess over 16 target tokens, got "
        r"\d+.* after update \d+, .*; lower learning_rate=100, lengthen lr_warmup_num_batches=0",
    ):
        job.trainer(**settings).run()
    # The same command again ends in the same way.
    with pytest.raises(LongspanError, match="uniform guess"):
        job.trainer(**settings).run()


def test_the_mean_of_diverged_checkpoints_fails_too(job):
    with pytest.raises(LongspanError, match="uniform guess"):
        job.trainer(learning_rate=100.0, max_num_batches=40, average_checkpoints=3).run()


def test_a_stopped_run_that_learned_nothing_has_no_best_model(job):
    trainer = job.trainer(learning_rate=100.0, stop=stop_at(15))
    with pytest.raises(Interrupted):
        trainer.run()
    assert trainer.state.best_updates == [10]
    assert trainer.load_best() is None


def test_a_run_that_diverges_late_keeps_its_best_model_and_says_so(job):
    # The rate rises from 0.01 by 0.01 an update, and becomes too high on the way.
    found = job.trainer(
        learning_rate=100.0, lr_warmup_num_batches=10_000, max_num_batches=150
    ).run()
    assert found.best.loss < math.log(16) < found.history[-1]["validation:loss"]
    [line] = [line for line in job.lines if "the run diverged" in line]
    assert "lower learning_rate=100" in line


@pytest.mark.parametrize("limit", ["max_num_batches", "max_num_epochs"])
def test_a_later_end_that_raises_the_rate_is_announced(job, limit):
    first, later = {"max_num_batches": (40, 80), "max_num_epochs": (4, 8)}[limit]
    cosine = {"lr_scheduler_type": "cosine", "max_num_batches": None}

    def notes(most, **settings):
        job.lines.clear()
        job.trainer(**cosine | {limit: most} | settings).run()
        return [line for line in job.lines if "the learning rate rises from" in line]

    assert not notes(first)
    assert not notes(first)  # resumed as it was
    [note] = notes(later)
    assert "cosine schedule now ends later" in note
    low, high = map(float, re.search(r"from (\S+) to (\S+),", note).groups())
    assert low < high < 0.01


def test_a_resumed_warm_up_and_other_schedules_are_not_announced(job):
    for kind, warmup in (("constant", 0), ("cosine", 90), ("plateau_reduce", 90)):
        for most in (20, 60):
            job.trainer(
                lr_scheduler_type=kind, lr_warmup_num_batches=warmup, max_num_batches=most
            ).run()
        job.store.clear()
    assert not [line for line in job.lines if "learning rate rises" in line]
