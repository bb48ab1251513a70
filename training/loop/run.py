"""A training run from a prepared folder to a model directory."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from longspan.training.bleu_tokenizers import BleuTokenizer
from longspan.training.corpus.prepared import Prepared
from longspan.training.corpus.shards import PairCorpus
from longspan.training.corpus.subword_dropout import SubwordDropout
from longspan.training.errors import HyperparameterError, Interrupted
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.checkpoint import CheckpointStore
from longspan.training.loop.distributed import World, process_group
from longspan.training.loop.loss import sequence_loss
from longspan.training.loop.precision import compute_type
from longspan.training.loop.result import TrainingResult
from longspan.training.loop.resume import corpus_fingerprint, run_identity
from longspan.training.loop.setup import RunCheckpoints, TrainingEnvironment, TrainingTask
from longspan.training.loop.starting_model import StartingModel
from longspan.training.loop.trainer import Trainer
from longspan.training.loop.validation import Decode, ValidationData, Validator
from longspan.training.model.directory import save_model
from longspan.training.model.initialization import initialize
from longspan.training.model.model import Model
from longspan.training.model.output_length import length_factor
from longspan.training.scores import check_tokenizer
from longspan.training.stop import stop_on_signals
from longspan.training.tokenizer.tokenizer import Tokenizer

__all__ = ["TrainingOutput", "TrainingSearch", "device_of_rank", "train_model"]


class Penalties(Protocol):
    """The penalties of a search."""

    @property
    def changes(self) -> Mapping[str, float]:
        """The penalties by the names of their hyperparameters."""
        ...

    @property
    def line(self) -> str:
        """One line on how the penalties were found."""
        ...


class Calibrate(Protocol):
    """The function that chooses penalties, see `inference.translation.calibration.calibrate`."""

    def __call__(
        self,
        model: Model,
        tokenizer: Tokenizer,
        validation: PairCorpus,
        hyperparameters: Hyperparameters,
        device: torch.device,
        /,
    ) -> Penalties:
        """Return the penalties with which the model is best on the validation pairs."""


@dataclass(frozen=True)
class TrainingOutput:
    """The folders that a run writes to."""

    model: Path  # the model directory
    checkpoints: Path  # the folder that a stopped run resumes from
    keep_best: bool = False  # whether a stopped run writes its best model so far


@dataclass(frozen=True)
class TrainingSearch:
    """The search that validates, which `inference` provides."""

    decode: Decode  # greedy search over a batch
    calibrate: Calibrate | None = None  # chooses penalties, where `calibrate_penalties` asks for it


def train_model(
    prepared: Prepared,
    hyperparameters: Hyperparameters,
    output: TrainingOutput,
    search: TrainingSearch,
    environment: TrainingEnvironment,
    start: StartingModel | None = None,
) -> TrainingResult:
    """Train or resume, and write the model directory. SIGTERM and SIGINT stop after an update.

    A run with a `start` begins with its weights; tokenizer and architecture must be those of it.

    Raises HyperparameterError for settings that do not fit the tokenizer or the device, DataError
    without the dictionary that BLEU needs, and what `Trainer.run` raises. Interrupted leaves a
    checkpoint, and with `keep_best` also the model directory of the best checkpoint so far, if any
    was validated.
    """
    h, tokenizer = hyperparameters, prepared.tokenizer
    world, device, log = environment.world, environment.device, environment.log
    compute_type(h.precision, device)  # raises for bf16 if the device has none
    if h.tie_embeddings == "all" and not tokenizer.joint:
        raise HyperparameterError(
            "tie_embeddings=all: expected a tokenizer with one vocabulary for both sides, got two; "
            "set none or target, or prepare with --joint"
        )
    words = prepared.bleu_tokenizer(h.bleu_tokenizer)
    check_tokenizer(words.name)
    h = h.replace(bleu_tokenizer=words.name)  # one choice for validation, calibration and the model
    with stop_on_signals() as stop, process_group(world, device):
        model = Model(h, len(tokenizer.source), len(tokenizer.target))
        # On the CPU, before the model moves: a seed gives the same weights on every device, and all
        # ranks start alike without a message.
        initialize(model, h, torch.Generator().manual_seed(h.seed))
        if start is not None:
            start.copy_to(model)
        model = model.to(device)
        data = ValidationData(prepared.validation, tokenizer, prepared.joined)
        validator = Validator(data, h, sequence_loss, world, device, decode=search.decode)
        for line in _announcement(model, prepared, validator, h, world, device, words):
            log.note(line)
        if start is not None:
            log.note(f"continues from the weights of {start.place}")
        checkpoints = RunCheckpoints(
            CheckpointStore(output.checkpoints, warn=lambda text: log.note(f"warning: {text}")),
            run_identity(
                h,
                prepared.train,
                prepared.validation,
                tokenizer.fingerprint,
                None if start is None else start.weights_sha256,
            ),
        )
        dropout = SubwordDropout.of(tokenizer, h.subword_dropout)
        task = TrainingTask(model, prepared.train, validator, h, sequence_loss, dropout)
        trainer = Trainer(task, checkpoints, environment, stop)
        more = {
            "longest_example": _longest_example(prepared.train, h),
            "training_data_sha256": corpus_fingerprint(prepared.train),
            **({} if start is None else start.details),
        }
        save = partial(save_model, output.model, model)
        # 0 stands for a factor that is measured on the training pairs.
        if not h.max_length_factor:
            lengths = prepared.train.source_lengths, prepared.train.target_lengths
            h = h.replace(max_length_factor=length_factor(*lengths))
        try:
            result = trainer.run()
        except Interrupted:
            best = trainer.load_best() if output.keep_best else None
            if best is not None and world.is_first:
                save(h, tokenizer, best.history, best.details | more)
                log.note(f"{best.reason}: {output.model}")
                for line in (*best.outcome.warnings, best.best_line):
                    log.note(line)
            raise
        if world.is_first:
            if h.calibrate_penalties and search.calibrate is not None:
                found = search.calibrate(model, tokenizer, prepared.validation, h, device)
                log.note(found.line)
                h = h.replace(**found.changes)
            save(h, tokenizer, result.history, result.details | more)
    for line in result.lines:
        log.note(line)
    return result


def device_of_rank(world: World) -> torch.device:
    """Return the GPU of a rank, or the CPU where no GPU is available."""
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
    words: BleuTokenizer,
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
        f"words of BLEU: {words.name} ({words.reason})",
    ]
    h = hyperparameters
    never = h.plateau_reduce_lr_threshold >= h.checkpoint_threshold
    if h.lr_scheduler_type == "plateau_reduce" and never:
        lines.append(
            f"note: plateau_reduce_lr_threshold={h.plateau_reduce_lr_threshold} is not below "
            f"checkpoint_threshold={h.checkpoint_threshold}: training ends before the rate falls; "
            "set a lower one"
        )
    if h.max_minutes and h.max_num_batches is None and h.max_num_epochs is None:
        lines.append(
            f"note: max_minutes={h.max_minutes:g} is the only budget: the result depends on the "
            "speed of this machine; set max_num_batches (updates) for the same result on each"
        )
    return lines


def _longest_example(train: PairCorpus, hyperparameters: Hyperparameters) -> dict[str, int]:
    """Return the tokens of the longest training example by side, joined examples included."""
    h, sources, targets = hyperparameters, train.source_lengths, train.target_lengths
    fit = (sources <= h.max_seq_len_source) & (targets <= h.max_seq_len_target)
    source, target = (int(side[fit].max(initial=0)) for side in (sources, targets))
    if h.length_augmentation and fit.any():
        joined = min(h.length_augmentation_max, h.max_seq_len_source)
        # Joined examples are drawn by source length; their targets are as long as usual for it.
        ratio = float(targets[fit].mean() / sources[fit].mean())
        source = max(source, joined)
        target = max(target, min(h.max_seq_len_target, round(joined * ratio)))
    return {"source": source, "target": target}
