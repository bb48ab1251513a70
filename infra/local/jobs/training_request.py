"""Requests for training jobs: AWS's checks beyond the shape, and the channels.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from longspan.infra.local.control.api import Document, ValidationError
from longspan.infra.local.control.s3_objects import parse_uri
from longspan.infra.local.jobs.s3_input import S3Input
from longspan.infra.local.jobs.scraper import check_patterns

__all__ = ["Channel", "channels", "check_training_request"]

_CHECKPOINTS = "/opt/ml/checkpoints"


@dataclass(frozen=True)
class Channel:
    """One input of a job, and its entry in `inputdataconfig.json`."""

    name: str
    data: S3Input
    config: Document


def channels(request: Mapping[str, Any]) -> list[Channel]:
    """Return the channels of a checked request."""
    default = request["AlgorithmSpecification"].get("TrainingInputMode", "File")
    return [_channel(given, default) for given in request.get("InputDataConfig", ())]


def _channel(given: Mapping[str, Any], default_mode: str) -> Channel:
    name = given["ChannelName"]
    mode = given.get("InputMode", default_mode)
    source = (given.get("DataSource") or {}).get("S3DataSource")
    if source is None:
        raise ValidationError(
            f"Channel {name}: expected S3DataSource, which is all that the local cloud reads, got "
            "a file system or none"
        )
    if mode == "Pipe":
        raise ValidationError(f"Channel {name}: expected the input mode File or FastFile, got Pipe")
    if given.get("RecordWrapperType", "None") != "None" and mode != "Pipe":
        raise ValidationError("RecordWrapperType is only supported for the input mode Pipe.")
    compression = given.get("CompressionType")
    data = S3Input.parse(source, f"input/data/{name}", compression)
    config: Document = {
        "TrainingInputMode": mode,
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": "None",
    }
    if "ContentType" in given:
        config["ContentType"] = given["ContentType"]
    return Channel(name, data, config)


def check_training_request(request: Mapping[str, Any]) -> None:
    """Check a request. Raises ValidationError."""
    algorithm = request["AlgorithmSpecification"]
    if algorithm.get("AlgorithmName"):
        raise ValidationError(
            "AlgorithmName: the local cloud has no marketplace; give TrainingImage instead"
        )
    if not algorithm.get("TrainingImage"):
        raise ValidationError(
            "You must specify either TrainingImage or AlgorithmName in AlgorithmSpecification."
        )
    check_patterns(algorithm.get("MetricDefinitions") or ())
    _check_names([channel.name for channel in channels(request)])
    _check_machines(request.get("ResourceConfig") or {})
    _check_times(request)
    if output := request.get("OutputDataConfig"):
        parse_uri(output["S3OutputPath"])
    checkpoints = request.get("CheckpointConfig") or {}
    if checkpoints:
        parse_uri(checkpoints["S3Uri"])
    path = checkpoints.get("LocalPath", _CHECKPOINTS)
    if path != "/opt/ml" and not path.startswith("/opt/ml/"):
        raise ValidationError(
            f"CheckpointConfig.LocalPath: expected a folder below /opt/ml, such as {_CHECKPOINTS}, "
            f"got {path}"
        )


def _check_names(names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValidationError(f"Duplicate channel names in InputDataConfig: {', '.join(twice)}")


def _check_machines(resources: Mapping[str, Any]) -> None:
    if resources.get("InstanceGroups"):
        raise ValidationError(
            "ResourceConfig.InstanceGroups is not supported by the local cloud: give InstanceType "
            "and InstanceCount"
        )
    missing = [name for name in ("InstanceType", "InstanceCount") if resources.get(name) is None]
    if missing:
        raise ValidationError(f"ResourceConfig: {' and '.join(missing)} must be given")
    count = resources["InstanceCount"]
    if count < 1:  # the API's model allows 0, for InstanceGroups
        raise ValidationError(f"ResourceConfig.InstanceCount: expected 1 or more, got {count}")


def _check_times(request: Mapping[str, Any]) -> None:
    stopping = request.get("StoppingCondition") or {}
    runtime, wait = stopping.get("MaxRuntimeInSeconds"), stopping.get("MaxWaitTimeInSeconds")
    spot = bool(request.get("EnableManagedSpotTraining"))
    if spot and (wait is None or wait < (runtime or 0)):
        raise ValidationError(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
            "MaxRuntimeInSeconds"
        )
    if wait is not None and not spot:
        raise ValidationError(
            "MaxWaitTimeInSeconds cannot be specified when EnableManagedSpotTraining is false"
        )
