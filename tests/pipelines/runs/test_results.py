"""`download_model` of runs/results.py: complete, once, and nothing of a damaged model."""

import io
import tarfile

import boto3
import pytest
from moto import mock_aws

from longspan.pipelines.cloud.aws_errors import AwsError
from longspan.pipelines.runs.results import download_model
from longspan.training.errors import ModelDirectoryError

FILES = {"config.json": b"{}", "tokenizer/source.model": b"tokens"}


@pytest.fixture
def s3(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="bucket")
        yield client


def archive():
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as content:
        for name, data in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            content.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def put(s3, content):
    s3.put_object(Bucket="bucket", Key="out/model.tar.gz", Body=content)
    return "s3://bucket/out/model.tar.gz"


def test_it_is_downloaded_once(s3, tmp_path):
    folder = tmp_path / "runs" / "model"
    uri = put(s3, archive())
    assert download_model(s3, uri, folder) == folder
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}
    assert found == FILES
    s3.delete_object(Bucket="bucket", Key="out/model.tar.gz")
    assert download_model(s3, uri, folder) == folder
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_what_is_damaged_or_missing_is_no_model_and_a_whole_one_takes_its_place(s3, tmp_path):
    folder = tmp_path / "model"
    with pytest.raises(AwsError, match=r"downloading s3://bucket/out/model\.tar\.gz"):
        download_model(s3, "s3://bucket/out/model.tar.gz", folder)
    uri = put(s3, archive()[:80])
    with pytest.raises(ModelDirectoryError, match=r"expected a whole model\.tar\.gz"):
        download_model(s3, uri, folder)
    assert not folder.exists()
    assert (download_model(s3, put(s3, archive()), folder) / "config.json").is_file()
