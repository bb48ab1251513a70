"""Buckets and objects after a restart."""

from pathlib import Path
from typing import Any

import pytest

from longspan.infra.local.moto.persisted.buckets import PersistedBuckets
from tests.infra.local.moto.persisted.conftest import REGION, Moto


def save(moto: Moto, folder: Path) -> None:
    PersistedBuckets(folder).save(moto.clients, REGION)


def restart(moto: Moto, folder: Path) -> Any:
    """Save, forget, restore; a client of what is there then."""
    save(moto, folder)
    moto.forget()
    PersistedBuckets(folder).restore(moto.clients)
    return moto.clients.in_region(REGION).client("s3")


def get(s3: Any, key: str) -> dict[str, Any]:
    found: dict[str, Any] = s3.get_object(Bucket="one", Key=key)
    return {**found, "Body": found["Body"].read()}


def test_objects_are_as_they_were(moto: Moto, tmp_path: Path) -> None:
    s3 = moto.clients.in_region(REGION).client("s3")
    s3.create_bucket(Bucket="one")
    s3.put_object(
        Bucket="one",
        Key="a b/ü=1",
        Body=b"\xff\x00",
        ContentType="application/x-recordio",
        ContentEncoding="gzip",
        Metadata={"who": "me"},
        Tagging="team=mt&empty=",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId="arn:aws:kms:us-east-1:123456789012:key/1",
    )
    s3.put_object(Bucket="one", Key="empty", Body=b"")
    upload = s3.create_multipart_upload(Bucket="one", Key="parts")["UploadId"]
    place = {"Bucket": "one", "Key": "parts", "UploadId": upload}
    parts = [
        {"PartNumber": n, "ETag": s3.upload_part(**place, PartNumber=n, Body=body)["ETag"]}
        for n, body in ((1, b"x" * 5 * 1024 * 1024), (2, b"y"))
    ]
    s3.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})
    before = {key: get(s3, key) for key in ("a b/ü=1", "empty", "parts")}

    s3 = restart(moto, tmp_path)
    for key, was in before.items():
        now = get(s3, key)
        for member in ("Body", "ETag", "LastModified", "ContentType", "Metadata"):
            assert now[member] == was[member], (key, member)
    found = get(s3, "a b/ü=1")
    assert found["ContentEncoding"] == "gzip"
    assert found["ServerSideEncryption"] == "aws:kms"
    assert found["SSEKMSKeyId"].endswith("key/1")
    tags = s3.get_object_tagging(Bucket="one", Key="a b/ü=1")["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "mt", "empty": ""}


@pytest.mark.parametrize("kind", ["STANDARD_IA", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR"])
def test_an_object_of_any_class_is_as_it_was(moto: Moto, tmp_path: Path, kind: str) -> None:
    s3 = moto.clients.in_region(REGION).client("s3")
    s3.create_bucket(Bucket="one")
    s3.put_object(Bucket="one", Key="a", Body=b"cold", StorageClass=kind, Metadata={"b": "c"})
    before = s3.head_object(Bucket="one", Key="a")
    for _ in range(2):
        s3 = restart(moto, tmp_path)
        after = s3.head_object(Bucket="one", Key="a")
        for member in ("StorageClass", "ETag", "LastModified", "Metadata", "ContentLength"):
            assert after[member] == before[member]
    if kind in ("GLACIER", "DEEP_ARCHIVE"):
        with pytest.raises(s3.exceptions.InvalidObjectState):
            get(s3, "a")
        s3.restore_object(Bucket="one", Key="a", RestoreRequest={"Days": 1})
        s3.head_object(Bucket="one", Key="a")
    assert get(s3, "a")["Body"] == b"cold"


def test_locks_of_buckets_and_objects_hold(moto: Moto, tmp_path: Path) -> None:
    s3 = moto.clients.in_region(REGION).client("s3")
    s3.create_bucket(Bucket="one", ObjectLockEnabledForBucket=True)
    lock = {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 3}},
    }
    s3.put_object_lock_configuration(Bucket="one", ObjectLockConfiguration=lock)
    s3.put_object(Bucket="one", Key="default", Body=b"1")
    s3.put_object(
        Bucket="one",
        Key="own",
        Body=b"1",
        ObjectLockMode="GOVERNANCE",
        ObjectLockRetainUntilDate="2999-01-01T00:00:00Z",
        ObjectLockLegalHoldStatus="ON",
    )
    locks = ("ObjectLockMode", "ObjectLockRetainUntilDate", "ObjectLockLegalHoldStatus")

    def locked() -> list[list[Any]]:
        heads = (s3.head_object(Bucket="one", Key=key) for key in ("default", "own"))
        return [[head.get(member) for member in locks] for head in heads]

    configuration = s3.get_object_lock_configuration(Bucket="one")["ObjectLockConfiguration"]
    before = locked()
    assert before[0][0] == "COMPLIANCE"
    assert before[1][2] == "ON"
    s3 = restart(moto, tmp_path)
    after = s3.get_object_lock_configuration(Bucket="one")["ObjectLockConfiguration"]
    assert after == configuration
    assert locked() == before


def test_buckets_are_as_they_were(moto: Moto, tmp_path: Path) -> None:
    s3 = moto.clients.in_region("eu-west-1").client("s3")
    s3.create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket="far", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_tagging(Bucket="far", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    block = {"BlockPublicAcls": True, "IgnorePublicAcls": True}
    s3.put_public_access_block(Bucket="far", PublicAccessBlockConfiguration=block)
    policy = '{"Version": "2012-10-17", "Statement": []}'
    s3.put_bucket_policy(Bucket="far", Policy=policy)
    rule = {
        "ID": "old",
        "Status": "Enabled",
        "Filter": {"Prefix": "tmp/"},
        "Expiration": {"Days": 1},
    }
    s3.put_bucket_lifecycle_configuration(Bucket="far", LifecycleConfiguration={"Rules": [rule]})
    encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    s3.put_bucket_encryption(Bucket="far", ServerSideEncryptionConfiguration=encryption)

    s3 = restart(moto, tmp_path)
    assert s3.get_bucket_location(Bucket="far")["LocationConstraint"] == "eu-west-1"
    assert s3.get_bucket_versioning(Bucket="far")["Status"] == "Enabled"
    assert s3.get_bucket_tagging(Bucket="far")["TagSet"] == [{"Key": "a", "Value": "b"}]
    found = s3.get_public_access_block(Bucket="far")["PublicAccessBlockConfiguration"]
    assert found["BlockPublicAcls"] is True
    assert s3.get_bucket_policy(Bucket="far")["Policy"] == policy
    rules = s3.get_bucket_lifecycle_configuration(Bucket="far")["Rules"]
    assert (rules[0]["ID"], rules[0]["Expiration"]) == ("old", {"Days": 1})
    found = s3.get_bucket_encryption(Bucket="far")["ServerSideEncryptionConfiguration"]
    assert found["Rules"][0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_what_was_deleted_or_replaced_is_so_after_the_next_save(moto: Moto, tmp_path: Path) -> None:
    s3 = moto.clients.in_region(REGION).client("s3")
    for bucket in ("one", "two"):
        s3.create_bucket(Bucket=bucket)
    for key in ("kept", "replaced", "deleted"):
        s3.put_object(Bucket="one", Key=key, Body=key.encode())
    save(moto, tmp_path)
    assert len(list((tmp_path / "one").iterdir())) == 4
    s3.put_object(Bucket="one", Key="replaced", Body=b"new")
    s3.delete_object(Bucket="one", Key="deleted")
    s3.delete_bucket(Bucket="two")

    s3 = restart(moto, tmp_path)
    assert [found["Name"] for found in s3.list_buckets()["Buckets"]] == ["one"]
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket="one")["Contents"]]
    assert keys == ["kept", "replaced"]
    assert get(s3, "replaced")["Body"] == b"new"
    assert len(list((tmp_path / "one").iterdir())) == 3  # two contents and the index


def test_what_did_not_change_is_not_fetched_again(moto: Moto, tmp_path: Path) -> None:
    s3 = moto.clients.in_region(REGION).client("s3")
    s3.create_bucket(Bucket="one")
    s3.put_object(Bucket="one", Key="a", Body=b"a")
    save(moto, tmp_path)
    (content,) = (path for path in (tmp_path / "one").iterdir() if path.name != "index.json")
    content.write_bytes(b"mine")
    s3.put_object(Bucket="one", Key="b", Body=b"b")
    save(moto, tmp_path)
    assert content.read_bytes() == b"mine"


def test_a_save_that_was_cut_off_loses_nothing_of_the_one_before(
    moto: Moto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = moto.clients.in_region(REGION).client("s3")
    s3.create_bucket(Bucket="one")
    s3.put_object(Bucket="one", Key="a", Body=b"old")
    save(moto, tmp_path)
    s3.put_object(Bucket="one", Key="a", Body=b"new")

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("longspan.infra.local.moto.persisted.buckets.save_json", crash)
        with pytest.raises(KeyboardInterrupt):
            save(moto, tmp_path)
    moto.forget()
    PersistedBuckets(tmp_path).restore(moto.clients)
    assert get(moto.clients.in_region(REGION).client("s3"), "a")["Body"] == b"old"


def test_an_empty_folder_restores_nothing(moto: Moto, tmp_path: Path) -> None:
    PersistedBuckets(tmp_path / "none").restore(moto.clients)
    s3 = moto.clients.in_region(REGION).client("s3")
    assert s3.list_buckets()["Buckets"] == []
