"""The container's `evaluate`: a processing job that measures a model by sentence length.

    python -m longspan.pipelines.jobs evaluate

Inputs are `model`, `prepared` and, for a comparison, `baseline`; the output is `evaluation`. See
`docs/processing-jobs.md`.
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
    """Run the job and return its exit status; `options` are those of `longspan evaluate`."""
    return run_processing(lambda paths: _work(paths, options), environment)


def _work(paths: ContainerPaths, options: Sequence[str]) -> None:
    parser = OptionParser(prog="python -m longspan.pipelines.jobs evaluate", allow_abbrev=False)
    add_evaluate_options(parser)
    given = parser.parse_args(options)

    # Imported here, so that a wrong option is refused before torch is loaded.
    from longspan.inference.evaluation.documents.table import render_documents
    from longspan.inference.evaluation.evaluate import evaluate
    from longspan.inference.evaluation.table import render_table

    model = _unpacked(paths, MODEL)
    baseline = _unpacked(paths, BASELINE) if paths.processing_input(BASELINE).is_dir() else None
    test = str(paths.processing_input(PREPARED))
    # Readers of the report do not know the folders of the container.
    names = {model: MODEL, test: PREPARED} | ({baseline: BASELINE} if baseline else {})
    output = str(paths.processing_output(EVALUATION))
    # The pipeline's config asks for documents before anyone knows the test.
    job = evaluation_job(
        given, model, [test], output, documents_required=False, against=baseline, names=names
    )
    done = evaluate(job)
    print(render_table(done.model, done.against, done.training), flush=True)
    if done.documents is not None:
        print(f"\n{render_documents(done.documents)}", flush=True)


def _unpacked(paths: ContainerPaths, name: str) -> str:
    found = str(find_model(paths.processing_input(name), paths.scratch / name))
    print(f"{name}: {found}", flush=True)
    return found
