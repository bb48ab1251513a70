"""`python -m longspan.pipelines.jobs JOB`: what the container runs for a job.

    train                   a training job
    prepare [OPTION ...]    a processing job: pairs to a prepared corpus
    collect [OPTION ...]    a processing job of several machines: pairs to parts for `prepare`
    evaluate [OPTION ...]   a processing job: a model's quality by sentence length

Options are those of `longspan prepare` and `longspan evaluate`, without paths. SageMaker's
container contract fixes the paths, below the folder that LONGSPAN_BASE names (default: `/opt/ml`).
"""

import importlib
import os
import sys
from collections.abc import Sequence

from longspan.training.container.paths import ContainerPaths
from longspan.training.container.privileges import leave_root

__all__ = ["JOBS", "main"]

# Each is a module of this folder with a function `main(options, environment)`.
JOBS = ("train", "prepare", "collect", "evaluate")
_USAGE = "usage: python -m longspan.pipelines.jobs train | prepare|collect|evaluate [OPTION ...]"


def main(argv: Sequence[str]) -> int:
    """Run the job that `argv` names and return its exit status; 2 for an unknown name."""
    job, *options = argv or [""]
    leave_root(ContainerPaths.from_environment(os.environ), os.environ)
    if job not in JOBS:
        print(f"{_USAGE}\ngot: {' '.join(argv) or 'nothing'}", file=sys.stderr)
        return 2
    # Import no other job: each one needs modules that take seconds to load.
    module = importlib.import_module(f"longspan.pipelines.jobs.{job}")
    return int(module.main(options, os.environ))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
