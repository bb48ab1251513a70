"""Results of an execution, downloaded to this machine: evaluation, report, model."""

import csv
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from longspan.inference.evaluation.files import read_evaluation, unescape
from longspan.pipelines.cloud.aws_errors import AwsError, explained
from longspan.pipelines.runs.execution import ExecutionState
from longspan.training.buckets import MEDIUM
from longspan.training.files import atomic_files
from longspan.training.model.archive import ARCHIVE, unpack_model
from longspan.training.model.config import CONFIG
from longspan.training.model.outcome import outcome_warnings, read_training
from longspan.training.tables import align_rows

__all__ = [
    "EvaluationResults",
    "best_model_uri",
    "download_model",
    "evaluation_lines",
    "fetch_evaluation",
]


@dataclass(frozen=True)
class EvaluationResults:
    """The output of an Evaluate step in a local folder."""

    folder: Path
    document: Mapping[str, Any]  # docs/evaluation-schema.md

    @property
    def report(self) -> Path:
        """Path of the HTML report."""
        return self.folder / "report.html"

    def longest(self) -> tuple[str, str]:
        """Return source and reference of a test sentence over 100 words, or of the longest one."""
        with (self.folder / "translations.tsv").open(encoding="utf-8", newline="") as file:
            # Texts are escaped, not quoted: a quotation mark is part of the sentence.
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        over = [row for row in rows if int(row["words"]) > 100]
        row = over[0] if over else max(rows, key=lambda row: int(row["words"]))
        return unescape(row["source"]), unescape(row["reference"])


def fetch_evaluation(
    sagemaker: Any, s3: Any, state: ExecutionState, folder: Path, name: str = "Evaluate"
) -> EvaluationResults:
    """Download the output of the step `name` to `folder`.

    Raises AwsError if the step has no output, DataError if the output is damaged.
    """
    step = state.step(name)
    if step is None or not step.job:
        raise AwsError(
            f"{state.arn}: expected a finished step {name}, got none; see `longspan status`"
        )
    with explained("the evaluation"):
        job = sagemaker.describe_processing_job(ProcessingJobName=step.job)
        # A cached step names the job of the earlier execution, whose output is still there.
        (output,) = job["ProcessingOutputConfig"]["Outputs"]
        _download(s3, output["S3Output"]["S3Uri"], folder)
    return EvaluationResults(folder, read_evaluation(folder))


def best_model_uri(sagemaker: Any, state: ExecutionState) -> str:
    """Return the S3 URI of the best model's archive. Raises AwsError if there is none."""
    step = state.step("Tune")
    if step is None or not step.job:
        raise AwsError(
            f"{state.arn}: expected a finished step Tune, got none; see `longspan status`"
        )
    with explained("the best model"):
        tuning = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=step.job)
        best = tuning["BestTrainingJob"]["TrainingJobName"]
        job = sagemaker.describe_training_job(TrainingJobName=best)
        return str(job["ModelArtifacts"]["S3ModelArtifacts"])


def download_model(s3: Any, uri: str, folder: Path) -> Path:
    """Unpack a model archive into a folder, once. Raises AwsError, ModelDirectoryError."""
    # `atomic_files` moves CONFIG last, so a folder that has it is complete.
    if (folder / CONFIG).is_file():
        return folder
    bucket, key = _split(uri)
    with atomic_files(folder, last=CONFIG) as scratch:
        archive = scratch / ARCHIVE
        with explained(f"downloading {uri}"):
            s3.download_file(bucket, key, str(archive))
        unpacked = scratch / ".unpacked"
        for path in unpack_model(archive, unpacked).iterdir():
            path.rename(scratch / path.name)
        shutil.rmtree(unpacked)
        archive.unlink()
    return folder


def evaluation_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the table of quality by length of baseline and tuned model, and its notes.

    `document` is an `evaluation.json`. The notes name models whose training ended early.
    """
    against = document.get("against")
    head: Sequence[str] = (
        "words",
        "segments",
        "baseline",
        "tuned",
        "gain",
        "p",
        "chrF",
        "length",
        "repeated",
    )
    rows = [head if against else [h for h in head if h not in ("baseline", "gain", "p")]]
    groups = [*document["buckets"], document["all"]]
    others = [*against["buckets"], against["all"]] if against else [None] * len(groups)
    for group, other in zip(groups, others, strict=True):
        rows.append(_cells(group, other, document.get("comparison")))
    yield from align_rows(rows, least=(9, 8))
    yield "BLEU of baseline and tuned model, p of the gain; chrF, length, repetition: tuned model"
    yield from outcome_warnings(read_training(document))
    if document.get("kept") is not None:
        share = f"{document['kept']:.0%} of BLEU at {MEDIUM} words"
        yield f"kept, {document['long']['name']}: {share}"


def _cells(group: Mapping[str, Any], other: Mapping[str, Any] | None, comparison: Any) -> list[str]:
    cells = [group["name"], f"{group['segments']:,}"]
    if other is not None:
        paired = comparison[group["name"]] or {}
        cells += [_show(other["bleu"], ".1f"), _show(group["bleu"], ".1f")]
        # z: a difference that is rounded to zero has no minus.
        cells += [_show(paired.get("difference"), "+z.1f"), _show(paired.get("p_value"), ".3f")]
    else:
        cells.append(_show(group["bleu"], ".1f"))
    cells += [_show(group["chrf"], ".1f"), _show(group["length_ratio"], ".2f")]
    return [*cells, _show(group["repetition_rate"], ".1%")]


def _show(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _download(s3: Any, uri: str, folder: Path) -> None:
    """Download every object below a prefix to `folder`, named by the last part of its key."""
    folder.mkdir(parents=True, exist_ok=True)
    bucket, prefix = _split(uri)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
    for page in pages:
        for found in page.get("Contents", []):
            name = PurePosixPath(found["Key"]).name
            s3.download_file(bucket, found["Key"], str(folder / name))


def _split(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    return parts.netloc, parts.path.strip("/")
