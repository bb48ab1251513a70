"""One JSON array of all objects; objects one a line are in `test_pairs`."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.training.errors import DataError
from longspan.training.pairs.columns import Columns
from longspan.training.pairs.json_rows import read_json
from longspan.training.pairs.pairs import read_pairs


def refuse(*problem):
    raise AssertionError(problem)


TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    rows=st.lists(st.tuples(TEXT, TEXT), min_size=1),
    indent=st.sampled_from([None, 0, 2]),
    ascii_only=st.booleans(),
    step=st.integers(1, 50),
)
def test_an_array_in_any_layout_and_any_chunks(rows, indent, ascii_only, step):
    items = [{"id": n, "tr": {"ja": ja, "en": en}} for n, (en, ja) in enumerate(rows)]
    content = json.dumps(items, indent=indent, ensure_ascii=ascii_only).encode()
    chunks = (content[i : i + step] for i in range(0, len(content), step))
    found = list(read_json(content[:step] + content[step:], chunks, "x", Columns(), refuse))
    assert [(row.source, row.target) for row in found] == rows
    assert [row.line for row in found] == list(range(1, len(rows) + 1))


def read(tmp_path, content, columns=None):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    return [(pair.source, pair.target) for pair in read_pairs(path, columns)]


def test_arrays_within_an_array(tmp_path):
    content = b'[["x", "one", "1"],\n["y", "two", "2"]]'
    assert read(tmp_path, content, Columns(source=2, target=3)) == [("one", "1"), ("two", "2")]


def test_a_first_array_may_name_the_columns(tmp_path):
    rows = b'["7", "1", "one"]\n["8", "2", "two"]\n'
    expected = [("one", "1"), ("two", "2")]
    assert read(tmp_path, b'["id", "ja_JP", "English"]\n' + rows) == expected
    assert read(tmp_path, b'[["id", "jpn", "eng"],' + rows.strip().replace(b"\n", b",") + b"]") == (
        expected
    )
    with pytest.raises(DataError, match="id, out, in; name the columns"):
        read(tmp_path, b'["id", "out", "in"]\n' + rows)
    with pytest.raises(DataError, match=r"x\.json:4: malformed row: has 2 field"):
        read(tmp_path, b'["id", "ja_JP", "English"]\n' + rows + b'["one", "1"]')


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'[{"en": "a", "ja": "b"},\n{"en": "c" "ja": "d"}]', r"x\.json:2: .*delimiter"),
        (b'[{"en": "a", "ja": "b"}\n', r"x\.json:2: .*instead of \]"),
        (b'[{"en": "a", "ja": "b"},', r"x\.json:1: expected items of a JSON array"),
        (b'{"data":\n[{"en": "a", "ja": "b"}]}', r"x\.json:1: expected one JSON object a line"),
    ],
)
def test_a_damaged_array_names_the_line(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, content)
