"""What describes a model in its directory. Imports no torch: a server reads it without."""

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
# What a report draws; an entry may lack any of it.
DRAWN = (
    "train:loss", "validation:loss", "validation:accuracy", "validation:bleu",
    "validation:bleu_long",
)  # fmt: skip


@dataclass(frozen=True)
class ModelConfig:
    """The content of `config.json`. `details` are JSON values that training left there."""

    hyperparameters: Hyperparameters
    source_vocabulary_size: int
    target_vocabulary_size: int
    tokenizer_fingerprint: str
    weights_sha256: str
    details: Mapping[str, Any]
    ending: TrainingOutcome

    @classmethod
    def read(cls, folder: Path) -> "ModelConfig":
        """That of a model directory, checked. Raises ModelDirectoryError."""
        path = folder / CONFIG
        if not path.is_file():
            raise ModelDirectoryError(
                f"{folder}: expected a model directory with {CONFIG}, found "
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
    """Raises ValueError for a value that is not what training writes."""
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
