"""A run that is killed with SIGKILL, again and again, ends like one that was not."""

import os
import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from longspan.training.corpus.shards import Corpus, MemoryCorpus
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.checkpoint import CheckpointStore
from longspan.training.loop.distributed import World
from longspan.training.loop.resume import best_weights, corpus_fingerprint, run_identity

# Trains in a child process that kills itself after so many updates, or inside of the writing of a
# checkpoint; 0 0 is no kill at all. The parent does so for each pair of numbers given.
SCRIPT = """
import os, signal, sys
from pathlib import Path

import torch
from longspan.inference.search.search import GreedySearch
from longspan.training import files
from longspan.training.loop import run as training_run
from longspan.training.loop import updater as update
from longspan.training.corpus.prepared import Prepared
from longspan.training.loop.distributed import World
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.setup import TrainingEnvironment
from longspan.training.loop.training_log import TrainingLog

def train(prepared, out, settings, updates, flushes):
    def killing(function, after):
        calls = 0
        def wrapper(*arguments):
            nonlocal calls
            calls += 1
            if calls == after:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments)
        return wrapper

    update.Updater.apply = killing(update.Updater.apply, updates)
    files._flush = killing(files._flush, flushes)
    training_run.train_model(
        Prepared.open(prepared),
        Hyperparameters.parse(settings),
        training_run.TrainingOutput(Path(out), Path(f"{out}.checkpoints")),
        training_run.TrainingSearch(GreedySearch.of(Prepared.open(prepared))),
        TrainingEnvironment(World(), torch.device("cpu"), TrainingLog()),
    )

prepared, out, settings, *kills = sys.argv[1:]
settings = dict(setting.split("=") for setting in settings.split(","))
torch.set_num_threads(1)
for kill in kills:
    child = os.fork()
    if not child:
        train(prepared, out, settings, *map(int, kill.split(":")))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print("status", status, flush=True)
"""


def train(prepared, out, settings, kills):
    text = ",".join(f"{name}={value}" for name, value in settings.items())
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(prepared), str(out), text, *kills],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    return [int(line.split()[1]) for line in lines if line.startswith("status")], done.stdout


@pytest.mark.parametrize(
    "settings",
    [
        {"rnn_dropout": "0.2", "length_augmentation": "0.3"},
        {"optimized_metric": "bleu", "average_checkpoints": "2", "max_minutes": "9"},
    ],
    ids=["dropout and augmentation", "bleu and average"],
)
def test_killed_at_random_steps_and_resumed_to_the_same_bytes(
    write_prepared, tiny_settings, tmp_path, settings
):
    prepared = write_prepared(tmp_path / "prepared", pairs=40)
    more = {"checkpoint_frequency_num_batches": "4", "checkpoint_threshold": "99"}
    settings = tiny_settings | more | {"max_num_batches": "40"} | settings
    draw = random.Random(sum(map(ord, str(settings))))
    # After 5 to 11 updates, so that each life saves at least once; or during the second save.
    kills = [f"{draw.randint(5, 11)}:0" for _ in range(3)] + [f"0:{draw.randint(5, 8)}"]
    statuses, _ = train(prepared, tmp_path / "whole", settings, ["0:0"])
    assert statuses == [0]
    statuses, said = train(prepared, tmp_path / "killed", settings, [*kills, "0:0"])
    assert statuses == [9, 9, 9, 9, 0]
    assert said.count("resumed at update") >= 3
    whole, killed = (
        (tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "killed")
    )
    assert whole == killed


def test_fingerprints_tell_corpora_apart(write_prepared, tmp_path):
    prepared = write_prepared(tmp_path)
    train, validation = (Corpus.open(prepared / name) for name in ("train", "validation"))
    copy = MemoryCorpus(
        [train.source(i) for i in range(len(train))], [train.target(i) for i in range(len(train))]
    )
    changed = MemoryCorpus(
        [train.source(i) for i in range(len(train))],
        [np.roll(train.target(i), 1) for i in range(len(train))],
    )
    assert corpus_fingerprint(train) == corpus_fingerprint(copy)
    assert len({corpus_fingerprint(c) for c in (train, validation, changed)}) == 3
    assert len(corpus_fingerprint(MemoryCorpus([], []))) == 64


def test_limits_may_change_and_the_rest_may_not():
    corpus = MemoryCorpus([[5, 3]], [[5, 3]])

    def identity(**settings):
        return run_identity(Hyperparameters(**settings), corpus, corpus, "t")

    assert identity() == identity(max_minutes=5.0, beam_size=9, precision="fp32")
    assert identity() != identity(learning_rate=0.5)
    assert run_identity(Hyperparameters(), corpus, corpus, "other") != identity()


def test_the_mean_of_weights(tmp_path):
    store = CheckpointStore(tmp_path, warn=print)
    for updates, value in ((1, 1.0), (2, 4.0)):
        tensors = {"model.a": torch.full((2,), value), "optimizer.0.step": torch.ones(())}
        store.save(updates, {}, tensors)
    mean = best_weights(store, [1, 2], World())
    assert mean.keys() == {"a"}
    assert torch.equal(mean["a"], torch.full((2,), 2.5))
    assert mean["a"].dtype == torch.float32
    assert torch.equal(best_weights(store, [2], World())["a"], torch.full((2,), 4.0))
