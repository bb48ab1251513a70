"""Buckets and objects of S3: settings and headers in an index, contents in files beside it.

Only the latest version of an object is saved.
"""

import hashlib
import io
import shutil
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from botocore.exceptions import ClientError

from longspan.infra.local.control.clients import Clients
from longspan.infra.local.control.documents import load_json, save_json
from longspan.infra.local.moto import internals

__all__ = ["PersistedBuckets"]

# Saved settings: suffix of the operations' names -> members of the answer and of the request. An
# answer without such a member has the setting itself.
_SETTINGS: Mapping[str, tuple[str, str]] = {
    "bucket_encryption": ("ServerSideEncryptionConfiguration", "ServerSideEncryptionConfiguration"),
    "bucket_policy": ("Policy", "Policy"),
    "bucket_tagging": ("TagSet", "Tagging"),
    "bucket_cors": ("CORSRules", "CORSConfiguration"),
    "bucket_lifecycle_configuration": ("Rules", "LifecycleConfiguration"),
    "public_access_block": (
        "PublicAccessBlockConfiguration",
        "PublicAccessBlockConfiguration",
    ),
    "bucket_ownership_controls": ("OwnershipControls", "OwnershipControls"),
    "bucket_website": ("", "WebsiteConfiguration"),
    "bucket_accelerate_configuration": ("", "AccelerateConfiguration"),
    "object_lock_configuration": ("ObjectLockConfiguration", "ObjectLockConfiguration"),
}
_LOCK = "object_lock_configuration"
# Members of answers that the request expects inside a structure.
_WRAPPED = frozenset({"Rules", "CORSRules", "TagSet"})
_HEADERS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Metadata",
    "ObjectLockLegalHoldStatus",
    "ObjectLockMode",
    "ObjectLockRetainUntilDate",
    "ServerSideEncryption",
    "SSEKMSKeyId",
    "StorageClass",
    "WebsiteRedirectLocation",
)


class PersistedBuckets:
    """State of S3; each bucket is a folder of `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def restore(self, clients: Clients) -> None:
        """Create all buckets that have an index, with their objects."""
        for path in sorted(self._directory.glob("*/index.json")):
            index = load_json(path)
            s3 = clients.in_region(index["region"]).client("s3")
            _create(s3, index)
            for key, record in index["objects"].items():
                _put(s3, index["bucket"], key, record, path.parent / record["file"])
            # Last: defaults of the bucket, such as encryption, are not those of earlier objects.
            for name, value in index["settings"].items():
                if name != _LOCK:
                    _put_setting(s3, index["bucket"], name, value)

    def save(self, clients: Clients, region: str) -> None:
        """Save the settings of all buckets, and the objects that the lists show as changed."""
        # The list of buckets is the same in every region.
        s3 = clients.in_region("us-east-1").client("s3")
        buckets = {found["Name"] for found in s3.list_buckets()["Buckets"]}
        for bucket in sorted(buckets):
            self._save_bucket(s3, bucket)
        for folder in self._directory.glob("*"):
            if folder.name not in buckets:
                shutil.rmtree(folder)

    def _save_bucket(self, s3: Any, bucket: str) -> None:
        """Write contents, then the index that names them, then delete files without an entry.

        In this order, a crash leaves the old index with its files or the new index with its files.
        """
        folder = self._directory / bucket
        folder.mkdir(parents=True, exist_ok=True)
        before = load_json(folder / "index.json") or {}
        index = {
            "bucket": bucket,
            # S3 answers null for us-east-1.
            "region": s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] or "us-east-1",
            "versioning": s3.get_bucket_versioning(Bucket=bucket).get("Status"),
            "settings": dict(_settings(s3, bucket)),
            "objects": dict(_objects(s3, bucket, before.get("objects", {}), folder)),
        }
        if index != before:
            save_json(folder / "index.json", index)
        named = {record["file"] for record in index["objects"].values()}
        for path in folder.iterdir():
            if path.name not in named and path.name != "index.json":
                path.unlink()


def _settings(s3: Any, bucket: str) -> Iterator[tuple[str, Any]]:
    for name, (member, _) in _SETTINGS.items():
        try:
            answer = getattr(s3, f"get_{name}")(Bucket=bucket)
        except ClientError:  # it was never set
            continue
        del answer["ResponseMetadata"]
        value = answer[member] if member else answer
        if value:
            yield name, value


def _objects(
    s3: Any, bucket: str, before: Mapping[str, Any], folder: Path
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for found in page.get("Contents", ()):
            key, state = found["Key"], [found["ETag"], found["LastModified"].isoformat()]
            record = before.get(key)
            if record is None or record["state"] != state:
                record = _fetch(s3, bucket, key, state, folder)
            if record is not None:
                yield key, record


def _fetch(
    s3: Any, bucket: str, key: str, state: list[str], folder: Path
) -> Mapping[str, Any] | None:
    """Save one object; return its record, None for an object deleted since it was listed."""
    try:
        head = s3.head_object(Bucket=bucket, Key=key)
        body = _body(s3, bucket, key)
        tags = internals.object_tags(bucket, key)
    except (ClientError, KeyError):
        return None
    # Each content has its own file name, so that the earlier index stays valid.
    name = hashlib.sha256("\n".join([key, *state]).encode()).hexdigest()[:32]
    with (folder / name).open("wb") as file:
        shutil.copyfileobj(body, file)
    headers = {member: _plain(head[member]) for member in _HEADERS if member in head}
    return {"file": name, "state": state, "headers": headers, "tags": tags}


def _body(s3: Any, bucket: str, key: str) -> Any:
    try:
        return s3.get_object(Bucket=bucket, Key=key)["Body"]
    except s3.exceptions.InvalidObjectState:  # it is archived: its class is GLACIER, for example
        return io.BytesIO(internals.object_content(bucket, key))


def _plain(value: Any) -> Any:
    """Return a value for JSON, where times are texts."""
    return value.isoformat() if isinstance(value, datetime) else value


def _create(s3: Any, index: Mapping[str, Any]) -> None:
    bucket, region = index["bucket"], index["region"]
    place = {} if region == "us-east-1" else {"LocationConstraint": region}
    s3.create_bucket(
        Bucket=bucket,
        ObjectLockEnabledForBucket=_LOCK in index["settings"],
        **({"CreateBucketConfiguration": place} if place else {}),
    )
    if index["versioning"]:
        s3.put_bucket_versioning(
            Bucket=bucket, VersioningConfiguration={"Status": index["versioning"]}
        )

    if _LOCK in index["settings"]:  # moto wants the bucket to be empty
        _put_setting(s3, bucket, _LOCK, index["settings"][_LOCK])


def _put_setting(s3: Any, bucket: str, name: str, value: Any) -> None:
    member, wanted = _SETTINGS[name]
    put = {wanted: {member: value} if member in _WRAPPED else value}
    getattr(s3, f"put_{name}")(Bucket=bucket, **put)


def _put(s3: Any, bucket: str, key: str, record: Mapping[str, Any], path: Path) -> None:
    tags = {tag["Key"]: tag["Value"] for tag in record["tags"]}
    tagging = {"Tagging": urlencode(tags)} if tags else {}
    with path.open("rb") as body:
        s3.put_object(Bucket=bucket, Key=key, Body=body, **record["headers"], **tagging)
    # `save` compares these two: without it, the next one would fetch every object again.
    internals.set_object_history(bucket, key, *record["state"])
