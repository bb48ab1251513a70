"""The directory of a sample: train.tsv, validation.tsv, test.tsv and sample.json."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from longspan.training.errors import DataError
from longspan.training.files import atomic_files
from longspan.training.progress import progress
from longspan.training.sample.generator import (
    SampleCorpus,
    SampleRow,
    SampleSettings,
    SampleStatistics,
)

__all__ = ["FILES", "SAMPLE_HEADER", "show_training", "write_sample"]

SAMPLE_HEADER = "doc\ten\tja\n"
# In the order of generation: training pairs avoid all sentences of the other two splits.
FILES = ("test", "validation", "train")
_SUMMARY = "sample.json"

Watch = Callable[[Iterator[SampleRow], str], Iterator[SampleRow]]


def show_training(settings: SampleSettings) -> Watch:
    """Return a `watch` that shows progress of the training pairs, which take the longest."""

    def watch(rows: Iterator[SampleRow], split: str) -> Iterator[SampleRow]:
        if split != "train":
            return rows
        return progress(rows, total=settings.pairs, unit="pairs", label=f"sample {split}")

    return watch


def write_sample(
    directory: Path, settings: SampleSettings, watch: Watch = lambda rows, split: rows
) -> dict[str, Any]:
    """Write the sample and return the content of sample.json; equal settings give equal bytes.

    The files appear when all are complete, sample.json last. `watch` gets the rows and the name of
    each split, and may show progress. Raises DataError for settings that cannot be met and for a
    directory with another sample, and OSError on a full disk.
    """
    sample = SampleCorpus(settings)
    _refuse_others(directory, settings)
    streams = {"test": sample.test, "validation": sample.validation, "train": sample.train}
    files = {}
    with atomic_files(directory, last=_SUMMARY) as folder:
        for split in FILES:
            name = f"{split}.tsv"
            files[name] = _write(folder / name, watch(streams[split](), split))
        files["train.tsv"]["repeated_english"] = sample.repeated
        summary = {**settings.as_json(), "files": files}
        text = json.dumps(summary, ensure_ascii=False, indent=2) + "\n"
        (folder / _SUMMARY).write_text(text, encoding="utf-8")
    return summary


def _refuse_others(directory: Path, settings: SampleSettings) -> None:
    summary = directory / _SUMMARY
    if summary.exists():
        _expect_same(directory, summary, settings)
        return
    taken = [f"{split}.tsv" for split in FILES if (directory / f"{split}.tsv").exists()]
    if taken:
        raise DataError(
            f"{directory}: expected a finished sample or no files of one, got {taken[0]} without "
            f"{_SUMMARY}; remove it, or give another directory with --out"
        )


def _expect_same(directory: Path, summary: Path, settings: SampleSettings) -> None:
    wanted = settings.as_json()
    try:
        found = json.loads(summary.read_text(encoding="utf-8"))
        differing = [name for name, value in wanted.items() if found.get(name) != value]
    except (ValueError, AttributeError) as error:
        raise DataError(
            f"{summary}: expected the summary of a sample, got something else; remove it, or give "
            "another directory with --out"
        ) from error
    if differing:
        name = differing[0]
        raise DataError(
            f"{directory}: expected a sample with {name} {wanted[name]}, got one with "
            f"{found.get(name)}; remove it, or give another directory with --out"
        )


def _write(path: Path, rows: Iterator[SampleRow]) -> dict[str, Any]:
    """Write one split, with a line feed after each line on every system; return its counts."""
    statistics, digest = SampleStatistics(), hashlib.sha256()
    with path.open("wb") as file:
        digest.update(SAMPLE_HEADER.encode())
        file.write(SAMPLE_HEADER.encode())
        for row in rows:
            line = row.line().encode()
            digest.update(line)
            file.write(line)
            statistics.add(row)
    return {**statistics.as_json(), "sha256": digest.hexdigest()}
