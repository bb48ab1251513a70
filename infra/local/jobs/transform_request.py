"""Requests for transform jobs: AWS's checks beyond the shape, and how objects become requests.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from longspan.infra.local.control.api import ValidationError
from longspan.infra.local.control.s3_objects import parse_uri
from longspan.infra.local.jobs.s3_input import S3Input

__all__ = ["Batches"]

_MEGABYTE = 1_000_000
_DEFAULT_MEGABYTES = 6
_MOST_MEGABYTES = 100
_WHOLE_FILTERS = (None, "$", "$[:]")  # JSONPath of the whole record


@dataclass(frozen=True)
class Batches:
    """How a transform job splits objects into requests to the model, and joins the responses."""

    data: S3Input
    output: str
    kms_key: str | None
    content_type: str
    accept: str
    by_line: bool  # SplitType Line
    several: bool  # BatchStrategy MultiRecord: several records in one request
    join_lines: bool  # AssembleWith Line
    payload: int  # most bytes of one request; 0 for no limit
    concurrent: int
    seconds: float  # time limit of one request
    retries: int

    @classmethod
    def parse(cls, request: Mapping[str, Any]) -> "Batches":
        """Return the batches that a request describes. Raises ValidationError."""
        _refuse_filters(request.get("DataProcessing") or {})
        if request.get("DataCaptureConfig"):
            raise ValidationError(
                "DataCaptureConfig is not supported by the local cloud: leave it out"
            )
        given, target = request["TransformInput"], request["TransformOutput"]
        split = given.get("SplitType", "None")
        if split not in ("None", "Line"):
            raise ValidationError(
                f"SplitType {split} is not supported by the local cloud: use Line or None"
            )
        several = request.get("BatchStrategy", "MultiRecord") == "MultiRecord"
        megabytes = request.get("MaxPayloadInMB", _DEFAULT_MEGABYTES)
        client = request.get("ModelClientConfig") or {}
        if megabytes > _MOST_MEGABYTES:
            raise ValidationError(f"MaxPayloadInMB must be at most 100, got {megabytes}")
        parse_uri(target["S3OutputPath"])
        return cls(
            data=S3Input.parse(
                given["DataSource"]["S3DataSource"], "input", given.get("CompressionType")
            ),
            output=target["S3OutputPath"].rstrip("/"),
            kms_key=target.get("KmsKeyId") or None,
            content_type=given.get("ContentType", "application/octet-stream"),
            accept=target.get("Accept", "*/*"),
            by_line=split == "Line",
            several=several,
            join_lines=target.get("AssembleWith", "None") == "Line",
            payload=megabytes * _MEGABYTE,
            # 0 lets AWS choose; here one request at a time, for one container.
            concurrent=request.get("MaxConcurrentTransforms") or 1,
            seconds=float(client.get("InvocationsTimeoutInSeconds", 600)),
            retries=int(client.get("InvocationsMaxRetries", 3)),
        )

    def payloads(self, content: bytes) -> Iterator[bytes]:
        """Yield the bodies of the requests for one object, in order.

        Raises ValidationError for a record that is longer than the payload.
        """
        if not self.by_line:
            yield self._checked(content)
            return
        batch = bytearray()
        for line in io.BytesIO(content):
            if batch and (not self.several or self._over(len(batch) + len(line))):
                yield self._checked(bytes(batch))
                batch.clear()
            batch += line
        if batch:
            yield self._checked(bytes(batch))

    def assemble(self, answers: list[bytes]) -> bytes:
        """Return the content of an object's `.out` from its responses."""
        if not self.join_lines:
            return b"".join(answers)
        return b"".join(a if a.endswith(b"\n") else a + b"\n" for a in answers)

    def _over(self, size: int) -> bool:
        return bool(self.payload) and size > self.payload

    def _checked(self, body: bytes) -> bytes:
        if self._over(len(body)):
            raise ValidationError(
                f"a record of {len(body)} bytes is longer than MaxPayloadInMB of "
                f"{self.payload // _MEGABYTE} allows"
            )
        return body


def _refuse_filters(processing: Mapping[str, Any]) -> None:
    for member in ("InputFilter", "OutputFilter"):
        if processing.get(member) not in _WHOLE_FILTERS:
            raise ValidationError(
                f"DataProcessing.{member} is not supported by the local cloud: leave it out"
            )
    if processing.get("JoinSource", "None") != "None":
        raise ValidationError(
            "DataProcessing.JoinSource is not supported by the local cloud: leave it out"
        )
