"""Write a commented config that works without changes.

It trains on the generated sample, in minutes on this machine. With --data it trains on your own
pairs: it reads them once and chooses sizes, dropout, batches and epochs by their number and by the
machine, and says why. docs/config.md explains every key.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from longspan.training.errors import DataError
from longspan.training.pairs.options import add_column_options, columns_of

if TYPE_CHECKING:
    from longspan.pipelines.config import OwnCorpus

HELP = "write a commented config to start from"
EXAMPLE = "longspan init longspan.yaml --data train.tsv --target-language de"

_INSTANCE_TYPE = "ml.g5.xlarge"

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan init`."""
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        default=Path("longspan.yaml"),
        metavar="FILE",
        help="file to write (default: longspan.yaml)",
    )
    parser.add_argument(
        "--data",
        nargs="+",
        metavar="FILE",
        help="files of pairs, or one s3:// prefix, instead of the sample; formats: docs/data.md",
    )
    add_column_options(parser)
    parser.add_argument(
        "--document-column", metavar="NAME", help="name or number of the document column"
    )
    parser.add_argument(
        "--instance-type",
        metavar="TYPE",
        default=_INSTANCE_TYPE,
        help="machine of training jobs, whose GPU or CPU decides sizes "
        f"(default: {_INSTANCE_TYPE})",
    )
    parser.add_argument("--force", action="store_true", help="replace an existing file")


def run(arguments: argparse.Namespace) -> int:
    """Write the config; return 0. Raises DataError if it exists already or data is unusable."""
    from longspan.pipelines.config import own_template, template

    path: Path = arguments.file
    if path.exists() and not arguments.force:
        raise _existing(path)  # before the data is read
    if arguments.data:
        corpus = _own_corpus(arguments)
        text = own_template(corpus, arguments.instance_type)
        for choice in corpus.choices(arguments.instance_type):
            print(choice.line)
    else:
        text = template()
    try:
        # Mode x refuses an existing file as it opens it, so none can appear between check and
        # write.
        with path.open("w" if arguments.force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise _existing(path) from None
    what = ", ".join(arguments.data) if arguments.data else "the generated sample"
    print(f"{path}: a pipeline on {what}")
    print(f"next: longspan validate {path}")
    return 0


def _own_corpus(arguments: argparse.Namespace) -> "OwnCorpus":
    """Return the files with their size; that of a prefix on S3 is not known."""
    from longspan.pipelines.config import OwnCorpus, measure_files
    from longspan.pipelines.config.instances import TRAINING, instance_problem
    from longspan.training.pairs.datasets import is_dataset

    files: list[str] = arguments.data
    if problem := instance_problem(TRAINING, arguments.instance_type):
        raise DataError(f"--instance-type: {problem}")
    for name in files:
        if not name.startswith("s3://") and not Path(name).is_file() and not is_dataset(Path(name)):
            raise DataError(f"{name}: expected a file of pairs, got none; correct its name")
    columns = columns_of(arguments).replace(document=arguments.document_column)
    if any(name.startswith("s3://") for name in files):
        print("files on S3 are not read here: training jobs choose hyperparameters themselves")
        return OwnCorpus(files, columns)
    return OwnCorpus(files, columns, measure_files(files, columns))


def _existing(path: Path) -> DataError:
    return DataError(
        f"{path}: expected a new file, got an existing one; choose another name, or --force"
    )
