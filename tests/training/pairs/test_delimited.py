"""TSV and CSV: quotes, delimiters, blank ends, single wrong bytes."""

import bz2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.training.errors import DataError
from longspan.training.pairs.columns import Columns
from longspan.training.pairs.pairs import StrictListener, read_pairs


class Heard(StrictListener):
    def __init__(self):
        self.problems = []

    def problem(self, problem):
        self.problems.append((problem.origin.rsplit(":", 1)[1], problem.rule, problem.detail))


def read(tmp_path, content, name="x.csv", columns=None, listener=None):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [(p.source, p.target) for p in read_pairs(path, columns, listener=listener)]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_with_each_delimiter(tmp_path, mark):
    rows = [["ja", "en"], ['"猫, 犬; 鳥"', "cats, dogs"], ["一", '"say ""hi"""']]
    if mark == ",":
        rows[1][1] = f'"{rows[1][1]}"'
    content = "".join(mark.join(row) + "\r\n" for row in rows)
    expected = [("cats, dogs", "猫, 犬; 鳥"), ('say "hi"', "一")]
    assert read(tmp_path, "\ufeff" + content) == expected


def test_csv_without_a_header(tmp_path):
    assert read(tmp_path, "one,一\ntwo,二\n") == [("one", "一"), ("two", "二")]


def test_wrong_records_of_csv_are_reported_with_their_lines(tmp_path):
    heard = Heard()
    content = b'en,ja\n"a" b,c\nt\xffo,z\n"two\nlines",x\nalone\n\none,"y\n'
    assert read(tmp_path, content, listener=heard) == [("two\nlines", "x")]
    assert [(line, rule) for line, rule, _ in heard.problems] == [
        ("2", "malformed row"),
        ("3", "invalid UTF-8"),
        ("6", "malformed row"),
        ("7", "malformed row"),
        ("8", "malformed row"),
    ]
    assert "up to line 8" in heard.problems[-1][2]


def test_a_quoted_tsv_loses_its_quotes(tmp_path):
    content = '"ja"\t"en"\n"一"\t"one ""1"""\n"二"\t"two\tmore"\n'
    expected = [('one "1"', "一"), ("two\tmore", "二")]
    assert read(tmp_path, content, "x.tsv") == expected
    rows = [(f"number {n}", f"{n}番") for n in range(20)]
    content = "".join(f'"{source}"\t"{target}"\n' for source, target in rows)
    assert read(tmp_path, content, "x.tsv") == rows
    assert read(tmp_path, "en\tja\n" + content, "x.tsv") == rows


def test_quotes_of_the_text_stay(tmp_path):
    rows = [('"Yes."', '"はい。"'), ('"No," he said.', "違う"), ('a "b"', "c")]
    content = "".join(f"{source}\t{target}\n" for source, target in rows)
    assert read(tmp_path, content, "x.tsv") == rows
    assert read(tmp_path, "en\tja\n" + content, "x.tsv") == rows


@pytest.mark.parametrize(
    ("name", "row"),
    [("x.tsv", "one\t一"), ("x.csv", "one,一"), ("x.jsonl", '{"en": "one", "ja": "一"}')],
)
def test_blank_lines_at_the_end_are_no_rows(tmp_path, name, row):
    assert read(tmp_path, f"{row}\n\n", name) == [("one", "一")]
    assert read(tmp_path, f"{row}\n\n  \r\n\n", name) == [("one", "一")]
    heard = Heard()
    assert len(read(tmp_path, f"\n{row}\n\n\n{row}\n\n", name, listener=heard)) == 2
    assert [(line, rule) for line, rule, _ in heard.problems] == [
        (line, "malformed row") for line in "134"
    ]


@pytest.mark.parametrize("before", [0, 9000])
@pytest.mark.parametrize(
    ("name", "row"),
    [("x.tsv", "on{}e\t一"), ("x.csv", "on{}e,一"), ("x.jsonl", '{{"en": "on{}e", "ja": "一"}}')],
)
def test_a_zero_byte_costs_one_row_wherever_it_is(tmp_path, name, row, before):
    rows = [row.format("")] * before + [row.format("\0"), row.format("")]
    found = read(tmp_path, "\n".join(rows), name)
    assert [source for source, _ in found] == ["one"] * before + ["on\0e", "one"]


def test_bzip2_of_several_streams_and_cut_off(tmp_path):
    content = b"".join(bz2.compress(f"one {n}\t{n}\n".encode()) for n in range(3))
    assert read(tmp_path, content, "x.tsv.bz2") == [(f"one {n}", str(n)) for n in range(3)]
    for damaged in (content[:-9], content[:30] + b"xxxx" + content[34:]):
        with pytest.raises(DataError, match="damaged or cut-off"):
            read(tmp_path, damaged)


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
        (b"%PDF-1.7\n", "PDF"),
        (b"SQLite format 3\0", "SQLite"),
        (b"x" * 257 + b"ustar\0", "tar"),
        (b"\xde\x12\x04\x95", "PO"),
    ],
)
def test_other_files_are_named(tmp_path, start, kind):
    with pytest.raises(DataError, match=kind):
        read(tmp_path, start + b"a\tb\n" * 99, "x.dat")


FIELD = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1).map("x{}".format)


@given(rows=st.lists(st.tuples(FIELD, FIELD), min_size=1), mark=st.sampled_from(",;\t"))
def test_quoted_csv_is_read_back(tmp_path_factory, rows, mark):
    quoted = [[f'"{text.replace(chr(34), chr(34) * 2)}"' for text in row] for row in rows]
    content = "".join(mark.join(row) + "\n" for row in [['"en"', '"ja"'], *quoted])
    assert read(tmp_path_factory.mktemp("csv"), content) == rows
    path = tmp_path_factory.mktemp("tsv")
    if mark == "\t":
        assert read(path, content, "x.tsv", Columns(header="yes")) == rows
