"""Splits of a saved DatasetDict: which of them are pairs, validation and test."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from longspan.training.errors import DataError
from longspan.training.pairs.datasets import is_dataset_dict, split_folder, split_names
from longspan.training.preparation.splits import TEST, VALIDATION

__all__ = ["with_splits"]

_TRAIN = "train"
_HELD_OUT = {VALIDATION: "validation", TEST: "test"}


def with_splits(
    inputs: Sequence[str], held_out: Mapping[int, str]
) -> tuple[list[str], dict[int, str]]:
    """Return the inputs and held-out files with the folders of splits for each DatasetDict.

    A DatasetDict among the inputs stands for its split `train`. Its `validation` and `test` are
    held out unless files are given for them. Raises DataError for other splits.
    """
    found = {
        split: str(split_folder(Path(path), _HELD_OUT[split])) if _is_dict(path) else path
        for split, path in held_out.items()
    }
    pairs = []
    for path in inputs:
        if not _is_dict(path):
            pairs.append(path)
            continue
        pairs.append(_training(Path(path)))
        for split, folder in _others(Path(path)):
            if split in held_out:
                continue
            if split in found:
                name = _HELD_OUT[split]
                raise DataError(
                    f"{path}: expected one {name} set, got another one in {found[split]}; name "
                    f"one with --{name}"
                )
            found[split] = folder
    return pairs, found


def _is_dict(path: str) -> bool:
    return is_dataset_dict(Path(path))


def _training(folder: Path) -> str:
    names = split_names(folder)
    unknown = [name for name in names if name not in (_TRAIN, *_HELD_OUT.values())]
    if unknown and len(names) > 1:
        raise DataError(
            f"{folder}: expected the splits train, validation and test, got {', '.join(names)}; "
            f"name the folder of each, such as {folder / unknown[0]}"
        )
    return str(split_folder(folder, names[0] if len(names) == 1 else _TRAIN))


def _others(folder: Path) -> Iterator[tuple[int, str]]:
    names = split_names(folder)
    for split, name in _HELD_OUT.items():
        if name in names and len(names) > 1:
            yield split, str(split_folder(folder, name))
