"""The model directory: the only thing handed from training to inference.

config.json          format, hyperparameters, vocabulary sizes, hashes; written last
model.safetensors    weights, float32
tokenizer/           as `longspan prepare` wrote it
history.json         metrics of every checkpoint of the training run
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from longspan.training.errors import HyperparameterError, ModelDirectoryError
from longspan.training.files import write_atomically
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model import Model
from longspan.training.model_config import CONFIG, FORMAT, TOKENIZER, read_config
from longspan.training.tokenizer import Tokenizer

__all__ = ["FORMAT", "LoadedModel", "load_model", "read_history", "save_model"]

_WEIGHTS, _HISTORY = "model.safetensors", "history.json"


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to translate, in evaluation mode, with what it was trained by."""

    model: Model
    hyperparameters: Hyperparameters
    tokenizer: Tokenizer
    config: dict[str, Any]


def save_model(
    directory: str | Path,
    model: Model,
    hyperparameters: Hyperparameters,
    tokenizer: Tokenizer,
    history: Sequence[dict[str, Any]] = (),
    details: dict[str, Any] | None = None,
) -> None:
    """Write a model directory; `details` (JSON values) are kept in `config.json`.

    Every file is replaced whole and `config.json` comes last, so a directory that was cut
    short reads as incomplete, never as a model.
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG).unlink(missing_ok=True)
    tokenizer.save(folder / TOKENIZER)
    weights = save_tensors(_distinct(model))
    write_atomically(folder / _WEIGHTS, weights)
    write_atomically(folder / _HISTORY, _json(list(history)))
    config = {
        "format": FORMAT,
        "architecture": hyperparameters.architecture,
        "hyperparameters": hyperparameters.to_dict(),
        "source_vocabulary_size": len(tokenizer.source),
        "target_vocabulary_size": len(tokenizer.target),
        "tokenizer_fingerprint": tokenizer.fingerprint,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "details": details or {},
    }
    write_atomically(folder / CONFIG, _json(config))


def load_model(directory: str | Path, device: str | torch.device = "cpu") -> LoadedModel:
    """Read and check a model directory.

    Raises ModelDirectoryError when it is incomplete, corrupt, from another version, or its
    tokenizer is not the one that the model was trained with.
    """
    folder = Path(directory)
    config = read_config(folder)
    tokenizer = Tokenizer.load(folder / TOKENIZER)
    if tokenizer.fingerprint != config["tokenizer_fingerprint"]:
        raise ModelDirectoryError(
            f"{folder / TOKENIZER}: the model was trained with another tokenizer (fingerprint "
            f"{config['tokenizer_fingerprint'][:12]}, this one {tokenizer.fingerprint[:12]}); "
            "put the original one back"
        )
    try:
        hyperparameters = Hyperparameters.from_dict(config["hyperparameters"])
    except HyperparameterError as error:
        raise ModelDirectoryError(
            f"{folder / CONFIG}: {error}; was it written by another version of longspan?"
        ) from error
    model = Model(
        hyperparameters, config["source_vocabulary_size"], config["target_vocabulary_size"]
    )
    _load_weights(model, folder / _WEIGHTS, config["weights_sha256"])
    return LoadedModel(model.to(device).eval(), hyperparameters, tokenizer, config)


def read_history(directory: str | Path) -> list[dict[str, Any]]:
    """Metrics of every checkpoint of the training run; none where the file is not there."""
    path = Path(directory) / _HISTORY
    if not path.exists():
        return []
    history: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return history


def _load_weights(model: Model, path: Path, expected: str) -> None:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelDirectoryError(
            f"{path}: expected the model's weights, got: {error.strerror}; copy the model again"
        ) from error
    if hashlib.sha256(content).hexdigest() != expected:
        raise ModelDirectoryError(
            f"{path}: its content is not what {CONFIG} says; copy the model again"
        )
    try:
        tensors = load_tensors(content)
        missing, unexpected = model.load_state_dict(tensors, strict=False)
    except (SafetensorError, RuntimeError) as error:
        raise ModelDirectoryError(f"{path}: does not fit the model: {error}") from error
    tied = model.state_dict().keys() - _distinct(model).keys()
    if unexpected or set(missing) - tied:
        raise ModelDirectoryError(
            f"{path}: does not fit the model; missing {sorted(set(missing) - tied)}, "
            f"unexpected {sorted(unexpected)}; was it written by another version of longspan?"
        )


def _distinct(model: Model) -> dict[str, Tensor]:
    """The state without second names of tied tensors, which safetensors refuses."""
    names = [name for name, _ in model.named_parameters()]  # each tensor once
    state = model.state_dict()
    return {name: state[name].detach().cpu().contiguous() for name in names}


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
