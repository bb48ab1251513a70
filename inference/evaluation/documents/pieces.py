"""Documents of a test, and the pieces that they are translated in.

    rows         |--|---|--|----|--|---|--|--|    each row of the test alone
    30 words     |-----|-----|-------|-------|    neighbours, about 30 source words together
    paragraphs   |--------|----------|-------|    rows that share one DOCUMENT#LINE
    documents    |---------------------------|    all rows of a document

Each unit covers all rows, so that its figures are of the same text as those of the rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from longspan.training.lengths import count_words
from longspan.training.pairs.pairs import Pair
from longspan.training.preparation.joining import separator_of

__all__ = ["ROWS", "Piece", "PieceUnit", "TestDocuments", "read_documents", "units_of"]

ROWS = "rows"
PARAGRAPHS = "paragraphs"
DOCUMENTS = "documents"


@dataclass(frozen=True)
class Piece:
    """Neighbouring rows of one document, translated as one text: rows `start` to `end`, less one.

    `words` are source words.
    """

    start: int
    end: int
    words: int

    @property
    def rows(self) -> range:
        """Numbers of the rows."""
        return range(self.start, self.end)


@dataclass(frozen=True)
class PieceUnit:
    """A way to divide all documents into pieces. `words` is the size aimed at, if there is one."""

    name: str
    pieces: tuple[Piece, ...]
    words: int | None = None


@dataclass(frozen=True)
class TestDocuments:
    """The rows of a test in order, and the documents that they form, as pieces."""

    rows: tuple[Pair, ...]
    documents: tuple[Piece, ...]
    separators: tuple[str, str]  # between two sources, and between two references

    # The name begins with "Test", but it is no test.
    __test__ = False

    def source(self, piece: Piece) -> str:
        """Return the source of a piece as one text."""
        return self.separators[0].join(self.rows[row].source for row in piece.rows)

    def reference(self, piece: Piece) -> str:
        """Return the reference of a piece as one text."""
        return self.separators[1].join(self.rows[row].target for row in piece.rows)


def read_documents(pairs: Sequence[Pair]) -> TestDocuments:
    """Return the documents of a test's pairs; pairs that were joined by `prepare` are left out.

    Neighbouring rows with the same document form one. With lines (`DOCUMENT#LINE`) they must be
    consecutive, because text with gaps is no text. A row without a document is one by itself.
    """
    rows = tuple(pair for pair in pairs if not pair.joined)
    starts = [
        number
        for number, row in enumerate(rows)
        if number == 0 or not _continues(rows[number - 1], row)
    ]
    separators = separator_of(row.source for row in rows), separator_of(row.target for row in rows)
    return TestDocuments(rows, tuple(_pieces(rows, starts, len(rows))), separators)


def units_of(documents: TestDocuments, words: Sequence[int]) -> list[PieceUnit]:
    """Return the rows, groups of about each number of `words`, paragraphs, and documents.

    A unit with the same pieces as another one is left out; so are paragraphs that are not marked.
    """
    rows = documents.rows
    units = [PieceUnit(ROWS, tuple(_pieces(rows, range(len(rows)), len(rows))))]
    units += [
        PieceUnit(f"{size} words", tuple(_grouped(documents, size)), size) for size in sorted(words)
    ]
    units.append(PieceUnit(PARAGRAPHS, tuple(_paragraphs(documents))))
    units.append(PieceUnit(DOCUMENTS, documents.documents))
    different: dict[tuple[Piece, ...], PieceUnit] = {}
    for unit in units:
        different.setdefault(unit.pieces, unit)
    return list(different.values())


def _continues(before: Pair, row: Pair) -> bool:
    if row.document is None or row.document != before.document:
        return False
    if row.position is None or before.position is None:
        return row.position == before.position
    # The same line again is the next sentence of one paragraph.
    return row.position - before.position in (0, 1)


def _pieces(rows: Sequence[Pair], starts: Sequence[int], end: int) -> Iterator[Piece]:
    """Yield a piece from each start to the next one, and from the last start to `end`."""
    for low, high in pairwise([*starts, end]):
        yield Piece(low, high, sum(count_words(row.source) for row in rows[low:high]))


def _paragraphs(documents: TestDocuments) -> Iterator[Piece]:
    rows = documents.rows
    for document in documents.documents:
        lines = [rows[row].position for row in document.rows]
        starts = [
            row
            for row, line, before in zip(document.rows, lines, [None, *lines], strict=False)
            if line is None or line != before
        ]
        yield from _pieces(rows, starts, document.end)


def _grouped(documents: TestDocuments, size: int) -> Iterator[Piece]:
    """Divide each document into pieces of as equal length as its rows allow, of about `size`.

    Equal lengths leave no short rest at the end of a document.
    """
    rows = documents.rows
    for document in documents.documents:
        count = max(1, round(document.words / size))
        starts, done, current = [document.start], 0, 0
        for row in document.rows:
            words = count_words(rows[row].source)
            # The middle of the row decides which side of a bound it is on.
            part = int((done + words / 2) * count / max(1, document.words))
            if part > current and row > document.start:
                starts.append(row)
            current = part
            done += words
        yield from _pieces(rows, starts, document.end)
