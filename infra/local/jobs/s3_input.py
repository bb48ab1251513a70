"""Inputs of jobs on S3: checked when a job is created, downloaded when it runs.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from longspan.infra.local.control.api import ValidationError
from longspan.infra.local.control.s3_objects import (
    S3Object,
    download,
    list_objects,
    manifest_objects,
    parse_uri,
)

__all__ = ["S3Input"]

_SHARDED = "ShardedByS3Key"


@dataclass(frozen=True)
class S3Input:
    """Data of a channel or of a processing input; `data_type` is S3Prefix or ManifestFile."""

    uri: str
    folder: str  # target folder, below the container's base
    data_type: str = "S3Prefix"
    sharded: bool = False
    gunzip: bool = False

    @classmethod
    def parse(cls, source: Mapping[str, Any], folder: str, compression: str | None) -> "S3Input":
        """Return the input that an S3DataSource or a ProcessingS3Input describes."""
        distribution = source.get("S3DataDistributionType", "FullyReplicated")
        return cls(
            uri=source["S3Uri"],
            folder=folder,
            data_type=source.get("S3DataType", "S3Prefix"),
            sharded=distribution == _SHARDED,
            gunzip=compression == "Gzip",
        )

    def objects(self, s3: Any) -> list[S3Object]:
        """Return the objects in the order of their keys. Raises ValidationError, ClientError."""
        if self.data_type == "S3Prefix":
            return list_objects(s3, self.uri)
        if self.data_type == "ManifestFile":
            return manifest_objects(s3, self.uri)
        raise ValidationError(
            f"S3DataType {self.data_type} is not supported by the local cloud: "
            "use S3Prefix or ManifestFile"
        )

    def check(self, s3: Any, role: str, region: str) -> None:
        """Check that the role finds objects. Raises ValidationError, in AWS's words."""
        bucket, _ = parse_uri(self.uri)
        try:
            if self.objects(s3):
                return
            reason = "no error, the list is empty"
        except ClientError as error:
            reason = str(error)
        raise ValidationError(
            f'No S3 objects found under S3 URL "{self.uri}" given in input data source. Please '
            f"ensure that the bucket exists in the selected region ({region}), that objects exist "
            f'under that S3 prefix, and that the role "{role}" has "s3:ListBucket" permissions on '
            f'bucket "{bucket}". Error message from S3: {reason}'
        )

    def fetch(self, s3: Any, bases: Sequence[Path]) -> None:
        """Download all objects, or each host's share, to every host. Raises ClientError."""
        objects = self.objects(s3)
        for number, base in enumerate(bases):
            # Of three hosts, the first one gets the objects 0, 3, 6 and so on.
            share = objects[number :: len(bases)] if self.sharded else objects
            download(s3, share, base / self.folder, gunzip=self.gunzip)
