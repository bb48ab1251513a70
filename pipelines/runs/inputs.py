"""Pairs of a run, uploaded to S3 for its jobs, below a prefix that holds the hash of the files.

Equal files get the same address, so they are uploaded once, and cached steps are found again.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from longspan.pipelines.cloud.aws_errors import explained
from longspan.pipelines.config.data import DataSection
from longspan.training.background_call import BackgroundCall
from longspan.training.errors import DataError
from longspan.training.pairs.datasets import dataset_files, is_dataset
from longspan.training.preparation.dataset_splits import with_splits
from longspan.training.preparation.splits import TEST, VALIDATION
from longspan.training.progress import Progress
from longspan.training.sample.directory import show_training, write_sample
from longspan.training.sample.generator import SampleSettings

__all__ = ["Inputs", "Store", "place_inputs", "sample_ahead"]

_S3 = "s3://"
_CHUNK = 1 << 20
_LAST = "sample.json"  # written last, when the sample is complete


@dataclass(frozen=True)
class Inputs:
    """S3 prefixes of the pairs; None for a split that `prepare` draws."""

    pairs: str
    validation: str | None = None
    test: str | None = None


@dataclass(frozen=True)
class Store:
    """The place for uploads: an S3 client, a bucket, and the project's prefix in it."""

    s3: Any
    bucket: str
    prefix: str
    kms_key: str | None = None


def place_inputs(data: DataSection, store: Store, directory: Path) -> Inputs:
    """Generate the sample if the config asks for it, upload local files, return all addresses.

    The sample is written below `directory`. Raises DataError for a missing file, AwsError for a
    failed upload. Another call uploads only the files that are still missing.
    """
    files = _files(data, directory)
    return Inputs(
        pairs=_place(files["pairs"], "pairs", store) or "",
        validation=_place(files["validation"], "validation", store),
        test=_place(files["test"], "test", store),
    )


@contextmanager
def sample_ahead(data: DataSection, directory: Path) -> Iterator[Callable[[], None]]:
    """Generate the sample in another process while this one loads modules.

    Yields a function that waits for the sample; call it before `place_inputs`. Without a sample to
    generate, both do nothing.
    """
    folder = _sample_folder(data, directory)
    if folder is None or (folder / _LAST).is_file():
        yield lambda: None
        return
    with BackgroundCall(_generate, data, folder) as other:
        yield other.result


def _files(data: DataSection, directory: Path) -> Mapping[str, list[str]]:
    folder = _sample_folder(data, directory)
    if folder is None:
        return _own_files(data)
    if not (folder / _LAST).is_file():
        _generate(data, folder)
    return {
        "pairs": [str(folder / "train.tsv")],
        "validation": [str(folder / "validation.tsv")],
        "test": [str(folder / "test.tsv")],
    }


def _own_files(data: DataSection) -> Mapping[str, list[str]]:
    """Return the files that the config names, with the splits of a DatasetDict."""
    given = {VALIDATION: data.validation, TEST: data.test}
    # Only one file can be a DatasetDict, which stands for its split.
    alone = {split: files[0] for split, files in given.items() if files and len(files) == 1}
    several = {split: files for split, files in given.items() if files and len(files) > 1}
    pairs, found = with_splits(data.pairs or [], alone | dict.fromkeys(several, ""))
    held_out = {split: [path] for split, path in found.items()} | several
    return {
        "pairs": pairs,
        "validation": held_out.get(VALIDATION, []),
        "test": held_out.get(TEST, []),
    }


def _sample_folder(data: DataSection, directory: Path) -> Path | None:
    """Return the folder of the sample, existing or not; None if the config has no sample."""
    if data.sample is None:
        return None
    asked = data.sample.model_dump_json()
    return directory / f"sample-{hashlib.sha256(asked.encode()).hexdigest()[:8]}"


def _generate(data: DataSection, folder: Path) -> None:
    assert data.sample is not None
    settings = SampleSettings(**data.sample.model_dump())
    write_sample(folder, settings, show_training(settings))


def _place(files: list[str], kind: str, store: Store) -> str | None:
    """Upload files and return their S3 prefix; an s3:// prefix is returned as it is."""
    if not files:
        return None
    if files[0].startswith(_S3):
        return files[0]
    paths = _named_paths(files, kind)
    prefix = f"{store.prefix}/data/{kind}/{_hash(paths)[:16]}"
    for name, path in paths.items():
        _upload(path, f"{prefix}/{name}", store)
    return f"{_S3}{store.bucket}/{prefix}"


def _named_paths(files: list[str], kind: str) -> Mapping[str, Path]:
    """Return the files to upload by their names below the prefix.

    Those of a saved Dataset are in a folder. Raises DataError for a missing file, and for two files
    with the same name.
    """
    paths: dict[str, Path] = {}
    for path in map(Path, files):
        if is_dataset(path):
            inside = [Path(file) for file in dataset_files(path)]
            found = {f"{path.name}/{file.name}": file for file in inside}
        elif path.is_file():
            found = {path.name: path}
        else:
            raise DataError(
                f"data.{kind}: expected a file or an s3:// prefix, got {path}, which does not "
                "exist; correct its name"
            )
        for name in found:
            if name in paths:
                raise DataError(
                    f"data.{kind}: expected files with different names, got {paths[name]} and "
                    f"{found[name]}; rename one of them"
                )
        paths |= found
    return paths


def _hash(paths: Mapping[str, Path]) -> str:
    """Return the hash of the names and contents of files, in their order."""
    total = hashlib.sha256()
    for name, path in paths.items():
        with path.open("rb") as file:
            one = hashlib.file_digest(file, "sha256").hexdigest()
        # The name counts too: a job may tell the format of a file by it.
        total.update(f"{name} {one}\n".encode())
    return total.hexdigest()


def _upload(path: Path, key: str, store: Store) -> None:
    size = path.stat().st_size
    with explained(f"uploading {path} to {_S3}{store.bucket}/{key}"):
        # The key contains the hash of the content, so this is the same file.
        if _size(store, key) == size:
            return
        secret = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": store.kms_key}
        with Progress(size, unit="B", label=f"upload {path.name}") as bar:
            store.s3.upload_file(
                str(path),
                store.bucket,
                key,
                ExtraArgs=secret if store.kms_key else {},
                Callback=bar.add,
            )


def _size(store: Store, key: str) -> int | None:
    try:
        return int(store.s3.head_object(Bucket=store.bucket, Key=key)["ContentLength"])
    except ClientError as error:
        # The answer to HEAD has no body: botocore takes the status as the code.
        if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
            return None
        raise
