"""`config.json` of a model directory, and the check of its history.

This module imports no torch, so that a server reads the description of a model at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longspan.training.errors import HyperparameterError, ModelDirectoryError
from longspan.training.fields import Fields
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.outcome import TrainingOutcome

__all__ = ["CONFIG", "DRAWN", "MODEL_FORMAT", "TOKENIZER", "ModelConfig", "check_history"]

MODEL_FORMAT = 1
CONFIG, TOKENIZER = "config.json", "tokenizer"
# Metrics of the history that a report draws; an entry may lack any of them.
DRAWN = (
    "train:loss", "validation:loss", "validation:accuracy", "validation:bleu",
    "validation:bleu_long",
)  # fmt: skip


@dataclass(frozen=True)
class ModelConfig:
    """The content of `config.json`."""

    hyperparameters: Hyperparameters
    source_vocabulary_size: int
    target_vocabulary_size: int
    tokenizer_fingerprint: str  # of the tokenizer that the model was trained with
    weights_sha256: str  # of the file of weights
    details: Mapping[str, Any]  # JSON values that training left
    outcome: TrainingOutcome  # how training ended, read from `details`

    @classmethod
    def read(cls, folder: Path) -> "ModelConfig":
        """Read and check the description of a model directory. Raises ModelDirectoryError."""
        path = folder / CONFIG
        if not path.is_file():
            raise ModelDirectoryError(
                f"{folder}: expected a model directory with {CONFIG}, got "
                f"{'none' if folder.is_dir() else 'no such directory'}; did training finish?"
            )
        try:
            return _checked(path, Fields.parse(path.read_bytes()))
        except ValueError as error:
            raise ModelDirectoryError(
                f"{path}: expected a model's description, got {error}; copy the model again"
            ) from error
        except HyperparameterError as error:
            raise ModelDirectoryError(
                f"{path}: {error}; was it written by another version of longspan?"
            ) from error


def check_history(entries: Iterable[Fields]) -> None:
    """Raise ValueError for an entry of the history with a value that training does not write."""
    for entry in entries:
        entry.integer("updates")
        for name in ("seconds", "cpu_seconds", *DRAWN):
            if name in entry.values:
                entry.number_or_null(name)


def _checked(path: Path, fields: Fields) -> ModelConfig:
    version = fields.integer("format")
    if version != MODEL_FORMAT:
        raise ModelDirectoryError(
            f"{path}: expected format {MODEL_FORMAT}, got {version}; use the longspan that wrote it"
        )
    details = fields.fields("details")
    return ModelConfig(
        Hyperparameters.from_dict(fields.fields("hyperparameters").values),
        fields.integer("source_vocabulary_size"),
        fields.integer("target_vocabulary_size"),
        fields.text("tokenizer_fingerprint"),
        fields.text("weights_sha256"),
        details.values,
        TrainingOutcome.read(details),
    )
