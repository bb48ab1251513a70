"""A training run from a prepared folder to a model directory; composition roots call it."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from longspan.training.corpus.prepared import Prepared
from longspan.training.corpus.shards import PairCorpus
from longspan.training.errors import HyperparameterError, Interrupted
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.checkpoint import CheckpointStore
from longspan.training.loop.distributed import World, process_group
from longspan.training.loop.loss import sequence_loss
from longspan.training.loop.metrics import metrics_line
from longspan.training.loop.precision import compute_type
from longspan.training.loop.resume import corpus_fingerprint, run_identity
from longspan.training.loop.trainer import Trainer, TrainingResult
from longspan.training.loop.training_log import TrainingLog, clock_text
from longspan.training.loop.validation import Decode, Validator
from longspan.training.model.directory import save_model
from longspan.training.model.initialization import initialize
from longspan.training.model.model import Model
from longspan.training.model.output_length import length_factor
from longspan.training.stop import stop_on_signals
from longspan.training.tokenizer.tokenizer import Tokenizer

__all__ = ["device_of_rank", "train_model"]


class Penalties(Protocol):
    """The penalties to search with."""

    @property
    def changes(self) -> Mapping[str, float]:
        """By the names of the hyperparameters."""
        ...

    @property
    def line(self) -> str:
        """How they were found."""
        ...


class Calibrate(Protocol):
    """`inference.calibration.calibrate`."""

    def __call__(
        self,
        model: Model,
        tokenizer: Tokenizer,
        validation: PairCorpus,
        hyperparameters: Hyperparameters,
        device: torch.device,
        /,
    ) -> Penalties:
        """Those that suit the model best on the validation pairs."""


def train_model(
    prepared: Prepared,
    model_directory: str | Path,
    hyperparameters: Hyperparameters,
    *,
    checkpoints: str | Path,
    decode: Decode,
    calibrate: Calibrate | None = None,
    world: World,
    device: torch.device,
    journal: TrainingLog,
    keep_best: bool = False,
) -> TrainingResult:
    """Train or resume, and write the model directory; SIGTERM and SIGINT stop in good order.

    `calibrate` chooses the penalties that the model is stored with, where `calibrate_penalties`
    asks for it.

    Raises HyperparameterError for settings that do not fit the tokenizer or the device, and what
    `Trainer.run` raises. Interrupted leaves a checkpoint, and with `keep_best` also
    the model directory of the best one so far, when one was validated.
    """
    h, tokenizer = hyperparameters, prepared.tokenizer
    compute_type(h.precision, device)  # refuses bf16 where there is none
    if h.tie_embeddings == "all" and not tokenizer.joint:
        raise HyperparameterError(
            "tie_embeddings=all: needs one vocabulary for both sides, and this tokenizer has two; "
            "allowed here: none | target"
        )
    with stop_on_signals() as stop, process_group(world, device):
        model = Model(h, len(tokenizer.source), len(tokenizer.target))
        initialize(model, h, torch.Generator().manual_seed(h.seed))
        model = model.to(device)
        validator = Validator(
            prepared.validation,
            tokenizer,
            h,
            sequence_loss,
            world,
            device,
            decode=decode,
            joined=prepared.joined,
        )
        for line in _announcement(model, prepared, validator, h, world, device):
            journal.note(line)
        trainer = Trainer(
            model,
            prepared.train,
            validator,
            h,
            loss=sequence_loss,
            store=CheckpointStore(checkpoints, warn=lambda text: journal.note(f"warning: {text}")),
            identity=run_identity(h, prepared.train, prepared.validation, tokenizer.fingerprint),
            journal=journal,
            world=world,
            device=device,
            stop=stop,
        )
        data = {
            "longest_example": _longest_example(prepared.train, h),
            "training_data_sha256": corpus_fingerprint(prepared.train),
        }
        save = partial(save_model, model_directory, model)
        if not h.max_length_factor:
            lengths = prepared.train.source_lengths, prepared.train.target_lengths
            h = h.replace(max_length_factor=length_factor(*lengths))
        try:
            result = trainer.run()
        except Interrupted:
            best = trainer.load_best() if keep_best else None
            if best is not None and world.is_first:
                save(h, tokenizer, best.history, _details(best) | data)
                journal.note(f"{best.reason}: {model_directory}")
                for line in _early(best):
                    journal.note(line)
                journal.note(_best_line(best))
            raise
        if world.is_first:
            if h.calibrate_penalties and calibrate is not None:
                found = calibrate(model, tokenizer, prepared.validation, h, device)
                journal.note(found.line)
                h = h.replace(**found.changes)
            save(h, tokenizer, result.history, _details(result) | data)
    for line in _closing(result):
        journal.note(line)
    return result


def device_of_rank(world: World) -> torch.device:
    """This rank's GPU where there is one, else the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", world.local_rank % torch.cuda.device_count())


