"""Requests for processing jobs: AWS's checks beyond the shape, inputs and outputs.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from longspan.infra.local.control.api import ValidationError
from longspan.infra.local.control.s3_objects import parse_uri
from longspan.infra.local.jobs.s3_input import S3Input

__all__ = ["Output", "check_processing_request", "inputs", "outputs"]

_ROOT = "/opt/ml/"
_MOST = 10  # inputs, and as many outputs


@dataclass(frozen=True)
class Output:
    """Folder below the container's base, uploaded to S3 at the end or continuously."""

    folder: str
    uri: str
    continuous: bool


def inputs(request: Mapping[str, Any]) -> list[S3Input]:
    """Return the inputs to download, without AppManaged ones, which the image downloads itself.

    Raises ValidationError.
    """
    given = request.get("ProcessingInputs") or ()
    return [_input(item) for item in given if not item.get("AppManaged")]


def outputs(request: Mapping[str, Any]) -> list[Output]:
    """Return the outputs to upload, without AppManaged ones. Raises ValidationError."""
    given = (request.get("ProcessingOutputConfig") or {}).get("Outputs") or ()
    return [_output(item) for item in given if not item.get("AppManaged")]


def check_processing_request(request: Mapping[str, Any]) -> None:
    """Check a request. Raises ValidationError."""
    given = request.get("ProcessingInputs") or ()
    results = (request.get("ProcessingOutputConfig") or {}).get("Outputs") or ()
    _check_names("ProcessingInputs", [item["InputName"] for item in given])
    _check_names("Outputs", [item["OutputName"] for item in results])
    folders = [*(i.folder for i in inputs(request)), *(o.folder for o in outputs(request))]
    twice = sorted({folder for folder in folders if folders.count(folder) > 1})
    if twice:
        raise ValidationError(
            f"LocalPath must be unique among inputs and outputs, used twice: {_ROOT}{twice[0]}"
        )


def _check_names(member: str, names: Sequence[str]) -> None:
    if len(names) > _MOST:
        raise ValidationError(f"{member}: expected at most {_MOST}, got {len(names)}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValidationError(f"{member}: names must be unique, used twice: {', '.join(twice)}")


def _input(item: Mapping[str, Any]) -> S3Input:
    name, source = item["InputName"], item.get("S3Input")
    if source is None:
        raise ValidationError(
            f"Input {name}: expected S3Input, which is all that the local cloud reads, got "
            "DatasetDefinition or none"
        )
    if source.get("S3InputMode", "File") != "File":
        raise ValidationError(f"Input {name}: expected the S3InputMode File, got Pipe")
    folder = _below_root(f"Input {name}", source.get("LocalPath"))
    return S3Input.parse(source, folder, source.get("S3CompressionType"))


def _output(item: Mapping[str, Any]) -> Output:
    name, target = item["OutputName"], item.get("S3Output")
    if target is None:
        raise ValidationError(
            f"Output {name}: expected S3Output, which is all that the local cloud writes, got none"
        )
    parse_uri(target["S3Uri"])
    folder = _below_root(f"Output {name}", target.get("LocalPath"))
    return Output(folder, target["S3Uri"], continuous=target["S3UploadMode"] == "Continuous")


def _below_root(what: str, path: str | None) -> str:
    """Return a path relative to `/opt/ml`, the only folder that the local cloud shares."""
    folder = (path or "").removeprefix(_ROOT).strip("/")
    if not path or not path.startswith(_ROOT) or not folder or ".." in folder.split("/"):
        raise ValidationError(f"{what}: LocalPath must be below {_ROOT}, got {path}")
    return folder
