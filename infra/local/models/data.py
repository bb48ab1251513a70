"""Artifacts of a model on S3: checked when the model is created, downloaded when it is served.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html
"""

import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from longspan.infra.local.containers.failures import ServingFailure
from longspan.infra.local.control.api import ValidationError
from longspan.infra.local.control.clients import RoleClients
from longspan.infra.local.control.s3_objects import download, list_objects, parse_uri
from longspan.training.model.archive import extract, objection

__all__ = ["ModelData"]

# Codes of a missing object or bucket; the answer to HEAD has only the status.
_MISSING = ("404", "NoSuchKey", "NoSuchBucket", "NotFound")


@dataclass(frozen=True)
class ModelData:
    """URI of a model's artifacts: one `.tar.gz` (`packed`), or all files below a prefix."""

    uri: str
    packed: bool

    @classmethod
    def parse(cls, container: Mapping[str, Any]) -> "ModelData | None":
        """Return the data of a container definition; None for an image that contains its model.

        Raises ValidationError for a source that the local cloud cannot read.
        """
        source = (container.get("ModelDataSource") or {}).get("S3DataSource")
        url = container.get("ModelDataUrl")
        if source is not None and url is not None:
            raise ValidationError("Give either ModelDataUrl or ModelDataSource, not both.")
        if source is None:
            return None if url is None else cls(_on_s3(url), packed=True)
        packed = source["CompressionType"] == "Gzip"
        if packed != (source["S3DataType"] == "S3Object"):
            raise ValidationError(
                "ModelDataSource: expected S3DataType S3Object with CompressionType Gzip, or "
                f"S3Prefix with None, got {source['S3DataType']} with {source['CompressionType']}"
            )
        return cls(_on_s3(source["S3Uri"]), packed=packed)

    def check(self, clients: RoleClients, role: str) -> None:
        """Check that the role can read the data. Raises ValidationError, in AWS's words."""
        s3 = clients.client("s3")
        try:
            if self.packed:
                bucket, key = parse_uri(self.uri)
                s3.head_object(Bucket=bucket, Key=key)
                return
            if list_objects(s3, self.uri):
                return
        except ClientError as error:
            if error.response["Error"]["Code"] not in _MISSING:
                raise ValidationError(
                    f"Could not access model data at {self.uri}. Please ensure that the role "
                    f'"{role}" exists and that its trust relationship policy allows the action '
                    '"sts:AssumeRole" for the service principal "sagemaker.amazonaws.com". Also '
                    'ensure that the role has "s3:GetObject" permissions and that the object is '
                    f"located in {clients.region}. ({error})"
                ) from None
        raise ValidationError(f"Could not find model data at {self.uri}.")

    def fetch(self, clients: RoleClients, folder: Path) -> None:
        """Download the data into `folder`. Raises ServingFailure, in AWS's words."""
        folder.mkdir(parents=True)
        s3 = clients.client("s3")
        try:
            if not self.packed:
                download(s3, list_objects(s3, self.uri), folder)
                return
            # Beside the folder, because the container sees all that the folder holds.
            archive = folder.with_name("model.tar.gz")
            bucket, key = parse_uri(self.uri)
            s3.download_file(bucket, key, str(archive))
        except (ClientError, ValidationError) as error:
            raise ServingFailure(
                f'Failed to download model data for container "container_1" from URL: "{self.uri}"'
                ". Please ensure that there is an object located at the URL and that the role "
                "passed to CreateModel has permissions to download the object. "
                f"({error})"
            ) from None
        self._unpack(archive, folder)

    def _unpack(self, archive: Path, folder: Path) -> None:
        """Extract an archive; refuse members outside of `folder`, since anyone may upload one."""
        try:
            with tarfile.open(archive, "r:*") as content:
                for member in content:
                    if kind := objection(member):
                        raise tarfile.ExtractError(f"{kind}: {member.name}")
                    extract(content, member, folder)
        except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
            raise ServingFailure(
                'Failed to extract model data archive for container "container_1" from URL '
                f'"{self.uri}". Please ensure that the object located at the URL is a valid '
                f"tar.gz archive. ({error})"
            ) from None
        finally:
            archive.unlink()


def _on_s3(uri: str) -> str:
    """Return a URI of S3. Raises ValidationError for another one."""
    parse_uri(uri)
    return uri