def _announcement(
    model: Model,
    prepared: Prepared,
    validator: Validator,
    hyperparameters: Hyperparameters,
    world: World,
    device: torch.device,
) -> list[str]:
    parameters = sum(p.numel() for p in model.parameters())
    compute = str(compute_type(hyperparameters.precision, device)).removeprefix("torch.")
    tokenizer = prepared.tokenizer
    tokens = int(prepared.train.target_lengths.sum(dtype=np.int64))
    lines = [
        f"model: {parameters:,} parameters, attention {hyperparameters.attention_type}, "
        f"vocabulary {len(tokenizer.source):,} and {len(tokenizer.target):,}",
        f"device: {device}, {world.size} processes, {torch.get_num_threads()} threads each, "
        f"{compute}",
        f"data: {len(prepared.train):,} pairs with {tokens:,} target tokens to train on, "
        f"{len(prepared.validation) - prepared.joined:,} to validate",
        f"bleu_long: the {len(validator.long.members):,} validation pairs of {validator.long.name}"
        + (
            f", {prepared.joined:,} validation pairs being joined from neighbours"
            if prepared.joined
            else ""
        ),
    ]
    h = hyperparameters
    never = h.plateau_reduce_lr_threshold >= h.checkpoint_threshold
    if h.lr_scheduler_type == "plateau_reduce" and never:
        lines.append(
            f"note: plateau_reduce_lr_threshold={h.plateau_reduce_lr_threshold} is not below "
            f"checkpoint_threshold={h.checkpoint_threshold}: training ends before the rate falls"
        )
    if h.max_minutes and h.max_num_batches is None and h.max_num_epochs is None:
        lines.append(
            f"note: max_minutes={h.max_minutes:g} is the only budget: the result depends on the "
            "speed of this machine; set max_num_batches (updates) for the same result on each"
        )
    return lines


def _closing(result: TrainingResult) -> list[str]:
    buckets = ", ".join(f"{name}: {loss:.3f}" for name, loss in result.best.by_bucket.items())
    return [
        f"validation loss by source words: {buckets}",
        _best_line(result),
        f"{result.updates} updates, {result.epochs:.2f} epochs, {clock_text(result.seconds)}, "
        f"{result.tokens_per_second:.0f} target tokens a second",
        *_early(result),
    ]


def _early(result: TrainingResult) -> list[str]:
    line = result.ending.early_line
    return [] if line is None else [line]


def _best_line(result: TrainingResult) -> str:
    """The last line with metrics, so that a tuner takes these for the job's own."""
    return f"best model: {metrics_line(result.best.metrics)}"


def _details(result: TrainingResult) -> dict[str, object]:
    return {
        "reason": result.reason,
        "complete": result.complete,
        "updates": result.updates,
        "epochs": result.epochs,
        "seconds": result.seconds,
        "tokens": result.tokens,
        "metrics": result.best.metrics,
        "validation_loss_by_bucket": result.best.by_bucket,
    }


def _longest_example(train: PairCorpus, hyperparameters: Hyperparameters) -> dict[str, int]:
    """Tokens of the longest example by side, joined ones included; what is longer was not seen."""
    h, sources, targets = hyperparameters, train.source_lengths, train.target_lengths
    fit = (sources <= h.max_seq_len_source) & (targets <= h.max_seq_len_target)
    source, target = (int(side[fit].max(initial=0)) for side in (sources, targets))
    if h.length_augmentation and fit.any():
        joined = min(h.length_augmentation_max, h.max_seq_len_source)
        ratio = float(targets[fit].mean() / sources[fit].mean())
        source = max(source, joined)
        target = max(target, min(h.max_seq_len_target, round(joined * ratio)))
    return {"source": source, "target": target}
