"""The setup of a training run: its task, its environment, its checkpoints and its clocks."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from longspan.training.corpus.pair_corpus import PairCorpus
from longspan.training.corpus.subword_dropout import SubwordDropout
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.checkpoint import CheckpointStore
from longspan.training.loop.distributed import World
from longspan.training.loop.training_log import TrainingLog
from longspan.training.loop.updater import LossFunction
from longspan.training.loop.validation import Validator

__all__ = ["RunCheckpoints", "TrainingClocks", "TrainingEnvironment", "TrainingTask"]


@dataclass(frozen=True)
class TrainingTask:
    """A model to train, its data, and how it is measured."""

    model: nn.Module  # on the device already; its weights are changed in place
    corpus: PairCorpus  # the training pairs
    validator: Validator  # measures the model at every checkpoint
    hyperparameters: Hyperparameters
    loss: LossFunction
    dropout: SubwordDropout | None = None  # of the training pairs


@dataclass(frozen=True)
class TrainingEnvironment:
    """The place of a rank among all, its device, and its log."""

    world: World  # this process among all ranks
    device: torch.device  # the device of this rank
    log: TrainingLog  # silent for all ranks but the first


@dataclass(frozen=True)
class RunCheckpoints:
    """The checkpoints of a run, from which it resumes."""

    store: CheckpointStore
    identity: Mapping[str, Any]  # name to JSON value; a checkpoint resumes only an equal run


@dataclass(frozen=True)
class TrainingClocks:
    """The clocks of a run, in seconds."""

    wall: Callable[[], float] = time.monotonic
    cpu: Callable[[], float] = time.process_time
    between_saves: float = 300.0  # so much work is lost at most when a job is killed
