"""The container's `prepare`: a processing job from files of pairs to a prepared corpus.

    python -m longspan.pipelines.jobs prepare --vocabulary-size 8000

Inputs are `pairs`, or `collected` with the parts that the job `collect` wrote, and optionally
`validation` and `test`, which are drawn from the pairs otherwise. With the input `model`, a model
to continue from, its tokenizer is used instead of training one. The output is `prepared`. See
`docs/processing-jobs.md`.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from longspan.pipelines.jobs.channels import COLLECTED, MODEL, PAIRS, PREPARED
from longspan.pipelines.jobs.processing_job import OptionParser, run_processing
from longspan.training.container.paths import ContainerPaths
from longspan.training.corpus.manifest import MANIFEST
from longspan.training.errors import DataError
from longspan.training.files import atomic_files
from longspan.training.model.archive import load_tokenizer
from longspan.training.pairs.datasets import SIDE_FILES, is_dataset
from longspan.training.pairs.pairing import pair_up
from longspan.training.preparation.options import add_prepare_options, prepare_settings
from longspan.training.preparation.prepare import prepare_into
from longspan.training.preparation.prepare_once import refuse_foreign
from longspan.training.preparation.report import prepare_summary
from longspan.training.preparation.settings import PrepareSettings
from longspan.training.preparation.splits import TEST, VALIDATION

__all__ = ["input_files", "main"]

_HELD_OUT = {VALIDATION: "validation", TEST: "test"}

# Files that Spark and Hadoop write beside complete data.
_MARKERS = frozenset({"_SUCCESS"})


def main(options: Sequence[str], environment: Mapping[str, str] = os.environ) -> int:
    """Run the job and return its exit status; `options` are those of `longspan prepare`."""
    return run_processing(lambda paths: _work(paths, options), environment)


def input_files(folder: Path, *, shared: bool = False) -> list[str]:
    """Return all files below `folder`, sorted by path, without hidden files and marker files.

    A folder that the library `datasets` saved counts as one file, unless it is `shared` with other
    machines, which have some of its files. Raises DataError if the folder is missing or empty.
    """
    files = sorted(str(path) for path in _visible(folder, shared)) if folder.is_dir() else []
    if not files:
        raise DataError(
            f"{folder}: expected files of pairs, got "
            f"{'an empty folder' if folder.is_dir() else 'no such folder'}; check the job's input "
            f"{folder.name} and the S3 prefix that it names"
        )
    return files


def _work(paths: ContainerPaths, options: Sequence[str]) -> None:
    parser = OptionParser(prog="python -m longspan.pipelines.jobs prepare", allow_abbrev=False)
    add_prepare_options(parser)
    settings = prepare_settings(parser.parse_args(options))
    parts = paths.processing_input(COLLECTED)
    collected = parts if parts.is_dir() else None
    inputs = [] if collected else input_files(paths.processing_input(PAIRS))
    held_out = {
        split: _held_out_file(paths.processing_input(name), settings)
        for split, name in _HELD_OUT.items()
        if paths.processing_input(name).is_dir()
    }
    model = paths.processing_input(MODEL)
    tokenizer = load_tokenizer(model) if model.is_dir() else None
    output = paths.processing_output(PREPARED)
    refuse_foreign(output)
    for path in inputs:
        print(f"pairs: {path}", flush=True)
    # The output may be a mount, which no directory can be renamed to.
    with atomic_files(output, last=MANIFEST) as folder:
        manifest = prepare_into(
            folder, inputs, settings, held_out, parts=collected, tokenizer=tokenizer
        )
    print(prepare_summary(manifest), flush=True)


def _visible(folder: Path, shared: bool) -> Iterator[Path]:
    if is_dataset(folder) and not shared:
        yield folder
        return
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_dir():
            # A link could lead around in a circle.
            yield from _visible(path, shared) if not path.is_symlink() else ()
        elif path.is_file() and path.name not in (_MARKERS | SIDE_FILES):
            yield path


def _held_out_file(folder: Path, settings: PrepareSettings) -> str:
    """Return the only file of a held-out set, or the source's file of two parallel ones."""
    files = input_files(folder)
    if len(files) == 1:
        return files[0]
    columns = settings.columns
    groups = pair_up(files, None, columns.source_language, columns.target_language)
    if len(groups) != 1:
        names = ", ".join(Path(path).name for path in files)
        raise DataError(
            f"{folder}: expected one file, or two parallel ones (NAME.{columns.source_language} "
            f"and NAME.{columns.target_language}), got {len(files)}: {names}; put others elsewhere"
        )
    return groups[0][0]
