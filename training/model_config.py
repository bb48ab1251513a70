"""What describes a model in its directory. Imports no torch: a server reads it without."""

import json
from pathlib import Path
from typing import Any

from longspan.training.errors import ModelDirectoryError

__all__ = ["CONFIG", "FORMAT", "TOKENIZER", "read_config"]

FORMAT = 1
CONFIG, TOKENIZER = "config.json", "tokenizer"


def read_config(folder: Path) -> dict[str, Any]:
    """The content of `config.json`, checked. Raises ModelDirectoryError."""
    path = folder / CONFIG
    if not path.is_file():
        raise ModelDirectoryError(
            f"{folder}: expected a model directory with {CONFIG}, found "
            f"{'none' if folder.is_dir() else 'no such directory'}; did training finish?"
        )
    try:
        config = json.loads(path.read_bytes())
        version = config["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelDirectoryError(
            f"{path}: expected a model's description, got something else ({error!r})"
        ) from error
    if version != FORMAT:
        raise ModelDirectoryError(
            f"{path}: expected format {FORMAT}, got {version}; use the longspan that wrote it"
        )
    needed = {
        "hyperparameters", "source_vocabulary_size", "target_vocabulary_size",
        "tokenizer_fingerprint", "weights_sha256",
    }  # fmt: skip
    if missing := sorted(needed - config.keys()):
        raise ModelDirectoryError(f"{path}: lacks {', '.join(missing)}; copy the model again")
    return dict(config)
