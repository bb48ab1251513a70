"""Requests for the training jobs of a tuning job.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperParameterTrainingJobDefinition.html
"""

import secrets
from collections.abc import Mapping, Sequence

from longspan.infra.local.control.api import Document
from longspan.infra.local.tuning.definitions import TrainingDefinition
from longspan.infra.local.tuning.requests import OBJECTIVE_PARAMETER

__all__ = ["training_job_name", "training_request"]

# Members that the definition and the training job's request share.
_SAME = (
    "RoleArn",
    "InputDataConfig",
    "VpcConfig",
    "OutputDataConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "RetryStrategy",
    "Environment",
)


def training_job_name(tuning_name: str, number: int) -> str:
    """Return a name as AWS generates it: `<tuning job>-007-1a2b3c4d`, counted from 1."""
    return f"{tuning_name}-{number:03}-{secrets.token_hex(4)}"


def training_request(
    name: str, definition: TrainingDefinition, tuned: Mapping[str, str], tags: Sequence[Document]
) -> Document:
    """Return a CreateTrainingJob request with static and tuned hyperparameters, and tags."""
    training = definition.training
    objective = (
        {} if definition.objective is None else {OBJECTIVE_PARAMETER: definition.objective.metric}
    )
    request: Document = {
        "TrainingJobName": name,
        "HyperParameters": {**definition.static, **tuned, **objective},
        "AlgorithmSpecification": training["AlgorithmSpecification"],
        "ResourceConfig": _resources(training),
        **{member: training[member] for member in _SAME if training.get(member) is not None},
    }
    checkpoints = training.get("CheckpointConfig")
    if checkpoints:  # one folder per job, else a job would resume from another one's checkpoint
        # Names are unique by their random part, so a later tuning job of the same name is apart
        # too.
        place = f"{checkpoints['S3Uri'].rstrip('/')}/{name}"
        request["CheckpointConfig"] = {**checkpoints, "S3Uri": place}
    if tags:
        request["Tags"] = list(tags)
    return request


def _resources(training: Document) -> Document:
    """Return the ResourceConfig; of several instance types, the first one."""
    if training.get("ResourceConfig"):
        return dict(training["ResourceConfig"])
    given = training["HyperParameterTuningResourceConfig"]
    chosen = {**given, **(given.get("InstanceConfigs") or [{}])[0]}
    names = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")
    return {name: chosen[name] for name in names if name in chosen}
