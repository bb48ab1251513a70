"""Programs of containers that are processes: what a command of a container runs here.

The image's commands `train` and `serve` are modules of this project, and the script mode of AWS's
images is `script_mode`. All other programs run as they are, with this Python for `python`.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.runtimes.layer import create_layer
from longspan.infra.local.runtimes.runtime import Container
from longspan.infra.local.runtimes.script_mode import names_script

__all__ = ["Program", "find_program"]

_TRAIN = ("-m", "longspan.pipelines.jobs", "train")
_SERVE = ("-m", "longspan.inference", "serve")
_SCRIPT = ("-m", "longspan.infra.local.runtimes.script_mode")
_INTERPRETERS = frozenset({"python", "python3"})
# Scripts of the SageMaker SDK that name `/opt/ml` themselves.
_SDK_SCRIPTS = ("/opt/ml/input/data/sm_drivers/", "/opt/ml/processing/input/entrypoint/runproc.sh")


@dataclass(frozen=True)
class Program:
    """A command, and the folders of the programs that it finds first."""

    command: list[str]
    folders: tuple[Path, ...]


def find_program(container: Container, no_root: str) -> Program:
    """Return the program of a container; `no_root` is why `/opt/ml` is not its folder, or empty.

    Raises LocalCloudError for a command that cannot work as a process.
    """
    if not container.command:
        raise LocalCloudError(
            f"{container.name}: expected ContainerEntrypoint, got none; give it, or use --runtime "
            f"docker, which reads the entrypoint of the image {container.image}"
        )
    first, *rest = container.command
    own = Path(sys.executable).parent  # with commands of packages, such as `torchrun`
    if first == "serve":
        _refuse_script(container)
        return Program([sys.executable, *_SERVE, *rest], (own,))
    if first == "train" and not names_script(container.base):
        return Program([sys.executable, *_TRAIN, *rest], (own,))
    if no_root and any(script in text for text in container.command for script in _SDK_SCRIPTS):
        raise LocalCloudError(
            f"{container.name}: the script of the SageMaker SDK names /opt/ml, which a process "
            f"cannot get here ({no_root}); use --runtime docker"
        )
    layer = create_layer(container.base.with_name(f"{container.base.name}.python"))
    python = str(layer / "python")
    if first == "train":
        return Program([python, *_SCRIPT, *rest], (layer, own))
    return Program([python if first in _INTERPRETERS else first, *rest], (layer, own))


def _refuse_script(container: Container) -> None:
    script = container.environment.get("SAGEMAKER_PROGRAM")
    if script:
        raise LocalCloudError(
            f"{container.name}: expected a model of longspan, got the inference script {script}; "
            "use --runtime docker, whose image runs it"
        )
