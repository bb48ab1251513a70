"""The evaluation of a model on test pairs: translate, measure by length, write the results.

The measures themselves (`evaluation.py`) know nothing of models.
"""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from longspan.inference.accounting.account import TranslationAccount
from longspan.inference.evaluation.documents.comparison import DocumentComparison
from longspan.inference.evaluation.documents.evaluate_documents import (
    DocumentSettings,
    documents_in,
    evaluate_documents,
)
from longspan.inference.evaluation.documents.output import PieceOutput
from longspan.inference.evaluation.documents.pieces import TestDocuments
from longspan.inference.evaluation.evaluation import Evaluation, evaluate_translations
from longspan.inference.evaluation.evidence import add_evidence
from longspan.inference.evaluation.files import write_evaluation
from longspan.inference.evaluation.report import write_report
from longspan.inference.search.search import SearchSettings
from longspan.inference.translation.translator import (
    DEFAULT_BATCH_TOKENS,
    Translator,
    choose_device,
)
from longspan.training.background_call import BackgroundCall
from longspan.training.bleu_tokenizers import AUTO
from longspan.training.buckets import BUCKETS, LEAST_BLEU
from longspan.training.errors import DataError
from longspan.training.files import atomic_files
from longspan.training.lengths import count_words
from longspan.training.model.directory import LoadedModel, load_model, read_history
from longspan.training.model.outcome import TrainingOutcome
from longspan.training.pairs.columns import Columns
from longspan.training.pairs.compression import decompressed
from longspan.training.pairs.datasets import is_dataset, is_dataset_dict, split_folder
from longspan.training.pairs.pairs import Pair, read_pairs
from longspan.training.pairs.streams import lines, raw_file
from longspan.training.scores import check_tokenizer

__all__ = ["EvaluationJob", "Evaluations", "evaluate", "read_test"]

_PREPARED_TEST = "test.tsv"
# Outputs for documents, until the evaluation is complete.
_DOCUMENT_OUTPUTS = ".documents.jsonl"
_NO_DOCUMENTS = "the test has no column with documents: no figures of documents at any length"
# Source words from which a second process saves more time than its start takes.
_WORTH_A_PROCESS = 5_000


@dataclass(frozen=True)
class EvaluationJob:
    """Settings of an evaluation: the system, the test, and how to translate and measure.

    `model` and `against` are model directories, or text files with another system's translations,
    one a line. `test` is whatever `read_pairs` reads, or a prepared directory. `search` replaces
    search settings that each model carries. `by_sentence` translates each sentence of a source on
    its own. `check` measures what translations omit and say twice, `repair` repairs them too.
    `side_by_side` lets a second process translate with `against` where the test is large
    enough. `tokenize` and `language` are those of `evaluate_translations`. `documents` says how to
    translate the test's documents in pieces of every length too; it needs a model directory, and
    may be None. `names` are names for paths in the results, where a path itself would tell a reader
    nothing.
    """

    model: str
    test: Sequence[str]
    out: str
    against: str | None = None
    columns: Columns = field(default_factory=Columns)
    format: str | None = None
    tokenize: str = AUTO
    language: str | None = None
    search: Mapping[str, Any] = field(default_factory=dict)
    by_sentence: bool = False
    check: bool = False
    repair: bool = False
    side_by_side: bool = False
    batch_tokens: int = DEFAULT_BATCH_TOKENS
    device: str | None = None
    resamples: int = 1000
    seed: int = 1
    least_bleu: float = LEAST_BLEU
    documents: DocumentSettings | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def name_of(self, path: str) -> str:
        """Return the name of `path` in the results."""
        return self.names.get(path, path)


@dataclass(frozen=True)
class Evaluations:
    """Evaluations of the model and of its baseline, and on documents, where these were asked for.

    `training` says how the training of the systems ended.
    """

    model: Evaluation
    against: Evaluation | None = None
    training: Mapping[str, TrainingOutcome | None] = field(default_factory=dict)
    documents: DocumentComparison | None = None


@dataclass(frozen=True)
class _Output:
    """A system's translations of the test's sources."""

    hypotheses: list[str]
    finished: list[bool] | None
    looping: list[bool] | None
    scores: list[float] | None
    details: dict[str, Any]
    training: dict[str, Any] = field(default_factory=dict)
    alignment: dict[str, Any] | None = None
    accounts: list[TranslationAccount] | None = None
    ending: TrainingOutcome | None = None  # of its training; None for a file of translations


def evaluate(job: EvaluationJob) -> Evaluations:
    """Evaluate and write `evaluation.json`, `translations.tsv`, `evidence.json` and `report.html`
    into `job.out`.

    Raises DataError for a test or translations that cannot be used, ModelDirectoryError for a
    model that cannot, and OSError when the results cannot be written.
    """
    # Opened first, so that a directory that cannot be written to shows before the work.
    with atomic_files(Path(job.out), last="report.html") as folder:
        found = _evaluate_into(folder, job)
    (Path(job.out) / _DOCUMENT_OUTPUTS).unlink(missing_ok=True)
    return found


