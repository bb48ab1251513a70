"""The container's `evaluate`: a processing job that measures a model by sentence length.

    python -m longspan.pipelines.jobs evaluate

Inputs `model`, `prepared` and, to compare with, `baseline`; output `evaluation`. See
`docs/processing-jobs.md`.

A composition root, as `evaluate_job` is, which does the work.
"""

import os
from collections.abc import Mapping, Sequence

from longspan.inference.evaluation.options import add_evaluate_options, evaluation_job
from longspan.pipelines.jobs.channels import BASELINE, EVALUATION, MODEL, PREPARED
from longspan.pipelines.jobs.processing_job import OptionParser, run_processing
from longspan.training.container.paths import ContainerPaths
from longspan.training.model.archive import find_model

__all__ = ["main"]


def main(options: Sequence[str], environment: Mapping[str, str] = os.environ) -> int:
    """Run the job; the exit status. `arguments` are `longspan evaluate`'s that are no paths."""
    return run_processing(lambda paths: _work(paths, options), environment)


def _work(paths: ContainerPaths, options: Sequence[str]) -> None:
    parser = OptionParser(prog="python -m longspan.pipelines.jobs evaluate", allow_abbrev=False)
    add_evaluate_options(parser)
    given = parser.parse_args(options)

    # Not above: a wrong option need not wait seconds for torch.
    from longspan.inference.evaluation.evaluate import evaluate
    from longspan.inference.evaluation.table import render_table

    model = _unpacked(paths, MODEL)
    baseline = _unpacked(paths, BASELINE) if paths.processing_input(BASELINE).is_dir() else None
    test = str(paths.processing_input(PREPARED))
    # What the container calls its folders is nothing that the reader of a report knows.
    names = {model: MODEL, test: PREPARED} | ({baseline: BASELINE} if baseline else {})
    output = str(paths.processing_output(EVALUATION))
    job = evaluation_job(given, model, [test], output, against=baseline, names=names)
    done = evaluate(job)
    print(render_table(done.model, done.against, done.training), flush=True)


def _unpacked(paths: ContainerPaths, name: str) -> str:
    found = str(find_model(paths.processing_input(name), paths.scratch / name))
    print(f"{name}: {found}", flush=True)
    return found
