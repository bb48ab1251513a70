"""Parquet and Arrow: names with dots, types of strings, damage. Others are in `test_pairs`."""

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import ipc, parquet

from longspan.training.errors import DataError
from longspan.training.pairs.columns import Columns
from longspan.training.pairs.pairs import read_pairs


def write_stream(table, path):
    with ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table)


def write_file(table, path):
    with ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)


FORMATS = [parquet.write_table, write_stream, write_file]


@pytest.fixture(params=FORMATS, ids=["parquet", "stream", "file"])
def written(request, tmp_path):
    def write(table):
        request.param(table, str(tmp_path / "x"))
        return tmp_path / "x"

    return write


def sides(path, columns=None):
    return [(pair.source, pair.target) for pair in read_pairs(path, columns)]


EN, JA = ["one", "two"], ["一", "二"]
EXPECTED = list(zip(EN, JA, strict=True))


def structs(*names):
    return pyarrow.StructArray.from_arrays([pyarrow.array(JA), pyarrow.array(EN)], names)


@pytest.mark.parametrize(
    "table",
    [
        pyarrow.table({"s.ja": JA, "s.en": EN}),
        pyarrow.table({"a.b": structs("ja", "en")}),
        pyarrow.table({"id": [1, 2], "pair": structs("t.ja", "t.en")}),
        pyarrow.table({"x.y": structs("ja.JP", "en.US"), "x": [[1], [2]]}),
        pyarrow.table({"en": pyarrow.array(EN).dictionary_encode(), "ja": JA}),
        pyarrow.table({"en": pyarrow.array(EN, pyarrow.large_string()), "ja": JA}),
        pyarrow.table([pyarrow.array(c) for c in (JA, EN, [1, 2])], names=["ja", "en", "x"]),
    ],
    ids=range(7),
)
def test_names_with_dots_and_types_of_strings(written, table):
    path = written(table)
    columns = None
    if "x.y" in table.column_names:
        columns = Columns(source="x.y.en.US", target="x.y.ja.JP")
    assert sides(path, columns) == EXPECTED


def test_a_struct_and_a_column_of_one_name_are_told_apart_or_refused(written):
    path = written(pyarrow.table({"a": structs("ja", "en"), "a.en": EN}))
    with pytest.raises(DataError, match=r"one column in en, got a\.en, a\.en"):
        sides(path)
    path = written(pyarrow.table({"a": structs("ja", "x"), "a.en": EN}))
    assert sides(path) == EXPECTED


def test_null_structs_are_rows_without_strings(written):
    pairs = pyarrow.array([{"en": "one", "ja": "一"}, None])
    path = written(pyarrow.table({"tr.x": pairs}))
    with pytest.raises(DataError, match=r"x:2: malformed row: has no string"):
        sides(path)


@given(place=st.integers(0, 2000), wrong=st.binary(min_size=1, max_size=8))
def test_damage_gives_rows_or_one_clear_error(tmp_path_factory, place, wrong):
    folder = tmp_path_factory.mktemp("damaged")
    for number, write in enumerate(FORMATS):
        path = folder / str(number)
        write(pyarrow.table({"en": EN * 9, "ja": JA * 9}), str(path))
        content = bytearray(path.read_bytes())
        place %= len(content)
        content[place : place + len(wrong)] = wrong
        path.write_bytes(content)
        complaint = str(path)
        try:
            sides(path)
        except DataError as error:
            complaint = str(error)
        assert str(path) in complaint
