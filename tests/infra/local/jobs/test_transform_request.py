"""How a batch transform cuts objects into requests and joins the answers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.infra.local.control.api import ValidationError
from longspan.infra.local.jobs.transform_request import Batches


def batches(**members: Any) -> Batches:
    request: dict[str, Any] = {
        "BatchStrategy": members.pop("strategy", "MultiRecord"),
        "MaxPayloadInMB": members.pop("megabytes", 6),
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in"}},
            "SplitType": members.pop("split", "Line"),
        },
        "TransformOutput": {"S3OutputPath": "s3://b/out", "AssembleWith": "Line"},
    }
    return Batches.parse({**request, **members})


LINES = st.lists(st.binary(max_size=30), max_size=20)


@given(LINES, st.sampled_from(["MultiRecord", "SingleRecord"]), st.sampled_from(["Line", "None"]))
def test_requests_hold_the_object_in_order(lines: list[bytes], strategy: str, split: str) -> None:
    content = b"\n".join(lines)
    payloads = list(batches(strategy=strategy, split=split).payloads(content))
    assert b"".join(payloads) == content
    if split == "Line" and strategy == "SingleRecord":
        assert all(payload.count(b"\n") <= 1 for payload in payloads)


def test_a_payload_of_0_is_no_limit() -> None:
    content = b"x" * 20_000_000
    assert list(batches(megabytes=0).payloads(content)) == [content]


@pytest.mark.parametrize("split", ["Line", "None"])
def test_a_record_that_is_too_long_is_refused(split: str) -> None:
    with pytest.raises(ValidationError, match="1000001 bytes"):
        list(batches(megabytes=1, split=split).payloads(b"x" * 1_000_001))


def test_every_answer_ends_its_line() -> None:
    assert batches().assemble([b"a", b"b\n"]) == b"a\nb\n"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"split": "RecordIO"}, "RecordIO"),
        ({"DataCaptureConfig": {"DestinationS3Uri": "s3://a/b"}}, "DataCaptureConfig is not"),
        ({"DataProcessing": {"InputFilter": "$.text"}}, "InputFilter"),
        ({"TransformOutput": {"S3OutputPath": "out"}}, "s3://bucket/key"),
    ],
)
def test_what_is_not_there_is_refused(members: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        batches(**members)
