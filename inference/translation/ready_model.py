"""A model ready to translate: loaded, on its device, in the precision that it is served with."""

from dataclasses import dataclass
from pathlib import Path

import torch

from longspan.inference.compression.compressed_model import CompressedModel, choose_precision
from longspan.inference.translation.translator import choose_device
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.directory import load_model
from longspan.training.model.model import Model
from longspan.training.tokenizer.tokenizer import Tokenizer

__all__ = ["ReadyModel", "load_ready"]


@dataclass(frozen=True)
class ReadyModel:
    """A model in evaluation mode, with its tokenizer. `precision` is fp32 or int8."""

    model: Model | CompressedModel
    tokenizer: Tokenizer
    hyperparameters: Hyperparameters
    device: str
    precision: str


def load_ready(
    directory: str | Path, device: str | None = None, precision: str = "auto"
) -> ReadyModel:
    """Load a model directory for translation.

    `device` is cpu, cuda, cuda:1 ... (default: a GPU if there is one). `precision` is fp32, int8,
    or auto: int8 on a CPU that is fast at it. Raises LongspanError for a device that is not there,
    ModelDirectoryError for a directory without a whole model.
    """
    chosen = choose_device(device)
    loaded = load_model(directory, chosen)
    weights = choose_precision(precision, torch.device(chosen))
    model: Model | CompressedModel = loaded.model
    if weights == "int8":
        model = CompressedModel(loaded.model, loaded.hyperparameters)
    return ReadyModel(model, loaded.tokenizer, loaded.hyperparameters, chosen, weights)
