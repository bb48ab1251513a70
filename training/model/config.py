"""`config.json` of a model directory, and the entries of its history.

This module imports no torch, so that a server reads the description of a model at once.
"""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from longspan.training.errors import HyperparameterError, ModelDirectoryError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.outcome import TrainingOutcome
from longspan.training.values import Count, FileFormat, JsonDocument, parse_json

__all__ = ["CONFIG", "MODEL_FORMAT", "TOKENIZER", "HistoryEntry", "ModelConfig"]

MODEL_FORMAT = 1
CONFIG, TOKENIZER = "config.json", "tokenizer"


def _hyperparameters(value: Any) -> Any:
    return Hyperparameters.from_dict(value) if isinstance(value, dict) else value


class ModelConfig(JsonDocument):
    """The content of `config.json`."""

    hyperparameters: Annotated[Hyperparameters, BeforeValidator(_hyperparameters)]
    source_vocabulary_size: Count
    target_vocabulary_size: Count
    tokenizer_fingerprint: str  # of the tokenizer that the model was trained with
    weights_sha256: str  # of the file of weights
    details: dict[str, Any]  # JSON values that training left

    @property
    def outcome(self) -> TrainingOutcome:
        """How training ended."""
        return TrainingOutcome.read(self.details)

    @model_validator(mode="after")
    def _check_outcome(self) -> "ModelConfig":
        _ = self.outcome  # raises ValueError for damaged details
        return self

    @classmethod
    def load(cls, folder: Path) -> "ModelConfig":
        """Read and check the description of a model directory. Raises ModelDirectoryError."""
        path = folder / CONFIG
        if not path.is_file():
            raise ModelDirectoryError(
                f"{folder}: expected a model directory with {CONFIG}, got "
                f"{'none' if folder.is_dir() else 'no such directory'}; did training finish?"
            )
        try:
            content = parse_json(path.read_bytes())
            version = FileFormat.read(content).format
            if version == MODEL_FORMAT:
                return cls.read(content)
        except ValueError as error:
            raise ModelDirectoryError(
                f"{path}: expected a model's description: {error}; copy the model again"
            ) from error
        except HyperparameterError as error:
            raise ModelDirectoryError(
                f"{path}: {error}; was it written by another version of longspan?"
            ) from error
        raise ModelDirectoryError(
            f"{path}: expected format {MODEL_FORMAT}, got {version}; use the longspan that wrote it"
        )


class HistoryEntry(JsonDocument):
    """Metrics of one checkpoint that a report draws; an entry may lack any but `updates`."""

    updates: Count
    seconds: float | None = None
    cpu_seconds: float | None = None
    train_loss: float | None = Field(None, alias="train:loss")
    validation_loss: float | None = Field(None, alias="validation:loss")
    validation_accuracy: float | None = Field(None, alias="validation:accuracy")
    validation_bleu: float | None = Field(None, alias="validation:bleu")
    validation_bleu_long: float | None = Field(None, alias="validation:bleu_long")