def _evaluate_into(folder: Path, job: EvaluationJob) -> Evaluations:
    if job.tokenize != AUTO:
        check_tokenizer(job.tokenize)  # before the work that a refusal would waste
    pairs = read_test(job.test, job.columns, job.format)
    found = _documents_in(job, pairs)
    output, against_output = _outputs(job, pairs)
    evaluation = _evaluate(job, pairs, output)
    against = _evaluate(job, pairs, against_output) if against_output is not None else None
    training = {"model": output.ending}
    if against_output is not None:
        training["against"] = against_output.ending
    documents = None
    if job.documents is not None and found is None:
        evaluation = replace(evaluation, notes=(*evaluation.notes, _NO_DOCUMENTS))
    elif found is not None:
        documents = _on_documents(job, found, pairs, output, evaluation.tokenizer)
    write_evaluation(
        folder,
        evaluation,
        details=output.details,
        against=against,
        against_details=against_output.details if against_output is not None else None,
        training=training,
        documents=documents,
    )
    add_evidence(folder, _evidence(output, against_output))
    write_report(folder, "Quality by sentence length")
    return Evaluations(evaluation, against, training, documents)


def _documents_in(job: EvaluationJob, pairs: Sequence[Pair]) -> TestDocuments | None:
    """Return the documents to evaluate on, None where none are asked for, or there are none."""
    if job.documents is None:
        return None
    if Path(job.model).is_file():
        raise DataError(
            f"{job.model}: --documents: expected a model directory, got a file of translations; "
            "give the model, or leave out --documents"
        )
    return documents_in(pairs, job.test, job.documents)


def _on_documents(
    job: EvaluationJob,
    documents: TestDocuments,
    pairs: Sequence[Pair],
    output: _Output,
    tokenize: str,
) -> DocumentComparison:
    """Evaluate on documents; `output` is that of the model for the test's pairs."""
    assert job.documents is not None
    translator = Translator.open(job.model, job.device, **job.search)
    translator.max_batch_tokens = job.batch_tokens
    translator.report = lambda _: None  # the table counts what was stopped
    return evaluate_documents(
        documents,
        job.documents,
        translator,
        {} if job.by_sentence else _known(pairs, output),
        language=job.columns.source_language,
        path=Path(job.out) / _DOCUMENT_OUTPUTS,
        origin={name: output.details[name] for name in ("weights_sha256", "search")},
        tokenize=tokenize,
        resamples=job.resamples,
        seed=job.seed,
    )


def _known(pairs: Sequence[Pair], output: _Output) -> dict[str, PieceOutput]:
    assert output.finished is not None
    assert output.looping is not None
    found = zip(output.hypotheses, output.finished, output.looping, strict=True)
    return {pair.source: PieceOutput(*one) for pair, one in zip(pairs, found, strict=True)}


