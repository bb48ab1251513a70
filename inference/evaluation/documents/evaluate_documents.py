"""The evaluation of a model on documents: divide, translate, compare."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from longspan.inference.evaluation.documents.comparison import (
    DocumentComparison,
    compare_documents,
)
from longspan.inference.evaluation.documents.output import PieceOutput
from longspan.inference.evaluation.documents.piece_translator import PieceTranslator
from longspan.inference.evaluation.documents.pieces import (
    TestDocuments,
    read_documents,
    units_of,
)
from longspan.inference.translation.translator import Translator
from longspan.training.errors import DataError
from longspan.training.pairs.pairs import Pair

__all__ = ["GROUP_WORDS", "DocumentSettings", "documents_in", "evaluate_documents"]

# The last one gives groups of 100 to 200 words.
GROUP_WORDS = (30, 60, 150)


@dataclass(frozen=True)
class DocumentSettings:
    """Sizes of the groups, in source words. A test without documents is refused if `required`."""

    words: Sequence[int] = GROUP_WORDS
    required: bool = True


def documents_in(
    pairs: Sequence[Pair], test: Sequence[str], settings: DocumentSettings
) -> TestDocuments | None:
    """Return the documents of a test, None where it has none and they are not required.

    Raises DataError where they are required.
    """
    if any(pair.document is not None and not pair.joined for pair in pairs):
        return read_documents(pairs)
    if not settings.required:
        return None
    raise DataError(
        f"{', '.join(test)}: --documents: expected a column doc with DOCUMENT or DOCUMENT#LINE, "
        "got none; name it with --document-column"
    )


def evaluate_documents(
    documents: TestDocuments,
    settings: DocumentSettings,
    translator: Translator,
    known: Mapping[str, PieceOutput],
    *,
    language: str,
    path: Path,
    origin: Mapping[str, object],
    tokenize: str,
    resamples: int,
    seed: int,
) -> DocumentComparison:
    """Translate the documents in pieces of every length, and compare.

    `known` are outputs of single rows by source. Further outputs are kept in the file `path`, and
    those of a run that was stopped are used if it had the same `origin`: model and search.
    `language` is that of the sources, whose sentences it ends. Raises OSError when the file cannot
    be written.
    """
    units = units_of(documents, settings.words)
    pieces = PieceTranslator(
        translator, language, path, json.dumps(dict(origin), sort_keys=True), known
    )
    whole, split = pieces.translate(documents, units)
    return compare_documents(
        documents, units, whole, split, tokenize, resamples=resamples, seed=seed
    )
