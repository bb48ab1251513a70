"""Objects on S3 as jobs take and leave them: which belong to an input, and where they go.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
"""

import gzip
import json
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig

from longspan.infra.local.control.api import ValidationError

__all__ = [
    "S3Object",
    "Upload",
    "download",
    "files_below",
    "list_objects",
    "manifest_objects",
    "parse_uri",
]

_CONFIG = TransferConfig(use_threads=False)
_SCHEME = "s3://"


@dataclass(frozen=True)
class S3Object:
    """One object, and the path that it gets below the input's folder."""

    bucket: str
    key: str
    path: str


@dataclass(frozen=True)
class Upload:
    """Where a job's results go: a client with the role's rights and, perhaps, a key."""

    s3: Any
    kms_key: str | None = None

    def file(self, path: Path, uri: str) -> str:
        """One file; its URI. Raises ClientError."""
        bucket, key = parse_uri(uri)
        extra = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key}
        self.s3.upload_file(
            str(path), bucket, key, ExtraArgs=extra if self.kms_key else {}, Config=_CONFIG
        )
        return uri

    def files(self, folder: Path, uri: str, paths: Iterable[Path] | None = None) -> None:
        """Files of a folder, by default all, below the URI. Raises ClientError."""
        for path in files_below(folder) if paths is None else paths:
            self.file(path, f"{uri.rstrip('/')}/{path.relative_to(folder).as_posix()}")

    def archive(self, folders: Sequence[Path], uri: str, scratch: Path) -> str:
        """The folders' content as one `.tar.gz`; of equal names the first folder's stays."""
        taken: set[str] = set()
        # Weights hardly shrink: more effort would cost time and save nothing.
        with tarfile.open(scratch, "w:gz", compresslevel=1) as tar:
            for folder in folders:
                for path in files_below(folder):
                    name = path.relative_to(folder).as_posix()
                    if name not in taken:
                        taken.add(name)
                        tar.add(path, name)
        try:
            return self.file(scratch, uri)
        finally:
            scratch.unlink()

    def remove(self, uri: str) -> None:
        """One object; none is no error. Raises ClientError."""
        bucket, key = parse_uri(uri)
        self.s3.delete_object(Bucket=bucket, Key=key)


def files_below(folder: Path) -> Iterator[Path]:
    """All files of a folder and its folders, in the order of their names."""
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def parse_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`. Raises ValidationError."""
    bucket, _, key = uri.removeprefix(_SCHEME).partition("/")
    if not uri.startswith(_SCHEME) or not bucket:
        raise ValidationError(f"Invalid S3 URI: expected s3://bucket/key, got {uri}")
    return bucket, key


def list_objects(s3: Any, uri: str) -> list[S3Object]:
    """All objects whose key begins with the URI's, as AWS takes a prefix. Raises ClientError."""
    bucket, prefix = parse_uri(uri)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
    # A key with a slash at its end is what consoles create for a folder.
    return [S3Object(bucket, key, _below(prefix, key)) for key in keys if not key.endswith("/")]


def _below(prefix: str, key: str) -> str:
    """The path of a key: from the prefix on if that is a folder, else from its last folder on."""
    rest = key.removeprefix(prefix)
    if rest and (prefix.endswith("/") or rest.startswith("/") or not prefix):
        return rest.lstrip("/")
    return key[prefix.rfind("/") + 1 :]


def manifest_objects(s3: Any, uri: str) -> list[S3Object]:
    """The objects that a manifest names: `[{"prefix": URI}, path, ...]`.

    Raises ValidationError when it is none, ClientError when it cannot be read.
    """
    bucket, key = parse_uri(uri)
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        first, *paths = json.loads(body)
        base_bucket, base = parse_uri(str(first["prefix"]))
        return [S3Object(base_bucket, f"{base}{path}", str(path)) for path in paths]
    except (ValueError, KeyError, TypeError, ValidationError):
        raise ValidationError(
            f'Manifest {uri}: expected [{{"prefix": "s3://..."}}, "path", ...]'
        ) from None


def download(s3: Any, objects: Iterable[S3Object], folder: Path, *, gunzip: bool = False) -> None:
    """Fetch objects into a folder. Raises ClientError, ValidationError for a path outside of it."""
    folder.mkdir(parents=True, exist_ok=True)
    root = folder.resolve()
    for item in objects:
        path = (folder / item.path).resolve()
        if root not in path.parents:
            raise ValidationError(f"s3://{item.bucket}/{item.key}: leads out of the input's folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(item.bucket, item.key, str(path), Config=_CONFIG)
        if gunzip:
            _gunzip(path)


def _gunzip(path: Path) -> None:
    packed = path.with_name(f"{path.name}.packed")
    path.rename(packed)
    with gzip.open(packed) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target)
    packed.unlink()
