"""What belongs to an input on S3, and under which path it arrives."""

import gzip
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from longspan.infra.local.control.api import ValidationError
from longspan.infra.local.control.s3_objects import (
    S3Object,
    Upload,
    download,
    list_objects,
    manifest_objects,
    parse_uri,
)
from longspan.infra.local.jobs.mirror import Mirror
from longspan.infra.local.jobs.s3_input import S3Input

BUCKET = "bucket"


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client(
            "s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        client.create_bucket(Bucket=BUCKET)
        yield client


def put(s3: Any, *keys: str, body: bytes = b"x") -> None:
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)


@pytest.mark.parametrize(
    ("prefix", "paths"),
    [
        ("data/", ["a.txt", "b/c.txt"]),
        ("data", ["a.txt", "b/c.txt", "data2.txt"]),
        ("data/a.txt", ["a.txt"]),
        ("data/b", ["c.txt"]),
        ("", ["data/a.txt", "data/b/c.txt", "data2.txt"]),
        ("data/a", ["a.txt"]),
        ("none/", []),
    ],
)
def test_paths_are_what_follows_the_prefix(s3: Any, prefix: str, paths: list[str]) -> None:
    put(s3, "data/", "data/a.txt", "data/b/c.txt", "data2.txt")
    assert [item.path for item in list_objects(s3, f"s3://{BUCKET}/{prefix}")] == paths


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("s3://b/k/l", ("b", "k/l")),
        ("s3://b", ("b", "")),
        ("https://s3.amazonaws.com/b/k/l", ("b", "k/l")),
        ("https://s3.eu-west-1.amazonaws.com/b/k", ("b", "k")),
        ("https://s3-eu-west-1.amazonaws.com/b/", ("b", "")),
        ("https://b.s3.amazonaws.com/k/l", ("b", "k/l")),
        ("https://a.b.s3.eu-west-1.amazonaws.com/k", ("a.b", "k")),
        ("https://b.s3.cn-north-1.amazonaws.com.cn/k", ("b", "k")),
    ],
)
def test_bucket_and_key_of_a_uri_or_of_an_address(uri: str, place: tuple[str, str]) -> None:
    assert parse_uri(uri) == place


@pytest.mark.parametrize(
    "uri",
    ["b/k", "s3:///k", "https://s3.amazonaws.com/", "https://example.com/b/k", "http://s3/b", ""],
)
def test_another_place_is_refused(uri: str) -> None:
    with pytest.raises(ValidationError, match="expected s3://bucket/key"):
        parse_uri(uri)


@pytest.mark.parametrize("content", [b"plain", b"", gzip.compress(b"x" * 999, mtime=0)[:-9]])
def test_a_file_that_is_not_gzip_is_named(s3: Any, tmp_path: Path, content: bytes) -> None:
    put(s3, "data/a.gz", body=content)
    objects = list_objects(s3, f"s3://{BUCKET}/data/")
    if not content:  # gzip of nothing is nothing
        download(s3, objects, tmp_path, gunzip=True)
        return
    with pytest.raises(ValidationError, match=r"s3://bucket/data/a\.gz: expected a gzip"):
        download(s3, objects, tmp_path, gunzip=True)


def test_more_than_a_page_is_listed(s3: Any) -> None:
    put(s3, *(f"many/{number:04}" for number in range(1005)))
    assert len(list_objects(s3, f"s3://{BUCKET}/many/")) == 1005


@pytest.mark.parametrize("uri", ["bucket/key", "https://bucket/key", "s3:///key", ""])
def test_an_address_of_another_kind_is_refused(uri: str) -> None:
    with pytest.raises(ValidationError, match="expected s3://bucket/key"):
        parse_uri(uri)


def test_a_manifest_names_its_objects(s3: Any) -> None:
    put(s3, "list", body=b'[{"prefix": "s3://bucket/in/"}, "a", "b/c"]')
    found = manifest_objects(s3, "s3://bucket/list")
    assert found == [S3Object(BUCKET, "in/a", "a"), S3Object(BUCKET, "in/b/c", "b/c")]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'["a"]', b"\xff", b'[{"prefix": 3}]'])
