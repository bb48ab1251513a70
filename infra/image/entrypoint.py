"""The image's entrypoint: `train`, `serve`, `prepare [OPTION ...]` or `evaluate [OPTION ...]`.

SageMaker runs `docker run IMAGE train` and `docker run IMAGE serve`. Processing jobs set their
own entrypoint, and do not use this one.
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
    """Return the program for a container's arguments, None for unknown ones."""
    name, *options = arguments or ["train"]
    if name not in _MODULES or (options and name in ("train", "serve")):
        return None
    return [sys.executable, "-m", _MODULES[name], name, *options]


def main(arguments: Sequence[str]) -> int:
    """Replace this process by the program, which then gets signals; return 2 for unknown ones."""
    program = command(arguments)
    if program is not None:
        leave_root(ContainerPaths.from_environment(os.environ), os.environ)
        os.execv(program[0], program)  # does not return
    given = " ".join(arguments)
    print(f"longspan: error: expected {', '.join(_MODULES)}, got {given}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
