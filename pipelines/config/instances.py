"""Machine types of SageMaker, from botocore's model of its API, without a network."""

import difflib
import re
from functools import cache

from botocore.loaders import Loader
from botocore.model import ServiceModel

__all__ = ["ENDPOINT", "PROCESSING", "TRAINING", "has_gpu", "has_local_disk", "instance_problem"]

# Names of the shapes that list the machine types of each kind of job.
TRAINING = "TrainingInstanceType"
PROCESSING = "ProcessingInstanceType"
ENDPOINT = "ProductionVariantInstanceType"

# Families with local disks, which allow no KMS key for their volumes:
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html (VolumeKmsKeyId)
_LOCAL_DISK = re.compile(r"ml\.(?:[a-z]+\d+[a-z]*d[a-z]*|g4dn|g5|g6e?|g7e?|p4de?|p5e?n?|p6.*)\.")

# Accelerated families with NVIDIA GPUs: https://aws.amazon.com/sagemaker/ai/pricing/
_GPU = re.compile(r"ml\.[gp]\d")


@cache
def _known(shape: str) -> tuple[str, ...]:
    # Not by a session, which would read the user's AWS files.
    model = ServiceModel(Loader().load_service_model("sagemaker", "service-2"))
    return tuple(model.shape_for(shape).enum)


def instance_problem(shape: str, name: str) -> str | None:
    """Return why a job or endpoint cannot run on the type `name`; None if it can."""
    if name in _known(shape):
        return None
    near = difflib.get_close_matches(name, _known(shape), n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"expected a machine type such as ml.m5.xlarge, got {name}{hint}"


def has_local_disk(name: str) -> bool:
    """Return whether machines of the type have local disks, which they encrypt themselves."""
    return _LOCAL_DISK.match(name) is not None


def has_gpu(name: str) -> bool:
    """Return whether machines of the type have GPUs."""
    return _GPU.match(name) is not None
