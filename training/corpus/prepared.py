"""A prepared folder as training reads it: complete, with the ids of its tokenizer."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from longspan.training.bleu_tokenizers import AUTO, BleuTokenizer, choose_tokenizer
from longspan.training.corpus.manifest import MANIFEST, read_manifest
from longspan.training.corpus.pair_corpus import IntArray, PairCorpus
from longspan.training.corpus.shards import Corpus
from longspan.training.errors import DataError
from longspan.training.tokenizer.tokenizer import Tokenizer, Vocabulary

__all__ = ["Prepared"]

_CHECKED_PAIRS = 10_000
_REFERENCES = 1_000


@dataclass(frozen=True)
class Prepared:
    """The parts of a prepared folder that training reads."""

    tokenizer: Tokenizer
    train: PairCorpus
    validation: PairCorpus
    joined: int = 0  # so many of the last validation pairs were joined from neighbours
    target_language: str | None = None  # None where the folder does not say it

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
        if not (folder / MANIFEST).exists():  # converted from channels of the built-in algorithm
            return cls(tokenizer, train, validation)
        manifest = read_manifest(folder)
        joined = sum(manifest["held_out"]["validation"]["joined"].values())
        language = manifest["settings"].get("columns", {}).get("target_language")
        return cls(tokenizer, train, validation, joined, language)

    def bleu_tokenizer(self, wanted: str = AUTO) -> BleuTokenizer:
        """Choose the tokenizer for BLEU by the target language and up to 1,000 references.

        `wanted` is a hyperparameter's value: the name of a tokenizer, or `auto`.
        """
        count = len(self.validation)
        chosen = np.linspace(0, count - 1, min(count, _REFERENCES)).astype(np.int64).tolist()
        targets = (self.validation.target(index).tolist() for index in chosen)
        references = [self.tokenizer.decode_target(ids) for ids in targets]
        return choose_tokenizer(references, self.target_language, wanted)


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
