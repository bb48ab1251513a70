"""Objects on S3 that jobs read and write: which objects an input has, and where outputs go.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
"""

import gzip
import json
import re
import shutil
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

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

_CONFIG = TransferConfig(use_threads=False)  # jobs run in threads already
_SCHEME = "s3://"
# With the bucket in the host's name, or as the first part of the path.
_ADDRESS = re.compile(
    r"https://(?:(?P<bucket>[a-z0-9][a-z0-9.-]*)\.)?s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?"
    r"/(?P<path>.*)",
    re.DOTALL,
)


@dataclass(frozen=True)
class S3Object:
    """One object, and its path below the input's folder."""

    bucket: str
    key: str
    path: str


@dataclass(frozen=True)
class Upload:
    """Upload of a job's results, with the role's client and optionally a KMS key."""

    s3: Any
    kms_key: str | None = None

    def file(self, path: Path, uri: str) -> str:
        """Upload one file; return its URI. Raises ClientError."""
        bucket, key = parse_uri(uri)
        extra = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key}
        try:
            self.s3.upload_file(
                str(path), bucket, key, ExtraArgs=extra if self.kms_key else {}, Config=_CONFIG
            )
        except S3UploadFailedError as error:
            # boto3 wraps S3's error into one that names a path of this machine.
            cause = error.__context__
            raise (cause if isinstance(cause, ClientError) else error) from None
        return uri

    def files(self, folder: Path, uri: str, paths: Iterable[Path] | None = None) -> None:
        """Upload files of a folder, by default all, below the URI. Raises ClientError."""
        for path in files_below(folder) if paths is None else paths:
            self.file(path, f"{uri.rstrip('/')}/{path.relative_to(folder).as_posix()}")

    def archive(self, folders: Sequence[Path], uri: str, scratch: Path) -> str:
        """Upload the content of folders as one `.tar.gz`; return its URI.

        A file of the first folder wins over a file of the same name in a later one. The archive
        is written to `scratch` first. Raises ClientError.
        """
        taken: set[str] = set()
        # Weights hardly compress: a higher level would take time and save nothing.
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
        """Delete one object, if it exists. Raises ClientError."""
        bucket, key = parse_uri(uri)
        self.s3.delete_object(Bucket=bucket, Key=key)


def files_below(folder: Path) -> Iterator[Path]:
    """Yield all files of a folder and its subfolders, sorted by path."""
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def parse_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key of `s3://bucket/key`, or of the object's address on AWS.

    Raises ValidationError.
    """
    address = _ADDRESS.fullmatch(uri)
    if address is not None:
        path = "/".join(part for part in (address["bucket"], address["path"]) if part)
    else:
        path = uri.removeprefix(_SCHEME) if uri.startswith(_SCHEME) else ""
    bucket, _, key = path.partition("/")
    if not bucket:
        raise ValidationError(f"Invalid S3 URI: expected s3://bucket/key, got {uri}")
    return bucket, key


def list_objects(s3: Any, uri: str) -> list[S3Object]:
    """Return all objects whose key starts with the URI's key, as on AWS. Raises ClientError."""
    bucket, prefix = parse_uri(uri)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
    # Consoles create a key with a trailing slash for a folder.
    return [S3Object(bucket, key, _below(prefix, key)) for key in keys if not key.endswith("/")]


def _below(prefix: str, key: str) -> str:
    """Return the path of a key: relative to the prefix if it is a folder, else to its parent."""
    rest = key.removeprefix(prefix)
    if rest and (prefix.endswith("/") or rest.startswith("/") or not prefix):
        return rest.lstrip("/")
    # A prefix matches keys, not folders: `data/train` finds `data/train2.txt`, whose path is
    # `train2.txt`.
    return key[prefix.rfind("/") + 1 :]


def manifest_objects(s3: Any, uri: str) -> list[S3Object]:
    """Return the objects that a manifest lists: `[{"prefix": URI}, path, ...]`.

    Raises ValidationError for another format, ClientError for a manifest that cannot be read.
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
    """Download objects into a folder.

    Raises ClientError, and ValidationError for a path outside or, with `gunzip`, another format.
    """
    folder.mkdir(parents=True, exist_ok=True)
    root = folder.resolve()
    for item in objects:
        path = (folder / item.path).resolve()
        if root not in path.parents:  # a key may contain `..`
            raise ValidationError(f"s3://{item.bucket}/{item.key}: leads out of the input's folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(item.bucket, item.key, str(path), Config=_CONFIG)
        if gunzip:
            try:
                _gunzip(path)
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                raise ValidationError(
                    f"s3://{item.bucket}/{item.key}: expected a gzip file, got another: {error}"
                ) from None


def _gunzip(path: Path) -> None:
    # The content gets the name of the object, so the object moves aside first.
    packed = path.with_name(f"{path.name}.packed")
    path.rename(packed)
    with gzip.open(packed) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target)
    packed.unlink()
