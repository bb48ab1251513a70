"""Values that Describe operations show for members that a request left out, as on AWS.

SDKs read some of them without asking, such as `KmsKeyId` of a training job's output.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingJob.html
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from longspan.infra.local.control.api import Document

__all__ = ["with_defaults"]

# Values by member. A mapping belongs to a structure that every answer has; a mapping in a list of
# one to a structure, or to the members of a list, that an answer may have.
Defaults: TypeAlias = Mapping[str, Any]

_DAY = 86_400  # seconds
_SOURCE: Defaults = {"S3DataSource": [{"S3DataDistributionType": "FullyReplicated"}]}
_TRAINING: Defaults = {
    "EnableInterContainerTrafficEncryption": False,
    "EnableManagedSpotTraining": False,
    "EnableNetworkIsolation": False,
    "InputDataConfig": [
        {"CompressionType": "None", "RecordWrapperType": "None", "DataSource": [_SOURCE]}
    ],
    "OutputDataConfig": {"KmsKeyId": "", "CompressionType": "GZIP"},
}
_S3_INPUT: Defaults = {
    "S3CompressionType": "None",
    "S3DataDistributionType": "FullyReplicated",
    "S3InputMode": "File",
}
_CONTAINER: Defaults = {"Environment": {}, "Mode": "SingleModel"}
_DEFAULTS: Mapping[str, Defaults] = {
    "DescribeTrainingJob": {
        **_TRAINING,
        "ProfilingStatus": "Disabled",
        "StoppingCondition": {"MaxRuntimeInSeconds": _DAY},
    },
    "DescribeHyperParameterTuningJob": {
        "HyperParameterTuningJobConfig": {"TrainingJobEarlyStoppingType": "Off"},
        "TrainingJobDefinition": [_TRAINING],
        "TrainingJobDefinitions": [_TRAINING],
    },
    "DescribeProcessingJob": {
        "NetworkConfig": [
            {"EnableInterContainerTrafficEncryption": False, "EnableNetworkIsolation": False}
        ],
        "ProcessingInputs": [{"AppManaged": False, "S3Input": [_S3_INPUT]}],
        "ProcessingOutputConfig": [{"KmsKeyId": "", "Outputs": [{"AppManaged": False}]}],
        "StoppingCondition": {"MaxRuntimeInSeconds": _DAY},
    },
    "DescribeTransformJob": {
        "DataProcessing": {"InputFilter": "$", "JoinSource": "None", "OutputFilter": "$"},
        "TransformInput": {"CompressionType": "None", "SplitType": "None"},
        "TransformOutput": {"AssembleWith": "None", "KmsKeyId": ""},
    },
    "DescribeModel": {
        "Containers": [_CONTAINER],
        "EnableNetworkIsolation": False,
        "PrimaryContainer": [_CONTAINER],
    },
    "DescribeEndpointConfig": {
        "EnableNetworkIsolation": False,
        "ProductionVariants": [{"InitialVariantWeight": 1.0}],
    },
    "DescribeModelPackage": {"CertifyForMarketplace": False},
}


def with_defaults(operation: str, answer: Mapping[str, Any]) -> Document:
    """Return the answer of an operation with AWS's values for members that it lacks."""
    return _filled(answer, _DEFAULTS.get(operation, {}))


def _filled(document: Mapping[str, Any], defaults: Defaults) -> Document:
    found = dict(document)
    for name, default in defaults.items():
        value = found.get(name)
        if isinstance(default, list):
            [inner] = default
            if isinstance(value, list):
                found[name] = [_filled(item, inner) for item in value]
            elif value is not None:
                found[name] = _filled(value, inner)
        elif isinstance(default, Mapping):
            found[name] = _filled(value or {}, default)
        elif value is None:
            found[name] = default
    return found
