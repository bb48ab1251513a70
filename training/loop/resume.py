"""Saving and resuming a training run, and the best weights among its checkpoints."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from longspan.training.corpus.shards import PairCorpus
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.checkpoint import Checkpoint, CheckpointStore, check_identity
from longspan.training.loop.distributed import World
from longspan.training.loop.schedule import learning_rate, schedule_progress
from longspan.training.loop.setup import RunCheckpoints
from longspan.training.loop.training_state import TrainingState
from longspan.training.loop.updater import MODEL_PREFIX, Updater

__all__ = ["best_weights", "corpus_fingerprint", "resume", "risen_rate", "run_identity", "save"]

# Hyperparameters that a resumed run may change: when training ends and the rate with it, how the
# model is searched later, and the type of products, which depends on the machine with
# `precision=auto`.
_MAY_CHANGE = frozenset(
    {
        "max_num_epochs",
        "min_num_epochs",
        "max_num_batches",
        "max_minutes",
        "lr_warmup_num_batches",
        "checkpoint_threshold",
        "beam_size",
        "length_penalty",
        "coverage_penalty",
        "no_repeat_ngram_size",
        "min_length",
        "calibrate_penalties",
        "precision",
    }
)
_SAMPLED_PAIRS = 1000


def run_identity(
    hyperparameters: Hyperparameters,
    train: PairCorpus,
    validation: PairCorpus,
    tokenizer_fingerprint: str,
    starting_weights: str | None = None,
) -> dict[str, Any]:
    """Return the values that must be equal in a checkpoint to resume it, by their names.

    `starting_weights` is the hash of the model that the run continues from.
    """
    settings = hyperparameters.to_dict()
    return {
        "tokenizer": tokenizer_fingerprint,
        "training data": corpus_fingerprint(train),
        "validation data": corpus_fingerprint(validation),
        "model to continue from": starting_weights,
        **{name: value for name, value in settings.items() if name not in _MAY_CHANGE},
    }


def corpus_fingerprint(corpus: PairCorpus) -> str:
    """Return the SHA-256 of the number of pairs, all lengths and the tokens of 1,000 pairs."""
    digest = hashlib.sha256(str(len(corpus)).encode())
    # Little-endian, so that the hash is the same on every machine.
    for column in (corpus.source_lengths, corpus.target_lengths):
        digest.update(column.astype("<i4").tobytes())
    # Evenly spread, since reading all tokens of a large corpus is slow.
    chosen = np.linspace(0, len(corpus) - 1, min(_SAMPLED_PAIRS, len(corpus))).astype(np.int64)
    for index in chosen.tolist():
        for tokens in (corpus.source(index), corpus.target(index)):
            digest.update(tokens.astype("<i8").tobytes())
    return digest.hexdigest()


def save(checkpoints: RunCheckpoints, state: TrainingState, updater: Updater, world: World) -> None:
    """Save a checkpoint of the run. Every rank calls this, and the first one writes."""
    # Before the test for the first rank, because every rank has to take part in these sums.
    state.recent = list(updater.total(updater.recent).values)
    state.period = list(updater.total(updater.period).values)
    if world.is_first:
        content = {"identity": dict(checkpoints.identity), "training": state.to_dict()}
        checkpoints.store.save(state.updates, content, updater.tensors(), state.best_updates)


def resume(checkpoints: RunCheckpoints, updater: Updater, world: World) -> TrainingState | None:
    """Load the newest intact checkpoint into `updater` and return its state; None without one.

    Only the first rank reads it, since other machines may not see its disk. Raises CheckpointError
    when the checkpoint belongs to another run.
    """
    found = checkpoints.store.newest() if world.is_first else None
    checkpoint = _shared(found, world)
    if checkpoint is None:
        return None
    check_identity(checkpoint.state["identity"], checkpoints.identity, checkpoints.store.directory)
    updater.load(checkpoint.read_tensors())
    state = TrainingState.from_dict(checkpoint.state["training"])
    if world.is_first:  # the sums are over all ranks already
        updater.recent += updater.recent.new_tensor(state.recent)
        updater.period += updater.period.new_tensor(state.period)
    return state


def risen_rate(state: TrainingState, hyperparameters: Hyperparameters) -> str | None:
    """Return a line for a resumed run whose learning rate rises because its end has moved.

    `cosine` falls to 0 at the end of a run. With a later end, as with more updates, the resumed run
    is at an earlier point of the curve. Other schedules do not depend on the end.
    """
    h = hyperparameters
    if h.lr_scheduler_type != "cosine" or state.updates < max(1, h.lr_warmup_num_batches):
        return None
    progress = schedule_progress(h, state.updates, state.epochs, state.seconds / 60)
    rate = learning_rate(h, state.updates, progress, state.plateau)
    if rate <= state.rate:
        return None
    return (
        f"note: the learning rate rises from {state.rate:.3g} to {rate:.3g}, because the cosine "
        "schedule now ends later than before; for one schedule over the whole run, train with "
        "--fresh"
    )


def best_weights(store: CheckpointStore, updates: Sequence[int], world: World) -> dict[str, Tensor]:
    """Return the mean of the weights after each of `updates`, summed in float64.

    Vaswani et al. 2017, section 6.1, average the last checkpoints; here they are the best ones.
    """
    total: dict[str, Tensor] = {}
    for number in updates:
        checkpoint = _shared(store.load(number) if world.is_first else None, world)
        tensors = checkpoint.read_tensors(MODEL_PREFIX) if checkpoint else {}
        if len(updates) == 1:
            return tensors
        for name, value in tensors.items():
            # In float64, since sums of float32 lose digits.
            total[name] = total[name] + value.double() if name in total else value.double()
    return {name: (value / len(updates)).float() for name, value in total.items()}


def _shared(found: Checkpoint | None, world: World) -> Checkpoint | None:
    """Return the first rank's checkpoint on every rank."""
    if world.size == 1:
        return found
    content = world.broadcast(found.to_bytes() if found else None)
    return Checkpoint.from_bytes(content) if content is not None else None
