"""The model directory, which training writes and inference reads.

config.json          format, hyperparameters, vocabulary sizes, hashes; written last
model.safetensors    weights, float32
tokenizer/           as `longspan prepare` wrote it
history.json         metrics of every checkpoint of the training run
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from longspan.training.errors import ModelDirectoryError
from longspan.training.files import atomic_files
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.config import (
    CONFIG,
    MODEL_FORMAT,
    TOKENIZER,
    HistoryEntry,
    ModelConfig,
)
from longspan.training.model.model import Model
from longspan.training.tokenizer.tokenizer import Tokenizer

__all__ = ["MODEL_FORMAT", "LoadedModel", "load_model", "read_history", "save_model"]

_WEIGHTS, _HISTORY = "model.safetensors", "history.json"


@dataclass(frozen=True)
class LoadedModel:
    """A model in evaluation mode, with its tokenizer and the description it was stored with."""

    model: Model
    hyperparameters: Hyperparameters
    tokenizer: Tokenizer
    config: ModelConfig


def save_model(
    directory: str | Path,
    model: Model,
    hyperparameters: Hyperparameters,
    tokenizer: Tokenizer,
    history: Sequence[dict[str, Any]] = (),
    details: dict[str, Any] | None = None,
) -> None:
    """Write a model directory; `details` (JSON values) go into `config.json`.

    Raises OSError, for example on a full disk; an older model in the directory is then intact.
    """
    weights = save_tensors(_distinct(model))
    config = {
        "format": MODEL_FORMAT,
        "architecture": hyperparameters.architecture,
        "hyperparameters": hyperparameters.to_dict(),
        "source_vocabulary_size": len(tokenizer.source),
        "target_vocabulary_size": len(tokenizer.target),
        "tokenizer_fingerprint": tokenizer.fingerprint,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "details": details or {},
    }
    with atomic_files(Path(directory), last=CONFIG) as folder:
        tokenizer.save(folder / TOKENIZER)
        (folder / _WEIGHTS).write_bytes(weights)
        (folder / _HISTORY).write_bytes(_json(list(history)))
        (folder / CONFIG).write_bytes(_json(config))


def load_model(directory: str | Path, device: str | torch.device = "cpu") -> LoadedModel:
    """Read and check a model directory.

    Raises ModelDirectoryError when it is incomplete, corrupt or of another version, or when its
    tokenizer is not the one that the model was trained with.
    """
    folder = Path(directory)
    config = ModelConfig.load(folder)
    tokenizer = Tokenizer.load(folder / TOKENIZER)
    _check_tokenizer(folder, config, tokenizer)
    model = Model(config.hyperparameters, len(tokenizer.source), len(tokenizer.target))
    _load_weights(model, folder / _WEIGHTS, config.weights_sha256)
    return LoadedModel(model.to(device).eval(), config.hyperparameters, tokenizer, config)


def read_history(directory: str | Path) -> list[dict[str, Any]]:
    """Return the metrics of every checkpoint of the training run; none if the file is missing.

    Raises ModelDirectoryError when the file is damaged.
    """
    path = Path(directory) / _HISTORY
    if not path.exists():
        return []
    try:
        return HistoryEntry.checked_list(path.read_bytes())
    except ValueError as error:
        raise ModelDirectoryError(
            f"{path}: expected metrics of a training run: {error}; copy the model again, or "
            "delete this file to use the model without them"
        ) from error


def _check_tokenizer(folder: Path, config: ModelConfig, tokenizer: Tokenizer) -> None:
    if tokenizer.fingerprint != config.tokenizer_fingerprint:
        raise ModelDirectoryError(
            f"{folder / TOKENIZER}: expected the tokenizer that the model was trained with "
            f"(fingerprint {config.tokenizer_fingerprint[:12]}), got another one "
            f"({tokenizer.fingerprint[:12]}); put the original one back"
        )
    sizes = config.source_vocabulary_size, config.target_vocabulary_size
    if sizes != (len(tokenizer.source), len(tokenizer.target)):
        raise ModelDirectoryError(
            f"{folder / CONFIG}: expected vocabularies of {len(tokenizer.source)} and "
            f"{len(tokenizer.target)} tokens, as the tokenizer has, got {sizes[0]} and {sizes[1]}; "
            "copy the model again"
        )


def _load_weights(model: Model, path: Path, expected: str) -> None:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelDirectoryError(
            f"{path}: expected the model's weights, got: {error.strerror}; copy the model again"
        ) from error
    if hashlib.sha256(content).hexdigest() != expected:
        raise ModelDirectoryError(
            f"{path}: expected the weights whose hash is in {CONFIG}, got others; copy the model "
            "again"
        )
    try:
        tensors = load_tensors(content)
    except SafetensorError as error:
        raise ModelDirectoryError(f"{path}: {error}; copy the model again") from error
    if difference := _difference(model, tensors):
        raise ModelDirectoryError(
            f"{path}: expected the model that {CONFIG} describes, got another one: {difference}; "
            "was it written by another version of longspan?"
        )
    model.load_state_dict(tensors, strict=False)  # second names of tied tensors are not stored


def _difference(model: Model, tensors: Mapping[str, Tensor]) -> str | None:
    """Describe the first tensor that is missing, of another shape or unknown; None if all fit."""
    expected = _distinct(model)
    for name, tensor in expected.items():
        if name not in tensors:
            return f"{name} is missing"
        if tensors[name].shape != tensor.shape:
            return f"{name} is {list(tensors[name].shape)}, expected {list(tensor.shape)}"
    unknown = sorted(tensors.keys() - expected.keys())
    return f"{unknown[0]} is unknown" if unknown else None


def _distinct(model: Model) -> dict[str, Tensor]:
    """Return the state with each tied tensor once, since safetensors refuses shared memory."""
    names = [name for name, _ in model.named_parameters()]  # each tensor once
    state = model.state_dict()
    return {name: state[name].detach().cpu().contiguous() for name in names}


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
