"""`line_chunks` of commands/translate.py: none lost, none late, bad bytes named."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.pipelines.commands.translate import line_chunks
from longspan.training.errors import DataError


@given(st.text(), st.lists(st.integers(0, 40)), st.integers(1, 5))
def test_lines_do_not_depend_on_the_blocks(text, cuts, most):
    data = text.encode()
    places = sorted({0, len(data), *(c for c in cuts if c < len(data))})
    blocks = [data[a:b] for a, b in itertools.pairwise(places)]
    chunks = list(line_chunks(blocks, "x", most))
    expected = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert [line for c in chunks for line in c] == [
        e.removesuffix(b"\r").decode() for e in expected
    ]
    assert all(0 < len(chunk) <= most for chunk in chunks)


def test_whole_lines_do_not_wait_for_the_next_block():
    asked = []

    def blocks():
        for block in (b"one\ntwo\nthr", b"ee\n", b"four"):
            asked.append(block)
            yield block

    chunks = line_chunks(blocks(), "x", 10)
    assert next(chunks) == ["one", "two"]
    assert len(asked) == 1
    assert list(chunks) == [["three"], ["four"]]


def test_bytes_that_are_not_text_are_named_after_the_lines_before_them():
    chunks = line_chunks([b"a\nb\n", b"c\nd\xff\ne\n"], "in.txt", 10)
    assert next(chunks) == ["a", "b"]
    assert next(chunks) == ["c"]
    with pytest.raises(DataError, match=r"in\.txt:4: expected UTF-8 text, got byte 0xff"):
        next(chunks)
