"""`python -m longspan.pipelines.jobs JOB`: what the container runs for a job.

    train                   a training job
    prepare [OPTION ...]    a processing job: pairs to a prepared corpus
    collect [OPTION ...]    a processing job of several machines: pairs to parts for `prepare`
    evaluate [OPTION ...]   a processing job: a model's quality by sentence length

Options are those of `longspan prepare` and `longspan evaluate` that are no paths: these are fixed
by SageMaker's container contract, below the folder that LONGSPAN_BASE names (else `/opt/ml`).
"""

import os
import sys
from collections.abc import Sequence

from longspan.training.container.paths import ContainerPaths
from longspan.training.container.privileges import leave_root

__all__ = ["main"]

_USAGE = "usage: python -m longspan.pipelines.jobs train | prepare|collect|evaluate [OPTION ...]"


def main(argv: Sequence[str]) -> int:
    """Run the named job; 2 for a name that is none."""
    job, *options = argv or [""]
    leave_root(ContainerPaths.from_environment(os.environ), os.environ)
    # Each job's modules are loaded for it alone: what it does not need, it does not wait for.
    if job == "train" and not options:
        from longspan.pipelines.jobs import train as train_job

        return train_job.main()
    if job == "prepare":
        from longspan.pipelines.jobs import prepare as prepare_job

        return prepare_job.main(options)
    if job == "collect":
        from longspan.pipelines.jobs import collect as collect_job

        return collect_job.main(options)
    if job == "evaluate":
        from longspan.pipelines.jobs import evaluate as evaluate_container

        return evaluate_container.main(options)
    print(f"{_USAGE}\ngot: {' '.join(argv) or 'nothing'}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
