"""Writing a sample: train.tsv, validation.tsv, test.tsv and sample.json in one directory."""

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
# In the order they are made: training pairs avoid what the other two hold.
FILES = ("test", "validation", "train")
_SUMMARY = "sample.json"

Watch = Callable[[Iterator[SampleRow], str], Iterator[SampleRow]]


def show_training(settings: SampleSettings) -> Watch:
    """A `watch` that shows progress over the training pairs, which take the longest."""

    def watch(rows: Iterator[SampleRow], split: str) -> Iterator[SampleRow]:
        if split != "train":
            return rows
        return progress(rows, total=settings.pairs, unit="pairs", label=f"sample {split}")

    return watch


def write_sample(
    directory: Path, settings: SampleSettings, watch: Watch = lambda rows, split: rows
) -> dict[str, Any]:
    """Write the sample and return what sample.json holds; the same settings, the same bytes.

    Files appear under their names when all are complete, sample.json last. A directory that
    holds the same sample is written again, one that holds another is left alone. `watch` may
    show progress: it gets each split's rows and its name. Raises DataError, and OSError when
    the disk is full.
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
            f"{directory} already holds {taken[0]} without a {_SUMMARY}, so it is not a finished "
            "sample: remove it or give another directory with --out"
        )


def _expect_same(directory: Path, summary: Path, settings: SampleSettings) -> None:
    wanted = settings.as_json()
    try:
        found = json.loads(summary.read_text(encoding="utf-8"))
        differing = [name for name, value in wanted.items() if found.get(name) != value]
    except (ValueError, AttributeError) as error:
        raise DataError(
            f"{summary} is not the summary of a sample: remove it or give another directory "
            "with --out"
        ) from error
    if differing:
        name = differing[0]
        raise DataError(
            f"{directory} already holds another sample: its {name} is {found.get(name)}, asked "
            f"for was {wanted[name]}: remove it or give another directory with --out"
        )


def _write(path: Path, rows: Iterator[SampleRow]) -> dict[str, Any]:
    """Write one split and count it; lines end in a line feed on every system."""
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
