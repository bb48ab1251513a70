"""The image's entrypoint: `train`, `serve`, `prepare [OPTION ...]` or `evaluate [OPTION ...]`.

SageMaker runs `docker run IMAGE train` and `docker run IMAGE serve`; processing jobs name their
entrypoint themselves and do not pass here.
"""

import os
import sys
from collections.abc import Sequence

from longspan.training.container.paths import ContainerPaths
from longspan.training.container.privileges import leave_root

__all__ = ["command", "main"]

_MODULES = {
    "train": "longspan.pipelines.jobs",
    "prepare": "longspan.pipelines.jobs",
    "collect": "longspan.pipelines.jobs",
    "evaluate": "longspan.pipelines.jobs",
    "serve": "longspan.inference",
}


def command(arguments: Sequence[str]) -> list[str] | None:
    """The program that a container's arguments stand for; None for what the image is not for."""
    name, *options = arguments or ["train"]
    if name not in _MODULES or (options and name in ("train", "serve")):
        return None
    return [sys.executable, "-m", _MODULES[name], name, *options]


def main(arguments: Sequence[str]) -> int:
    """Become the program, so that signals reach it; 2 for what the image is not for."""
    program = command(arguments)
    if program is not None:
        leave_root(ContainerPaths.from_environment(os.environ), os.environ)
        os.execv(program[0], program)  # does not return
    came = " ".join(arguments)
    print(f"longspan: error: expected {', '.join(_MODULES)}, came {came}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
