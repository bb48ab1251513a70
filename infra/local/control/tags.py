"""Tags of every resource with a document; Create operations store their own tags.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AddTags.html
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from longspan.infra.local.control.api import (
    ApiCall,
    Document,
    Handler,
    ResourceLimitExceeded,
    ValidationError,
)
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Key

__all__ = ["Tags", "check_tags"]

# By the resource type in an ARN: the kind of document, and the member with the ARN.
_KINDS: Mapping[str, tuple[str, str]] = {
    "training-job": ("training-job", "TrainingJobArn"),
    "processing-job": ("processing-job", "ProcessingJobArn"),
    "transform-job": ("transform-job", "TransformJobArn"),
    "hyper-parameter-tuning-job": ("tuning-job", "HyperParameterTuningJobArn"),
    "model": ("model", "ModelArn"),
    "model-package": ("model-package", "ModelPackageArn"),
    "model-package-group": ("model-package-group", "ModelPackageGroupArn"),
    "endpoint": ("endpoint", "EndpointArn"),
    "endpoint-config": ("endpoint-config", "EndpointConfigArn"),
    "pipeline": ("pipeline", "PipelineArn"),
}
_MOST_TAGS = 50  # per resource


class Tags:
    """Service for tags."""

    def __init__(self, context: Context) -> None:
        self._documents = context.documents

    def operations(self) -> Mapping[str, Handler]:
        """Return the handlers by operation name."""
        return {"AddTags": self._add, "ListTags": self._list, "DeleteTags": self._delete}

    def recover(self) -> None:
        """Do nothing: tags are part of the documents."""

    def _add(self, call: ApiCall) -> Document:
        """Add tags; replace the value of a key that the resource has."""
        given: Sequence[Mapping[str, str]] = call.request["Tags"]

        def add(document: Document) -> None:
            tags = {tag["Key"]: tag["Value"] for tag in [*document.get("Tags", ()), *given]}
            if len(tags) > _MOST_TAGS:
                raise ResourceLimitExceeded(
                    f"The resource would have {len(tags)} tags, {_MOST_TAGS} are allowed. Delete "
                    "some first."
                )
            document["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]

        return {"Tags": self._documents.edit(self._find(call), add)["Tags"]}

    def _list(self, call: ApiCall) -> Document:
        """Return all tags: one page has room for the most that a resource may have."""
        return {"Tags": self._documents.get(self._find(call)).get("Tags", [])}

    def _delete(self, call: ApiCall) -> Document:
        gone = set(call.request["TagKeys"])

        def delete(document: Document) -> None:
            document["Tags"] = [tag for tag in document.get("Tags", ()) if tag["Key"] not in gone]

        self._documents.edit(self._find(call), delete)
        return {}

    def _find(self, call: ApiCall) -> Key:
        arn = call.request["ResourceArn"]
        part = arn.split(":", 5)[5].split("/", 1)[0]
        kind, member = _KINDS.get(part, ("", ""))
        for key, document in self._documents.of(kind, call.region):
            if document[member] == arn:
                return key
        raise ValidationError(f"The resource {arn} does not exist in {call.region}.")


def check_tags(tags: Sequence[Mapping[str, str]]) -> None:
    """Check the tags of one request. Raises ValidationError."""
    counts = Counter(tag["Key"] for tag in tags)
    twice = [key for key, count in counts.items() if count > 1]
    if twice:
        raise ValidationError(f"Duplicate tag keys found: {', '.join(twice)}. Give each key once.")
    reserved = [key for key in counts if key.lower().startswith("aws:")]
    if reserved:
        raise ValidationError(
            f"Tag keys starting with 'aws:' are reserved for AWS: {', '.join(reserved)}"
        )
