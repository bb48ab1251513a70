"""The same documents in pieces of every length: by unit, by length of the piece, by place in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from longspan.inference.evaluation.documents.figures import Compared, Measure, RowOutputs, SomeRows
from longspan.inference.evaluation.documents.output import PieceOutput
from longspan.inference.evaluation.documents.pieces import (
    DOCUMENTS,
    Piece,
    PieceUnit,
    TestDocuments,
)
from longspan.inference.evaluation.documents.segmentation import segment_output
from longspan.training.buckets import BUCKETS, Bucket
from longspan.training.lengths import count_words

__all__ = [
    "FIFTHS", "PIECE_BUCKETS", "ByLength", "ByPlace", "ByUnit", "DocumentComparison",
    "compare_documents",
]  # fmt: skip

FIFTHS = 5
# Lengths of pieces, in source words: those of sentences, and longer ones.
_LONGER = (101, 201, 501, 1001, 2001)
PIECE_BUCKETS: tuple[Bucket, ...] = (
    *BUCKETS[:-1],
    *(Bucket(low, high - 1) for low, high in pairwise(_LONGER)),
    Bucket(_LONGER[-1], None),
)
_Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class ByUnit:
    """All rows, translated in the pieces of a unit, in one piece or split by sentences.

    `longest` and `mean_words` are source words of the pieces. `unfinished` and `looping` count
    pieces whose translation was stopped, at the length limit or because it repeated itself.
    """

    unit: str
    split: bool
    pieces: int
    mean_words: float
    longest: int
    unfinished: int
    looping: int
    compared: Compared


@dataclass(frozen=True)
class ByLength:
    """The rows in pieces of a bucket's length, of all units, each in one piece."""

    bucket: Bucket
    pieces: int
    compared: Compared


@dataclass(frozen=True)
class ByPlace:
    """The rows in one fifth of the pieces of a unit, each in one piece; `fifth` is 1 to 5."""

    unit: str
    fifth: int
    compared: Compared


@dataclass(frozen=True)
class DocumentComparison:
    """Quality of the same documents in pieces of every length.

    `aligned_alone` are the outputs of the rows alone, joined to documents and divided again: what
    it lacks to a ratio of 1 is an error of the division. `texts` are the outputs of the rows by
    unit, whole and split.
    """

    documents: TestDocuments
    units: tuple[ByUnit, ...]
    lengths: tuple[ByLength, ...]
    places: tuple[ByPlace, ...]
    aligned_alone: Compared
    draws_documents: bool
    texts: Mapping[tuple[str, bool], Sequence[str]] = field(repr=False, compare=False)


@dataclass(frozen=True)
class _Translated:
    """The pieces of a unit with their outputs, and these divided among the rows."""

    unit: PieceUnit
    split: bool
    outputs: Sequence[PieceOutput]
    rows: RowOutputs


def compare_documents(
    documents: TestDocuments,
    units: Sequence[PieceUnit],
    whole: Sequence[Sequence[PieceOutput]],
    split: Sequence[Sequence[PieceOutput]],
    tokenize: str,
    *,
    resamples: int = 1000,
    seed: int = 1,
) -> DocumentComparison:
    """Compare the outputs of each unit's pieces, `whole` and `split`, with those of the rows alone.

    The first unit is the rows. `tokenize` is a sacreBLEU tokenizer. The bootstrap is seeded.
    """
    alone = [output.text for output in whole[0]]
    measure = Measure(documents, alone, tokenize, resamples=resamples, seed=seed)
    everything = np.arange(len(documents.rows))

    def translated(unit: PieceUnit, outputs: Sequence[PieceOutput], is_split: bool) -> _Translated:
        texts = _divided(documents, unit, [output.text for output in outputs])
        return _Translated(unit, is_split, outputs, measure.count(texts))

    in_pieces = [translated(*pair, False) for pair in zip(units, whole, strict=True)]
    by_sentence = [
        translated(unit, outputs, True)
        for unit, outputs, same in zip(units, split, whole, strict=True)
        if outputs != same
    ]
    joined = [
        documents.separators[1].join(alone[row] for row in document.rows)
        for document in documents.documents
    ]
    again = measure.count(_divided(documents, PieceUnit(DOCUMENTS, documents.documents), joined))
    order = {unit.name: number for number, unit in enumerate(units)}
    found = sorted([*in_pieces, *by_sentence], key=lambda t: (order[t.unit.name], t.split))
    return DocumentComparison(
        documents,
        tuple(_by_unit(one, measure.compare([(one.rows, everything)])) for one in found),
        tuple(_by_length(in_pieces, measure)),
        tuple(_by_place(documents, in_pieces, measure)),
        measure.compare([(again, everything)]),
        measure.draws_documents,
        {(one.unit.name, one.split): one.rows.texts for one in found},
    )


def _divided(documents: TestDocuments, unit: PieceUnit, outputs: Sequence[str]) -> list[str]:
    """Return the output of each row."""
    texts = []
    for piece, output in zip(unit.pieces, outputs, strict=True):
        texts += segment_output(output, [documents.rows[row].target for row in piece.rows])
    return texts


def _by_unit(translated: _Translated, compared: Compared) -> ByUnit:
    words = [piece.words for piece in translated.unit.pieces]
    outputs = translated.outputs
    return ByUnit(
        translated.unit.name,
        translated.split,
        len(words),
        sum(words) / len(words),
        max(words),
        sum(not output.finished and not output.looping for output in outputs),
        sum(output.looping for output in outputs),
        compared,
    )


def _by_length(translated: Sequence[_Translated], measure: Measure) -> Iterator[ByLength]:
    """Yield the buckets that have pieces. A piece that is in several units counts once."""
    for bucket in PIECE_BUCKETS:
        seen: set[Piece] = set()
        parts: list[SomeRows] = []
        for one in translated:
            pieces = [p for p in one.unit.pieces if bucket.holds(p.words) and p not in seen]
            seen.update(pieces)
            parts.append((one.rows, _numbers(row for piece in pieces for row in piece.rows)))
        if seen:
            yield ByLength(bucket, len(seen), measure.compare(parts))


def _by_place(
    documents: TestDocuments, translated: Sequence[_Translated], measure: Measure
) -> Iterator[ByPlace]:
    """Yield the fifths of each unit whose rows are mostly in pieces of at least five rows.

    The rows of shorter pieces are left out.
    """
    for one in translated:
        pieces = [piece for piece in one.unit.pieces if len(piece.rows) >= FIFTHS]
        if 2 * sum(len(piece.rows) for piece in pieces) < len(documents.rows):
            continue
        places = [_fifths(documents, piece) for piece in pieces]
        rows = _numbers(row for piece in pieces for row in piece.rows)
        fifths = _numbers(fifth for found in places for fifth in found)
        for fifth in range(1, FIFTHS + 1):
            if len(there := rows[fifths == fifth]):
                yield ByPlace(one.unit.name, fifth, measure.compare([(one.rows, there)]))


def _fifths(documents: TestDocuments, piece: Piece) -> Iterator[int]:
    """Yield the fifth of the piece, by source words, that the middle of each row is in."""
    done = 0
    for row in piece.rows:
        words = count_words(documents.rows[row].source)
        yield min(FIFTHS, 1 + int(FIFTHS * (done + words / 2) / max(1, piece.words)))
        done += words


def _numbers(values: Iterator[int]) -> _Numbers:
    return np.fromiter(values, np.int64)
