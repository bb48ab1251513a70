"""Figures of documents that were translated in pieces, each compared with the rows alone.

The output of a piece is divided among its rows (`segmentation`), so all figures are of the same
rows with the same references, whatever the pieces. The bootstrap draws whole documents, because
the rows of one piece depend on each other; with fewer than ten documents it draws rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from longspan.inference.evaluation.bootstrap import Ratio, ratio
from longspan.inference.evaluation.documents.pieces import TestDocuments
from longspan.inference.evaluation.documents.segmentation import tokens_of
from longspan.training.scores import Statistics, bleu_of, chrf_of, statistics

__all__ = ["Compared", "Figures", "Measure", "RowOutputs", "SomeRows"]

_Floats = NDArray[np.float64]
_Marks = NDArray[np.bool_]
_Rows = NDArray[np.int64]

_LEAST_DOCUMENTS = 10
_ORDER = 4
# A row is omitted with less than a third of its reference's tokens, and repeated where over half of
# its 4-grams stood before in the document and at most half of its reference's did.
_LEAST_TOKENS = 5
_OMITTED, _REPEATED = 1 / 3, 1 / 2


@dataclass(frozen=True)
class Figures:
    """Figures of some rows. BLEU and chrF go up to 100; `omitted` and `repeated` count rows.

    `length_ratio` is output tokens over reference tokens, `repetition_rate` the share of 4-grams
    that stood before in their row; None where they would be divided by 0.
    """

    bleu: float
    chrf: float
    length_ratio: float | None
    repetition_rate: float | None
    omitted: int
    repeated: int


@dataclass(frozen=True)
class Compared:
    """Figures of some rows translated in pieces and `alone`, and the ratios of the first to these.

    A ratio is None where the score of the rows alone is 0.
    """

    rows: int
    figures: Figures
    alone: Figures
    bleu_ratio: Ratio | None
    chrf_ratio: Ratio | None


@dataclass(frozen=True)
class RowOutputs:
    """The output of each row, and what was counted of it: each field has one entry a row."""

    texts: Sequence[str]
    counts: Statistics
    omitted: _Marks
    repeated: _Marks


# Outputs, and the numbers of some of their rows.
SomeRows = tuple[RowOutputs, _Rows]


class Measure:
    """Computes figures of any rows. `alone` are the outputs of the rows alone."""

    def __init__(
        self,
        documents: TestDocuments,
        alone: Sequence[str],
        tokenize: str,
        *,
        resamples: int = 1000,
        seed: int = 1,
    ) -> None:
        self._documents = documents
        self._references = [row.target for row in documents.rows]
        self._tokenize = tokenize
        self._resamples, self._seed = resamples, seed
        self._drawn = np.arange(len(documents.rows))
        if self.draws_documents:
            sizes = [len(document.rows) for document in documents.documents]
            self._drawn = np.repeat(np.arange(len(sizes)), sizes)
        self.alone = self.count(alone)

    @property
    def draws_documents(self) -> bool:
        """Whether the bootstrap draws documents, and not rows."""
        return len(self._documents.documents) >= _LEAST_DOCUMENTS

    def count(self, texts: Sequence[str]) -> RowOutputs:
        """Count the outputs of all rows."""
        sizes = np.array([len(tokens_of(text)) for text in texts])
        wanted, expected = self._of_references
        earlier = self._earlier(texts)
        return RowOutputs(
            texts,
            statistics(texts, self._references, self._tokenize),
            omitted=(wanted >= _LEAST_TOKENS) & (sizes < _OMITTED * wanted),
            repeated=(sizes >= _LEAST_TOKENS) & (earlier > _REPEATED) & (expected <= _REPEATED),
        )

    def compare(self, parts: Sequence[SomeRows]) -> Compared:
        """Return the figures of rows of one or several outputs, taken together; at least one row.

        A row that is in several parts counts several times, alone too.
        """
        alone = [(self.alone, rows) for _, rows in parts]
        numbers = np.concatenate([rows for _, rows in parts])
        return Compared(
            len(numbers),
            _figures(parts),
            _figures(alone),
            self._ratio(_rows(parts, "bleu"), _rows(alone, "bleu"), numbers, bleu_of),
            self._ratio(_rows(parts, "chrf"), _rows(alone, "chrf"), numbers, _chrf),
        )

    @cached_property
    def _of_references(self) -> tuple[_Rows, _Floats]:
        """Tokens of each reference, and the share of its 4-grams that stood before."""
        sizes = np.array([len(tokens_of(reference)) for reference in self._references])
        return sizes, self._earlier(self._references)

    def _earlier(self, texts: Sequence[str]) -> _Floats:
        """Return the share of each row's 4-grams that stood before in its document: (row,)."""
        shares = np.zeros(len(texts))
        for document in self._documents.documents:
            seen: set[tuple[str, ...]] = set()
            for row in document.rows:
                tokens = tokens_of(texts[row])
                grams = list(zip(*(tokens[n:] for n in range(_ORDER)), strict=False))
                before = 0
                for gram in grams:
                    before += gram in seen
                    seen.add(gram)
                shares[row] = before / len(grams) if grams else 0.0
        return shares

    def _ratio(
        self,
        counts: _Floats,
        alone: _Floats,
        numbers: _Rows,
        score: Callable[[_Floats], _Floats],
    ) -> Ratio | None:
        """Return the ratio of two scores; counts (row, count) are of the rows `numbers`."""
        drawn, places = np.unique(self._drawn[numbers], return_inverse=True)
        sums = np.zeros((2, len(drawn), counts.shape[1]))
        np.add.at(sums[0], places, counts)
        np.add.at(sums[1], places, alone)
        return ratio(sums[0], sums[1], score, resamples=self._resamples, seed=self._seed)


def _figures(parts: Sequence[SomeRows]) -> Figures:
    bleu, repeats = _rows(parts, "bleu").sum(0), _rows(parts, "repeats").sum(0)
    return Figures(
        bleu=float(bleu_of(bleu)),
        chrf=chrf_of(_rows(parts, "chrf").sum(0)),
        length_ratio=float(bleu[0] / bleu[1]) if bleu[1] else None,
        repetition_rate=float(repeats[0] / repeats[1]) if repeats[1] else None,
        omitted=int(sum(outputs.omitted[rows].sum() for outputs, rows in parts)),
        repeated=int(sum(outputs.repeated[rows].sum() for outputs, rows in parts)),
    )


def _rows(parts: Sequence[SomeRows], name: str) -> _Floats:
    """Return the counts of all rows of the parts, (row, count)."""
    return np.concatenate([getattr(outputs.counts, name)[rows] for outputs, rows in parts])


def _chrf(sums: _Floats) -> _Floats:
    """Return chrF of summed rows: (..., 18) -> (...)."""
    return np.array([chrf_of(row) for row in sums.reshape(-1, sums.shape[-1])]).reshape(
        sums.shape[:-1]
    )
