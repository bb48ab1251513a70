"""A comparison of documents in pieces, made by hand: the second half of each document is lost."""

from longspan.inference.evaluation.documents.comparison import (
    DocumentComparison,
    compare_documents,
)
from longspan.inference.evaluation.documents.output import PieceOutput
from longspan.inference.evaluation.documents.pieces import read_documents, units_of
from longspan.training.pairs.pairs import Pair

__all__ = ["compared_documents"]


def compared_documents() -> DocumentComparison:
    """Compare two documents of twelve rows, in one piece and split."""
    pairs = [
        Pair(f"the {n} cats of {d} sleep", f"die {n} Katzen von {d} schlafen .", f"d{d}", n)
        for d in range(2)
        for n in range(12)
    ]
    documents = read_documents(pairs)
    units = units_of(documents, (20,))
    split = [[PieceOutput(documents.reference(piece)) for piece in unit.pieces] for unit in units]
    whole = [
        [
            PieceOutput(text if len(piece.rows) < 12 else text[: len(text) // 2])
            for piece, text in zip(unit.pieces, map(documents.reference, unit.pieces), strict=True)
        ]
        for unit in units
    ]
    return compare_documents(documents, units, whole, split, "none", resamples=5)