def test_a_manifest_that_is_none_is_refused(s3: Any, body: bytes) -> None:
    put(s3, "list", body=body)
    with pytest.raises(ValidationError, match="Manifest s3://bucket/list"):
        manifest_objects(s3, "s3://bucket/list")


@pytest.mark.parametrize("path", ["../out", "/etc/passwd", "a/../../out"])
def test_no_key_leads_out_of_the_folder(s3: Any, tmp_path: Path, path: str) -> None:
    put(s3, "key")
    with pytest.raises(ValidationError, match="leads out"):
        download(s3, [S3Object(BUCKET, "key", path)], tmp_path / "in")
    assert not (tmp_path / "out").exists()


def test_gzip_inputs_arrive_unpacked(s3: Any, tmp_path: Path) -> None:
    put(s3, "z/a", body=gzip.compress(b"text"))
    source = {"S3Uri": "s3://bucket/z/"}
    S3Input.parse(source, "in", "Gzip").fetch(s3, [tmp_path])
    assert (tmp_path / "in/a").read_bytes() == b"text"


def test_shards_are_disjoint_and_complete(s3: Any, tmp_path: Path) -> None:
    put(s3, *(f"in/{number}" for number in range(7)))
    source = {"S3Uri": "s3://bucket/in/", "S3DataDistributionType": "ShardedByS3Key"}
    bases = [tmp_path / str(number) for number in range(3)]
    S3Input.parse(source, "data", None).fetch(s3, bases)
    shares = [sorted(path.name for path in (base / "data").iterdir()) for base in bases]
    assert sorted(name for share in shares for name in share) == [str(n) for n in range(7)]
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_bucket_that_is_missing_is_told_in_aws_words(s3: Any) -> None:
    source = {"S3Uri": "s3://elsewhere/in"}
    with pytest.raises(ValidationError, match=r"No S3 objects found .*NoSuchBucket"):
        S3Input.parse(source, "in", None).check(s3, "role", "us-east-1")


def test_of_equal_names_an_archive_keeps_the_first_hosts(s3: Any, tmp_path: Path) -> None:
    for host in ("1", "2"):
        (tmp_path / host).mkdir()
        (tmp_path / host / "both").write_text(host)
        (tmp_path / host / f"only-{host}").write_text(host)
    folders = [tmp_path / "1", tmp_path / "2"]
    Upload(s3).archive(folders, "s3://bucket/model.tar.gz", tmp_path / "scratch")
    s3.download_file(BUCKET, "model.tar.gz", str(tmp_path / "got"))
    with tarfile.open(tmp_path / "got") as tar:
        assert sorted(tar.getnames()) == ["both", "only-1", "only-2"]
        content = tar.extractfile("both")
        assert content is not None
        assert content.read() == b"1"
    assert not (tmp_path / "scratch").exists()


def test_results_are_encrypted_with_the_key_that_is_given(s3: Any, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    Upload(s3, "alias/my-key").file(tmp_path / "a", "s3://bucket/a")
    head = s3.head_object(Bucket=BUCKET, Key="a")
    assert head["ServerSideEncryption"] == "aws:kms"
    assert head["SSEKMSKeyId"].endswith("alias/my-key")


@pytest.mark.parametrize("remove", [True, False])
def test_a_mirror_uploads_changes_and_perhaps_removes(
    s3: Any, tmp_path: Path, remove: bool
) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    mirror = Mirror("s3://bucket/c/", "checkpoints", Upload(s3), remove=remove)
    (folder / "a").write_text("1")
    (folder / "b").write_text("1")
    mirror.finish([tmp_path])
    (folder / "a").write_text("22")
    (folder / "b").unlink()
    mirror.finish([tmp_path])
    assert s3.get_object(Bucket=BUCKET, Key="c/a")["Body"].read() == b"22"
    kept = [item.path for item in list_objects(s3, "s3://bucket/c/")]
    assert kept == (["a"] if remove else ["a", "b"])
    other = tmp_path / "next"
    mirror.fetch([other])
    assert (other / "checkpoints/a").read_text() == "22"
