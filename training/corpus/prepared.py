"""A prepared folder as training reads it: complete, with the ids of its tokenizer."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from longspan.training.corpus.manifest import MANIFEST, read_manifest
from longspan.training.corpus.pair_corpus import IntArray, PairCorpus
from longspan.training.corpus.shards import Corpus
from longspan.training.errors import DataError
from longspan.training.tokenizer.tokenizer import Tokenizer, Vocabulary

__all__ = ["Prepared"]

_CHECKED_PAIRS = 10_000


@dataclass(frozen=True)
class Prepared:
    """The parts of a prepared folder that training reads."""

    tokenizer: Tokenizer
    train: PairCorpus
    validation: PairCorpus
    joined: int = 0  # so many of the last validation pairs were joined from neighbours

    @classmethod
    def open(cls, directory: str | Path) -> "Prepared":
        """Map the folders `tokenizer`, `train` and `validation` of `directory`.

        Raises DataError when one is missing, empty or made with another tokenizer.
        """
        folder = Path(directory)
        if not folder.is_dir():
            raise DataError(f"{folder}: expected a folder that `longspan prepare` wrote, got none")
        tokenizer = Tokenizer.load(folder / "tokenizer")
        train, validation = (
            _open_corpus(folder / name, tokenizer) for name in ("train", "validation")
        )
        return cls(tokenizer, train, validation, _count_joined(folder))


def _count_joined(folder: Path) -> int:
    """Count joined validation pairs; a folder without a manifest was converted and has none."""
    if not (folder / MANIFEST).exists():
        return 0
    return sum(read_manifest(folder)["held_out"]["validation"]["joined"].values())


def _open_corpus(folder: Path, tokenizer: Tokenizer) -> Corpus:
    """Open a corpus. Raises DataError if it has no pairs, or ids of another tokenizer."""
    corpus = Corpus.open(folder)
    if not len(corpus):
        raise DataError(f"{folder}: expected pairs, got none; prepare more text")
    if corpus.tokenizer is not None and corpus.tokenizer != tokenizer.fingerprint:
        raise DataError(
            f"{folder}: expected ids of the tokenizer beside it (fingerprint "
            f"{tokenizer.fingerprint[:12]}), got another one's ({corpus.tokenizer[:12]}); copy "
            "the prepared folder whole, or run `longspan prepare` again"
        )
    _check_ids(folder, corpus, tokenizer)
    return corpus


def _check_ids(folder: Path, corpus: PairCorpus, tokenizer: Tokenizer) -> None:
    """Raise DataError for an id that the tokenizer does not have, in up to 10,000 of the pairs."""
    chosen = np.linspace(0, len(corpus) - 1, min(len(corpus), _CHECKED_PAIRS)).astype(np.int64)
    for index in chosen.tolist():
        _check_row(folder, index, corpus.source(index), tokenizer.source)
        _check_row(folder, index, corpus.target(index), tokenizer.target)


def _check_row(folder: Path, index: int, ids: IntArray, vocabulary: Vocabulary) -> None:
    if len(ids) and int(ids.max()) >= len(vocabulary):
        raise DataError(
            f"{folder}: expected ids below {len(vocabulary)}, the size of the vocabulary, got "
            f"{int(ids.max())} in pair {index}; run `longspan prepare` again"
        )
