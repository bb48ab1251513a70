"""Documents of a test's rows, and the pieces that they are translated in."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.inference.evaluation.documents.pieces import read_documents, units_of
from longspan.training.pairs.pairs import Pair


def rows(*documents, joined=False):
    """Rows of (document, line) with three words each."""
    return [Pair("a b c", "あいう", name, line, joined=joined) for name, line in documents]


def spans(pieces):
    return [(piece.start, piece.end) for piece in pieces]


def unit(units, name):
    return next(one for one in units if one.name == name)


@pytest.mark.parametrize(
    ("places", "documents"),
    [
        ([("a", None), ("a", None), ("b", None)], [(0, 2), (2, 3)]),
        ([("a", 1), ("a", 2), ("b", 3)], [(0, 2), (2, 3)]),
        # A line that is missing: the text has a gap there.
        ([("a", 1), ("a", 2), ("a", 4)], [(0, 2), (2, 3)]),
        ([("a", 2), ("a", 1)], [(0, 1), (1, 2)]),
        ([("a", 1), ("a", 1), ("a", 2)], [(0, 3)]),
        ([(None, None), (None, None)], [(0, 1), (1, 2)]),
        ([("a", 1), ("b", 1), ("a", 2)], [(0, 1), (1, 2), (2, 3)]),
    ],
)
def test_a_document_is_consecutive_rows(places, documents):
    assert spans(read_documents(rows(*places)).documents) == documents


def test_pairs_that_were_joined_are_left_out():
    pairs = rows(("a", 1), ("a", 2)) + rows(("a", 1), joined=True)
    assert len(read_documents(pairs).rows) == 2


def test_rows_of_one_line_are_a_paragraph():
    units = units_of(read_documents(rows(("a", 1), ("a", 1), ("a", 2), ("a", 3), ("a", 3))), ())
    assert spans(unit(units, "paragraphs").pieces) == [(0, 2), (2, 3), (3, 5)]
    assert [one.name for one in units] == ["rows", "paragraphs", "documents"]


def test_units_with_the_same_pieces_are_one():
    alone = read_documents(rows(("a", 1), ("b", 1)))
    assert [one.name for one in units_of(alone, (30,))] == ["rows"]
    short = read_documents(rows(("a", 1), ("a", 2)))
    assert [one.name for one in units_of(short, (500, 6))] == ["rows", "6 words"]


def test_texts_are_joined_as_their_languages_are_written():
    pairs = [
        Pair("A cat sleeps here.", "猫がここで眠っている。", "a", 1),
        Pair("It is very old now.", "今ではとても古い猫である。", "a", 2),
    ]
    documents = read_documents(pairs)
    (whole,) = documents.documents
    assert documents.source(whole) == "A cat sleeps here. It is very old now."
    assert documents.reference(whole) == "猫がここで眠っている。今ではとても古い猫である。"


LENGTHS = st.lists(st.integers(0, 60), min_size=1, max_size=40)


@given(st.lists(LENGTHS, min_size=1, max_size=4), st.integers(1, 200))
def test_every_unit_has_every_row_once_and_no_piece_of_two_documents(lengths, size):
    pairs = [
        Pair(" ".join("w" * n), "y", f"d{number}", line)
        for number, document in enumerate(lengths)
        for line, n in enumerate(document)
    ]
    documents = read_documents(pairs)
    for one in units_of(documents, (size,)):
        assert [row for piece in one.pieces for row in piece.rows] == list(range(len(pairs)))
        for piece in one.pieces:
            assert len({pairs[row].document for row in piece.rows}) == 1
            assert piece.words == sum(len(pairs[row].source.split()) for row in piece.rows)


@given(LENGTHS, st.integers(30, 200))
def test_groups_are_of_about_the_size(lengths, size):
    pairs = [Pair(" ".join("w" * n), "y", "d", line) for line, n in enumerate(lengths)]
    documents = read_documents(pairs)
    total = sum(lengths)
    found = [one for one in units_of(documents, (size,)) if one.words == size]
    if not found:
        return
    wanted = total / max(1, round(total / size))
    # A bound is off by half of the row that it falls into, at either end of a group.
    assert all(piece.words <= wanted + max(lengths) for piece in found[0].pieces)
    assert all(low.end == high.start for low, high in pairwise(found[0].pieces))
