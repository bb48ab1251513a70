"""The container's `collect`: a processing job whose machines read and clean pairs together.

    python -m longspan.pipelines.jobs collect --min-words 2

Each machine gets a share of the files in the input `pairs` (S3DataDistributionType
ShardedByS3Key) and writes a part to the output `collected`, below its own name. The job `prepare`
continues from the parts. Options are those of `prepare`. See `docs/processing-jobs.md`.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from longspan.pipelines.jobs.channels import COLLECTED, PAIRS
from longspan.pipelines.jobs.prepare import input_files
from longspan.pipelines.jobs.processing_job import OptionParser, run_processing
from longspan.training.container.paths import ContainerPaths
from longspan.training.errors import DataError
from longspan.training.pairs.datasets import SIDE_FILES
from longspan.training.preparation.options import add_prepare_options, prepare_settings
from longspan.training.preparation.parts import write_part

__all__ = ["main"]


def main(options: Sequence[str], environment: Mapping[str, str] = os.environ) -> int:
    """Run the job and return its exit status; `options` are those of `longspan prepare`."""
    return run_processing(lambda paths: _work(paths, options), environment)


def _work(paths: ContainerPaths, options: Sequence[str]) -> None:
    parser = OptionParser(prog="python -m longspan.pipelines.jobs collect", allow_abbrev=False)
    add_prepare_options(parser)
    settings = prepare_settings(parser.parse_args(options))
    hosts = paths.read_processing_hosts()
    folder = paths.processing_input(PAIRS)
    # If there are more machines than files, some machines get no file.
    alone = len(hosts.names) == 1
    inputs = input_files(folder, shared=not alone) if alone or _any_file(folder) else []
    if not alone:
        _refuse_splits(inputs, folder)
    for path in inputs:
        print(f"pairs: {path}", flush=True)
    part = paths.processing_output(COLLECTED) / hosts.current
    shutil.rmtree(part, ignore_errors=True)
    rules = settings.collecting
    pairs = write_part(inputs, part, rules, lambda text: print(text, flush=True))
    print(f"{hosts.current}: {pairs:,} pairs of {len(inputs)} files", flush=True)


def _any_file(folder: Path) -> bool:
    return any(not SIDE_FILES.issuperset(files) for _, _, files in os.walk(folder))


def _refuse_splits(inputs: Sequence[str], folder: Path) -> None:
    """Raise DataError for Arrow files of held-out splits, which no machine sees as a whole."""
    for path in map(Path, inputs):
        parents = path.relative_to(folder).parts[:-1]
        if path.suffix == ".arrow" and {"validation", "test"}.intersection(parents):
            raise DataError(
                f"{path}: expected training pairs alone, got another split of a DatasetDict; give "
                "the prefix of its train as pairs, and those of the others as validation and test"
            )
