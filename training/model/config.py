"""What describes a model in its directory. Imports no torch: a server reads it without."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longspan.training.errors import HyperparameterError, ModelDirectoryError
from longspan.training.fields import Fields
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.ending import Ending

__all__ = ["CONFIG", "FORMAT", "TOKENIZER", "ModelConfig"]

FORMAT = 1
CONFIG, TOKENIZER = "config.json", "tokenizer"


@dataclass(frozen=True)
class ModelConfig:
    """The content of `config.json`. `details` are JSON values that training left there."""

    hyperparameters: Hyperparameters
    source_vocabulary_size: int
    target_vocabulary_size: int
    tokenizer_fingerprint: str
    weights_sha256: str
    details: Mapping[str, Any]
    ending: Ending

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


def _checked(path: Path, fields: Fields) -> ModelConfig:
    version = fields.integer("format")
    if version != FORMAT:
        raise ModelDirectoryError(
            f"{path}: expected format {FORMAT}, got {version}; use the longspan that wrote it"
        )
    details = fields.fields("details")
    return ModelConfig(
        Hyperparameters.from_dict(fields.fields("hyperparameters").values),
        fields.integer("source_vocabulary_size"),
        fields.integer("target_vocabulary_size"),
        fields.text("tokenizer_fingerprint"),
        fields.text("weights_sha256"),
        details.values,
        Ending.read(details),
    )
