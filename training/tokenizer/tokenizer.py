"""The tokenizer: a source and a target vocabulary, saved in one folder.

Training and inference both encode and decode text with this module, so their ids are the same.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longspan.training.errors import ModelDirectoryError
from longspan.training.tokenizer.vocabularies import (
    BOS,
    EOS,
    PAD,
    UNK,
    SentencePieceVocabulary,
    Vocabulary,
    WordVocabulary,
    digest,
    vocabulary_from,
)
from longspan.training.values import FileFormat, JsonDocument, parse_json

__all__ = [
    "BOS",
    "EOS",
    "PAD",
    "UNK",
    "SentencePieceVocabulary",
    "Tokenizer",
    "Vocabulary",
    "WordVocabulary",
]

_FORMAT = 1
_DESCRIPTION = "tokenizer.json"
_FILES = {
    SentencePieceVocabulary.kind: ("source.model", "target.model"),
    WordVocabulary.kind: ("vocab.src.json", "vocab.trg.json"),
}


class _SideDescription(JsonDocument):
    kind: str
    file: str  # in the same folder
    sha256: str
    settings: dict[str, Any]


class _Description(JsonDocument):
    """The content of `tokenizer.json`."""

    joint: bool
    source: _SideDescription
    target: _SideDescription


@dataclass(frozen=True)
class Tokenizer:
    """Text to token ids and back. With `joint` both sides have the same vocabulary."""

    source: Vocabulary
    target: Vocabulary
    joint: bool = False

    def encode_source(self, text: str) -> list[int]:
        """Return source token ids that end with EOS."""
        return [*self.source.encode(text), EOS]

    def encode_target(self, text: str) -> list[int]:
        """Return target token ids that end with EOS, without BOS."""
        return [*self.target.encode(text), EOS]

    def decode_target(self, ids: list[int]) -> str:
        """Return the text of target token ids; PAD, BOS and EOS are skipped."""
        return self.target.decode(ids)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything that ids depend on, equal only for equal tokenizers."""
        return digest(json.dumps(self._description(), sort_keys=True).encode())

    def save(self, directory: str | Path) -> None:
        """Write a folder with `tokenizer.json` and the files of the vocabularies."""
        folder = Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        description = self._description()
        for side, vocabulary in (("source", self.source), ("target", self.target)):
            (folder / description[side]["file"]).write_bytes(vocabulary.content)
        text = json.dumps(description, indent=2, sort_keys=True) + "\n"
        (folder / _DESCRIPTION).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, directory: str | Path) -> "Tokenizer":
        """Read the folder that `save` wrote.

        Raises ModelDirectoryError when a file is missing, changed or of another version.
        """
        folder = Path(directory)
        path = folder / _DESCRIPTION
        try:
            content = parse_json(_read(path))
            version = FileFormat.read(content).format
            if version != _FORMAT:
                raise ModelDirectoryError(
                    f"{path}: expected tokenizer format {_FORMAT}, got {version}; "
                    "prepare it again or use the longspan that wrote it"
                )
            description = _Description.read(content)
            source = _load_side(folder, description.source)
            target = _load_side(folder, description.target)
            return cls(source, target, description.joint)
        except ValueError as error:
            raise ModelDirectoryError(
                f"{path}: expected a tokenizer's description: {error}; copy the folder again or "
                "prepare it again"
            ) from error

    def _description(self) -> dict[str, Any]:
        source, target = _describe(self.source, 0), _describe(self.target, 1)
        if self.joint and source["sha256"] == target["sha256"]:
            # A joint vocabulary is saved once.
            target["file"] = source["file"]
        return {"format": _FORMAT, "joint": self.joint, "source": source, "target": target}


def _describe(vocabulary: Vocabulary, side: int) -> dict[str, Any]:
    return {
        "kind": vocabulary.kind,
        "file": _FILES[vocabulary.kind][side],
        "size": len(vocabulary),
        "sha256": digest(vocabulary.content),
        "settings": vocabulary.settings,
    }


def _load_side(folder: Path, description: _SideDescription) -> Vocabulary:
    # Only the name counts, so that a description cannot point outside of its folder.
    path = folder / Path(description.file).name
    content = _read(path)
    if digest(content) != description.sha256:
        raise ModelDirectoryError(
            f"{path}: expected the vocabulary whose hash is in {_DESCRIPTION}, got another one; "
            "copy the folder again"
        )
    try:
        return vocabulary_from(description.kind, content, description.settings)
    except ModelDirectoryError as error:
        raise ModelDirectoryError(f"{path}: {error}") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelDirectoryError(
            f"{path}: expected a tokenizer's file, got: {error.strerror}; "
            "is this a folder that `longspan prepare` or `longspan train` wrote?"
        ) from error
