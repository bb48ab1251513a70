"""A prepared folder as training reads it: whole, and its ids those of its tokenizer."""

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
    """What `longspan prepare` wrote, as far as training reads it.

    The last `joined` validation pairs were joined from neighbours.
    """

    tokenizer: Tokenizer
    train: PairCorpus
    validation: PairCorpus
    joined: int = 0

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
    """Joined validation pairs; a folder converted from other data has no manifest, and none."""
    if not (folder / MANIFEST).exists():
        return 0
    return sum(read_manifest(folder)["held_out"]["validation"]["joined"].values())


def _open_corpus(folder: Path, tokenizer: Tokenizer) -> Corpus:
    """Raises DataError when there are no pairs, or ids of another tokenizer."""
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
    """Raises DataError if pairs, some ten thousand of them, hold ids unknown to the tokenizer."""
    chosen = np.linspace(0, len(corpus) - 1, min(len(corpus), _CHECKED_PAIRS)).astype(np.int64)
    for index in chosen.tolist():
        _check_row(folder, index, corpus.source(index), tokenizer.source)
        _check_row(folder, index, corpus.target(index), tokenizer.target)


def _check_row(folder: Path, index: int, ids: IntArray, vocabulary: Vocabulary) -> None:
    if len(ids) and int(ids.max()) >= len(vocabulary):
        raise DataError(
            f"{folder}: pair {index} holds token {int(ids.max())}, and the tokenizer knows only "
            f"{len(vocabulary)}: it is not the one of this data; run `longspan prepare` again"
        )