def _outputs(job: EvaluationJob, pairs: Sequence[Pair]) -> tuple[_Output, _Output | None]:
    """Return the translations of the model, and those of its baseline."""
    if job.against is None:
        return _translate(job, job.model, pairs), None
    words = sum(count_words(pair.source) for pair in pairs)
    if not job.side_by_side or words < _WORTH_A_PROCESS or Path(job.against).is_file():
        return _translate(job, job.model, pairs), _translate(job, job.against, pairs)
    threads = torch.get_num_threads()
    # Each of the two processes gets half of the threads.
    half = max(1, threads // 2)
    torch.set_num_threads(half)
    try:
        # A terminal has one place for progress; a log has lines for both processes.
        shown = not sys.stderr.isatty()
        with BackgroundCall(_translate, job, job.against, pairs, shown, threads=half) as other:
            return _translate(job, job.model, pairs), other.result()
    finally:
        torch.set_num_threads(threads)


def read_test(
    test: Sequence[str], columns: Columns | None = None, format: str | None = None
) -> list[Pair]:
    """Read the test pairs; a prepared directory or a saved DatasetDict stands for its test.

    Raises DataError for an empty test, or a directory without one.
    """
    return list(read_pairs([_test_file(path) for path in test], columns, format=format))


def _test_file(path: str) -> str:
    if not Path(path).is_dir():
        return path
    inside = Path(path) / _PREPARED_TEST
    if is_dataset_dict(Path(path)):
        return str(split_folder(Path(path), "test"))
    if is_dataset(Path(path)):
        return path
    if not inside.is_file():
        raise DataError(
            f"{path}: expected a file of pairs or a prepared directory with {_PREPARED_TEST}, "
            "got a directory without it; did `longspan prepare` finish?"
        )
    return str(inside)


def _translate(
    job: EvaluationJob, system: str, pairs: Sequence[Pair], shown: bool = True
) -> _Output:
    details = {
        "system": job.name_of(system),
        "test": [job.name_of(path) for path in job.test],
        "test_sha256": _test_hash(pairs),
    }
    if Path(system).is_file():
        return _Output(_read_hypotheses(system, len(pairs)), None, None, None, details)
    device = choose_device(job.device)
    loaded = load_model(system, device)
    history = read_history(system)
    settings = SearchSettings.from_hyperparameters(loaded.hyperparameters, **job.search)
    translator = Translator(
        loaded.model, loaded.tokenizer, settings, device, job.batch_tokens,
        check=job.check, repair=job.repair,
    )  # fmt: skip
    label = f"translate with {job.name_of(system)}" if shown else None
    sources = [pair.source for pair in pairs]
    split = "sentences" if job.by_sentence else "never"
    if job.by_sentence:
        language = job.columns.source_language
        results = translator.translate_by_sentence(sources, language, label=label)
    else:
        results = translator.translate(sources, label=label)
    return _Output(
        [result.text for result in results],
        [result.finished for result in results],
        [result.looping for result in results],
        [result.score for result in results],
        details
        | {"search": settings.model_dump(), "split": split, **_hashes(loaded)}
        | ({"repaired": job.repair} if translator.checks else {}),
        {
            "history": history,
            "hyperparameters": loaded.hyperparameters.to_dict(),
        },
        _alignment(translator, pairs) if system == job.model else None,
        [result.account or TranslationAccount() for result in results]
        if translator.checks
        else None,
        loaded.config.outcome,
    )


def _hashes(loaded: LoadedModel) -> dict[str, Any]:
    """Return hashes of the model and of its origin, which do not depend on the folder's name."""
    config = loaded.config
    settings = json.dumps(loaded.hyperparameters.to_dict(), sort_keys=True)
    return {
        "weights_sha256": config.weights_sha256,
        "tokenizer_fingerprint": config.tokenizer_fingerprint,
        "hyperparameters_sha256": hashlib.sha256(settings.encode()).hexdigest(),
        # Models of earlier versions do not have it.
        "training_data_sha256": config.details.get("training_data_sha256"),
    }


def _test_hash(pairs: Sequence[Pair]) -> str:
    """Return a hash of the texts, the same for every format of file."""
    digest = hashlib.sha256()
    for pair in pairs:
        digest.update(json.dumps([pair.source, pair.target]).encode())
    return digest.hexdigest()


def _alignment(translator: Translator, pairs: Sequence[Pair]) -> dict[str, Any] | None:
    """Return the attention on one long sentence: the shortest of over 100 words, or the longest.

    None without attention.
    """
    if not translator.model.has_attention:
        return None
    words = [count_words(pair.source) for pair in pairs]
    long = [i for i, n in enumerate(words) if n >= BUCKETS[-1].low]
    chosen = min(long, key=lambda i: words[i]) if long else int(np.argmax(words))
    # For this sentence alone: the test was translated without alignments, which take memory.
    settings = translator.settings.replace(with_alignment=True)
    aligning = Translator(translator.model, translator.tokenizer, settings, translator.device)
    (found,) = aligning.translate([pairs[chosen].source])
    if found.alignment is None or not found.alignment.size:
        return None
    return {
        "words": words[chosen],
        "source": pairs[chosen].source,
        "reference": pairs[chosen].target,
        "translation": found.text,
        "rows": list(found.tokens),
        "columns": list(found.source_tokens),
        "weights": [[round(float(weight), 3) for weight in row] for row in found.alignment],
    }


def _evidence(output: _Output, against: _Output | None) -> dict[str, Any]:
    parts = {"model": output.training, "alignment": output.alignment}
    return parts | ({"against": against.training} if against is not None else {})


def _read_hypotheses(path: str, expected: int) -> list[str]:
    hypotheses = []
    with closing(raw_file(path, lambda _: None)) as file:
        for number, line in lines(decompressed(file, path), path):
            try:
                hypotheses.append(line.decode())
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{path}:{number}: expected UTF-8 text, got {error.reason}; convert the file"
                ) from error
    # A blank line at the end counts neither as a translation nor as a pair of the test.
    while len(hypotheses) > expected and not hypotheses[-1].strip():
        hypotheses.pop()
    if len(hypotheses) != expected:
        raise DataError(
            f"{path}: expected {expected} translations, one a line as the test has pairs, got "
            f"{len(hypotheses)}"
        )
    return hypotheses


def _evaluate(job: EvaluationJob, pairs: Sequence[Pair], output: _Output) -> Evaluation:
    return evaluate_translations(
        [pair.source for pair in pairs],
        [pair.target for pair in pairs],
        output.hypotheses,
        joined=[pair.joined for pair in pairs],
        finished=output.finished,
        looping=output.looping,
        scores=output.scores,
        accounts=output.accounts,
        tokenize=job.tokenize,
        language=job.language,
        resamples=job.resamples,
        seed=job.seed,
        least_bleu=job.least_bleu,
    )
