"""Folders that `save_to_disk` of the library `datasets` (Hugging Face) wrote.

DATASET/state.json              names the files of the table, Arrow streams
DATASET/dataset_info.json
DATASET/data-00000-of-00001.arrow
DICT/dataset_dict.json          names the splits of a DatasetDict, which are such folders
DICT/train/
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field

from longspan.training.errors import DataError
from longspan.training.values import JsonDocument

__all__ = [
    "SIDE_FILES",
    "dataset_files",
    "is_dataset",
    "is_dataset_dict",
    "split_folder",
    "split_names",
]

_STATE, _SPLITS = "state.json", "dataset_dict.json"
# Files beside the tables, which hold no pairs.
SIDE_FILES = frozenset({_STATE, _SPLITS, "dataset_info.json"})

_Document = TypeVar("_Document", bound=JsonDocument)


class _DataFile(JsonDocument):
    filename: str


class _State(JsonDocument):
    files: list[_DataFile] = Field(alias="_data_files")
    # Of early versions: a selection or another order of the rows, kept beside the table.
    indices: list[Any] | None = Field(None, alias="_indices_data_files")


class _Dict(JsonDocument):
    splits: list[str]


def is_dataset(folder: Path) -> bool:
    """Return whether a folder holds a saved Dataset or DatasetDict."""
    return (folder / _STATE).is_file() or is_dataset_dict(folder)


def is_dataset_dict(folder: Path) -> bool:
    """Return whether a folder holds a saved DatasetDict."""
    return (folder / _SPLITS).is_file()


def dataset_files(folder: Path) -> list[str]:
    """Return the files of a saved Dataset in their order.

    Raises DataError for a DatasetDict, for a damaged folder, and for rows in another order than
    that of the files.
    """
    if is_dataset_dict(folder):
        splits = split_names(folder)
        raise DataError(
            f"{folder}: expected one split, got a DatasetDict of {', '.join(splits)}; name the "
            f"folder of one, such as {folder / splits[0]}"
        )
    state = _read(folder / _STATE, _State)
    if state.indices:
        raise DataError(
            f"{folder}: expected a table with all its rows in order, got one with indices; call "
            "flatten_indices() before save_to_disk"
        )
    return [str(_inside(folder, file.filename)) for file in state.files]


def split_names(folder: Path) -> Sequence[str]:
    """Return the names of the splits of a saved DatasetDict. Raises DataError without any."""
    splits = _read(folder / _SPLITS, _Dict).splits
    if not splits:
        raise DataError(f"{folder}: expected splits, got an empty DatasetDict")
    return splits


def split_folder(folder: Path, split: str) -> Path:
    """Return the folder of a split. Raises DataError if the DatasetDict does not have it."""
    splits = split_names(folder)
    if split not in splits:
        raise DataError(
            f"{folder}: expected a split {split}, got {', '.join(splits)}; name the folder of one, "
            f"such as {folder / splits[0]}"
        )
    return _inside(folder, split)


def _inside(folder: Path, name: str) -> Path:
    if Path(name).name != name:
        raise DataError(f"{folder}: expected the name of a file in this folder, got {name!r}")
    return folder / name


def _read(path: Path, kind: type[_Document]) -> _Document:
    try:
        return kind.parse(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: expected a file to read, got: {error.strerror}") from error
    except ValueError as error:
        raise DataError(
            f"{path}: expected a file of a saved Dataset: {error}; save it again"
        ) from error
