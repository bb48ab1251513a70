"""The pairing of parallel files, and the files of folders."""

from collections.abc import Sequence
from pathlib import Path

from longspan.training.errors import DataError
from longspan.training.pairs.datasets import dataset_files, is_dataset
from longspan.training.pairs.formats import COMPRESSIONS, plain_path

__all__ = ["group_parallel", "pair_up"]


def pair_up(
    paths: Sequence[str], format: str | None, source_language: str, target_language: str
) -> list[tuple[str, ...]]:
    """Group files: one alone, or two parallel ones, source first.

    A folder that the library `datasets` saved stands for its files.
    Two files are parallel if only their language suffixes differ, as in `train.en.gz` and
    `train.ja.gz`. If only one of them is named, the other one is searched on the disk. With format
    `parallel`, files without such suffixes are parallel in the order given. Raises DataError for
    a file without its other half, and without any file.
    """
    paths = [file for path in paths for file in _files_of(path)]
    if not paths:
        raise DataError("expected a file of pairs, got none; name one, or - for standard input")
    languages = (source_language, target_language)
    by_suffix = all(plain_path(path).suffix.lower() in _suffixes(languages) for path in paths)
    if format is None or (format == "parallel" and by_suffix):
        return group_parallel(paths, languages)
    if format != "parallel":
        return [(path,) for path in paths]
    if len(paths) % 2:
        raise DataError(
            f"expected two files for each parallel corpus, got {len(paths)} file(s); "
            "name source and target files in turn"
        )
    return [(paths[i], paths[i + 1]) for i in range(0, len(paths), 2)]


def group_parallel(paths: Sequence[str], languages: tuple[str, str]) -> list[tuple[str, ...]]:
    """Group files with the suffixes of two languages, at the place of the first.

    Others stay alone. Raises DataError for a file that comes twice or without its other half.
    """
    suffixes = _suffixes(languages)
    halves: dict[str, dict[str, str]] = {}
    groups: list[str | tuple[str, dict[str, str]]] = []
    for path in paths:
        plain = plain_path(path)
        suffix, stem = plain.suffix.lower(), str(plain.with_suffix(""))
        if suffix not in suffixes:
            groups.append(path)
            continue
        if stem not in halves:
            halves[stem] = {}
            groups.append((stem, halves[stem]))
        if suffix in halves[stem]:
            raise DataError(f"{path}: expected each file once, got it twice; name it once")
        halves[stem][suffix] = path
    return [(group,) if isinstance(group, str) else _both(*group, suffixes) for group in groups]


def _suffixes(languages: tuple[str, str]) -> tuple[str, str]:
    return f".{languages[0]}".lower(), f".{languages[1]}".lower()


def _both(stem: str, found: dict[str, str], suffixes: tuple[str, str]) -> tuple[str, ...]:
    """Return the source and the target file; search the disk for one that was not named."""
    both = [found.get(suffix) or _existing(stem + suffix) for suffix in suffixes]
    for suffix, path in zip(suffixes, both, strict=True):
        if path is None:
            raise DataError(
                f"{next(iter(found.values()))}: expected a parallel file {stem}{suffix} "
                "with it, got none; name both, or give --format for a file of pairs"
            )
    return tuple(path for path in both if path is not None)


def _existing(path: str) -> str | None:
    return next((path + c for c in ("", *COMPRESSIONS) if Path(path + c).is_file()), None)


def _files_of(path: str) -> list[str]:
    folder = Path(path)
    if not folder.is_dir():
        return [path]
    if not is_dataset(folder):
        raise DataError(
            f"{path}: expected a file of pairs, or a folder that `save_to_disk` of datasets wrote, "
            "got another folder; name the files in it"
        )
    return dataset_files(folder)
