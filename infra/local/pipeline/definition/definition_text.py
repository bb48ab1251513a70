"""The text of a definition, from a request or from where on S3 the request says it is."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from longspan.infra.local.control.api import Call, ValidationError
from longspan.infra.local.control.context import Context
from longspan.infra.local.pipeline.definition.parsing import read_definition

__all__ = ["definition_text"]

_TEXT, _LOCATION = "PipelineDefinition", "PipelineDefinitionS3Location"


def definition_text(context: Context, call: Call, role: str) -> str:
    """Checked; read from S3 with the role's rights. Raises ValidationError."""
    text, location = call.request.get(_TEXT), call.request.get(_LOCATION)
    if (text is None) == (location is None):
        raise ValidationError(f"Give either {_TEXT} or {_LOCATION}, and not both.")
    # A role that is not there is found now, not after the first start.
    clients = context.clients.as_role(role, call.region, "pipeline")
    found = _fetch(clients.client("s3"), location) if location else str(text)
    read_definition(found)
    return found


def _fetch(s3: Any, location: Mapping[str, str]) -> str:
    where = {"Bucket": location["Bucket"], "Key": location["ObjectKey"]}
    if location.get("VersionId"):
        where["VersionId"] = location["VersionId"]
    try:
        body: bytes = s3.get_object(**where)["Body"].read()
        return body.decode("utf-8")
    except (ClientError, UnicodeDecodeError) as error:
        raise ValidationError(
            f"Unable to read the pipeline definition at s3://{where['Bucket']}/{where['Key']}: "
            f"{error}"
        ) from None
