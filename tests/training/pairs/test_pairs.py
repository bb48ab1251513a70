import gzip
import io
import json
import lzma
import resource

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from longspan.training.errors import DataError
from longspan.training.pairs.pairs import (
    FORMATS,
    Columns,
    Pair,
    join_document,
    read_pairs,
    split_document,
    write_tsv,
)
from longspan.training.pairs.rows import is_blank

TMX = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4"><header/><body>
<tu><prop type="x-document">d#4</prop>
  <tuv xml:lang="en-US"><seg>A <bpt i="1">&lt;b&gt;</bpt>cat<ept i="1">x</ept>.</seg></tuv>
  <tuv xml:lang="ja"><seg>猫。</seg></tuv></tu>
<tu><tuv xml:lang="en"><seg>Alone</seg></tuv></tu>
<tu><tuv xml:lang="JA"><seg>犬
    。</seg></tuv><tuv lang="en"><seg>Dog &amp; co</seg></tuv></tu>
</body></tmx>
"""


class Heard:
    def __init__(self):
        self.problems, self.bytes, self.records = [], 0, []

    def problem(self, problem):
        self.problems.append(problem)

    def read_bytes(self, count):
        self.bytes += count

    def finished(self, record):
        self.records.append(record)


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def sides(paths, *args, **kwargs):
    return [(pair.source, pair.target) for pair in read_pairs(paths, *args, **kwargs)]


@pytest.mark.parametrize(
    ("head", "columns"),
    [
        ("", Columns()),
        ("", Columns(source="1", target=2)),
        ("source\ttarget\n", Columns()),
        ("EN\tJapanese\n", Columns()),
        ("src\ttgt\n", Columns()),
        ("a\tb\n", Columns(source="a", target="b")),
        ("a\tb\n", Columns(header="yes", source="1", target="2")),
        ("\ufeffen\tja\n", Columns()),
    ],
)
def test_tsv_with_and_without_header(tmp_path, head, columns):
    path = write(tmp_path / "x.tsv", head + "one\t一\r\ntwo \t 二")
    assert sides(path, columns) == [("one", "一"), ("two ", " 二")]


def test_a_language_goes_before_a_column_that_is_named_source(tmp_path):
    path = write(tmp_path / "x.tsv", "source\tdoc\ten\tja\nwiki\tA#7\tone\t一\n")
    assert list(read_pairs(path)) == [Pair("one", "一", "A", 7, f"{path}:2")]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (Columns(source="german"), "source column named german, got the columns en, ja"),
        (Columns(source="en", target="fr"), "target column named fr"),
        (Columns(source="en", target="ja", document="doc"), "document column named doc"),
        (Columns(source=1, target=3), "target column named 3"),
        (Columns(source="1", target="7", header="no"), "target column 7, got 2"),
    ],
)
def test_a_missing_column_is_an_error_at_once(tmp_path, columns, message):
    path = write(tmp_path / "x.tsv", "en\tja\none\t一\n")
    with pytest.raises(DataError, match=message):
        next(read_pairs(path, columns))


def test_rows_that_cannot_be_read_are_reported_with_their_line(tmp_path):
    path = write(tmp_path / "x.tsv", b"en\tja\none\nt\xffo\ty\na\tb\tc\n\nten\tjuu\n")
    heard = Heard()
    assert sides(path, listener=heard) == [("ten", "juu")]
    assert [(p.origin, p.rule) for p in heard.problems] == [
        (f"{path}:2", "malformed row"),
        (f"{path}:3", "invalid UTF-8"),
        (f"{path}:4", "malformed row"),
        (f"{path}:5", "malformed row"),
    ]


def test_without_a_listener_a_broken_row_is_an_error(tmp_path):
    path = write(tmp_path / "x.tsv", "one\t一\ntwo\n")
    with pytest.raises(DataError, match=r"x\.tsv:2: malformed row"):
        list(read_pairs(path))


@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        lzma.compress,
        zstandard.compress,
        lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:]),
        lambda data: zstandard.compress(data[:9]) + zstandard.compress(data[9:]),
        lambda data: data,
    ],
)
def test_compression_is_found_by_the_first_bytes(tmp_path, pack):
    packed = pack("one\t一\ntwo\t二\n".encode() * 1000)
    path, heard = write(tmp_path / "any.name", packed), Heard()
    assert sides(path, listener=heard) == [("one", "一"), ("two", "二")] * 1000
    assert heard.bytes == heard.records[0].bytes == len(packed)
    assert heard.records[0].name == "any.name"


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, zstandard.compress])
def test_cut_off_compressed_data_is_an_error(tmp_path, pack):
    rows = "".join(f"row {i * i}\t行{i * 7}\n" for i in range(2000))
    path = write(tmp_path / "x.tsv", pack(rows.encode())[:-20])
    with pytest.raises(DataError, match=r"x\.tsv: expected whole compressed data"):
        list(read_pairs(path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (bytes(range(1, 32)) * 9, "binary data"),
        ("one\tone\n".encode("utf-16-le"), "UTF-16"),
        ("one\t一\n".encode("utf-16"), "UTF-16"),
        ("one\t一つ\n".encode("euc-jp") * 20, "20 of the first 20 rows"),
    ],
)
def test_a_file_that_is_no_text_is_an_error(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        list(read_pairs(write(tmp_path / "x.tsv", content)))


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"none\.tsv.*No such file"):
        list(read_pairs(tmp_path / "none.tsv"))


def test_parallel_files_are_recognised_by_their_language(tmp_path):
    english = write(tmp_path / "t.en.gz", gzip.compress(b"one\ntwo\n"))
    japanese = write(tmp_path / "t.ja", "一\n二\n")
    assert sides([japanese, english]) == [("one", "一"), ("two", "二")]
    others = [write(tmp_path / "a", b"x\n"), write(tmp_path / "b", b"y")]
    assert sides(others, format="parallel") == [("x", "y")]


def test_parallel_files_and_others_together(tmp_path):
    files = {"t.ja": "一\n", "x.tsv": "two\t二\n", "t.en": "one\n", "y.tsv": "three\t三\n"}
    paths = [write(tmp_path / name, content) for name, content in files.items()]
    assert sides(paths) == [("one", "一"), ("two", "二"), ("three", "三")]


def test_parallel_files_of_unequal_length_name_the_line(tmp_path):
    english = write(tmp_path / "t.en", "one\ntwo\nthree\n")
    japanese = write(tmp_path / "t.ja", "一\n二\n")
    with pytest.raises(DataError, match=r"t\.en:3: .*t\.ja ends after line 2"):
        list(read_pairs([english, japanese]))


def test_the_other_half_of_a_parallel_file_is_looked_for(tmp_path):
    english = write(tmp_path / "t.en", "one\n")
    write(tmp_path / "t.ja.gz", gzip.compress("一\n".encode()))
    assert sides(english) == [("one", "一")]
    with pytest.raises(DataError, match="once"):
        sides([english, english])


def test_a_parallel_file_without_its_other_half_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"t\.ja with it, got none"):
        list(read_pairs(write(tmp_path / "t.en", "one\n")))


def test_a_parallel_row_is_one_problem_though_both_sides_are_broken(tmp_path):
    paths = [write(tmp_path / f"t.{name}", b"\xff\nok\n") for name in ("en", "ja")]
    heard = Heard()
    assert sides(paths, listener=heard) == [("ok", "ok")]
    assert len(heard.problems) == 1


def test_json_lines(tmp_path):
    rows = [
        {"translation": {"en": "one", "ja": "一"}, "doc": "d#1"},
        {"doc": 5, "translation": {"ja": "二\n", "en": "two"}, "more": [1]},
        {"translation": {"en": "three"}},
        {"translation": {"en": "four", "ja": None}},
        "five",
    ]
    content = "".join(json.dumps(row) + "\n" for row in rows) + "{\n"
    path, heard = write(tmp_path / "x.jsonl", content), Heard()
    assert list(read_pairs(path, listener=heard)) == [
        Pair("one", "一", "d", 1, f"{path}:1"),
        Pair("two", "二\n", "5", None, f"{path}:2"),
    ]
    assert [p.origin for p in heard.problems] == [f"{path}:{n}" for n in (3, 4, 5, 6)]


def test_json_arrays_have_numbered_columns(tmp_path):
    path = write(tmp_path / "x", '["x", "one", "一"]\n')
    assert sides(path, Columns(source=2, target=3)) == [("one", "一")]


def test_a_missing_json_column_is_an_error_at_once(tmp_path):
    path = write(tmp_path / "x.jsonl", '{"en": "one", "fr": "un"}\n')
    with pytest.raises(DataError, match=r"target column .* got the columns en, fr"):
        list(read_pairs(path))


def test_parquet(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    broken = pyarrow.array([b"one", b"t\xff", b"three"]).cast(pyarrow.string(), safe=False)
    translation = pyarrow.StructArray.from_arrays(
        [broken, pyarrow.array(["一", "二", None])], ["en", "ja"]
    )
    table = pyarrow.table({"doc": ["d#1", "d#2", None], "translation": translation})
    path, heard = tmp_path / "x.bin", Heard()
    parquet.write_table(table, path)
    assert list(read_pairs(path, listener=heard)) == [Pair("one", "一", "d", 1, f"{path}:1")]
    assert [(p.origin, p.rule) for p in heard.problems] == [
        (f"{path}:2", "invalid UTF-8"),
        (f"{path}:3", "malformed row"),
    ]
    with pytest.raises(DataError, match="source column named fr"):
        list(read_pairs(path, Columns(source="fr")))


@pytest.fixture
def parquet_bytes():
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    content = io.BytesIO()
    parquet.write_table(pyarrow.table({"en": ["one", "two"], "ja": ["一", "二"]}), content)
    return content.getvalue()


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, zstandard.compress])
def test_compressed_parquet(tmp_path, parquet_bytes, pack):
    packed = pack(parquet_bytes)
    path, heard = write(tmp_path / "x.parquet.packed", packed), Heard()
    assert sides(path, listener=heard) == [("one", "一"), ("two", "二")]
    assert [(r.name, r.bytes) for r in heard.records] == [("x.parquet.packed", len(packed))]


def test_parquet_from_standard_input(monkeypatch, parquet_bytes):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(parquet_bytes)))
    pairs = list(read_pairs("-"))
    assert pairs == [Pair("one", "一", origin="stdin:1"), Pair("two", "二", origin="stdin:2")]


def test_no_room_to_unpack_parquet_names_the_folder(tmp_path, parquet_bytes):
    path = write(tmp_path / "x.parquet.gz", gzip.compress(parquet_bytes * 2000))
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limit[1]))
    try:
        with pytest.raises(DataError, match=r"x\.parquet\.gz: expected room .* TMPDIR"):
            sides(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)


def test_a_damaged_parquet_file_is_an_error(tmp_path):
    with pytest.raises(DataError, match="Parquet"):
        list(read_pairs(write(tmp_path / "x.parquet", b"PAR1 and no more")))


def test_tmx(tmp_path):
    path, heard = write(tmp_path / "x.xml", TMX), Heard()
    assert list(read_pairs(path, listener=heard)) == [
        Pair("A cat.", "猫。", "d", 4, f"{path}:4"),
        Pair("Dog & co", "犬 。", None, None, f"{path}:8"),
    ]
    assert [p.origin for p in heard.problems] == [f"{path}:7"]


def test_an_entity_declaration_in_tmx_is_refused(tmp_path):
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE tmx [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><tmx>&b;</tmx>'
    )
    with pytest.raises(DataError, match=r"x\.tmx:1: .*entity declarations"):
        list(read_pairs(write(tmp_path / "x.tmx", bomb)))


def test_broken_tmx_names_the_line(tmp_path):
    with pytest.raises(DataError, match=r"x\.tmx:2: .*well-formed"):
        list(read_pairs(write(tmp_path / "x.tmx", "<tmx>\n<tu></tmx>")))


def test_standard_input(monkeypatch):
    data = io.TextIOWrapper(io.BytesIO(gzip.compress("one\t一\n".encode())))
    monkeypatch.setattr("sys.stdin", data)
    assert list(read_pairs("-", format="tsv")) == [Pair("one", "一", origin="stdin:1")]


TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1)
PLACE = st.one_of(
    st.just((None, None)), st.tuples(TEXT, st.none()), st.tuples(TEXT, st.integers(0, 2**62 - 1))
)


@given(place=PLACE)
def test_document_and_line_survive_writing(place):
    assert split_document(join_document(*place)) == place


@given(rows=st.lists(st.tuples(TEXT, TEXT, PLACE, st.booleans())))
def test_tsv_is_read_back_as_it_was_written(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("tsv") / "x.tsv"
    pairs = [
        Pair(source, target, *place, f"{path}:{line}", joined)
        for line, (source, target, place, joined) in enumerate(rows, start=2)
    ]
    assert write_tsv(path, pairs, joined=True) == len(rows)
    if all(is_blank(pair.source) or is_blank(pair.target) for pair in pairs):
        with pytest.raises(DataError, match="expected pairs, got none"):
            list(read_pairs(path))
    else:
        assert list(read_pairs(path)) == pairs


def test_text_that_tsv_cannot_hold_is_refused(tmp_path):
    with pytest.raises(DataError, match="without tabs"):
        write_tsv(tmp_path / "x.tsv", [Pair("a\tb", "c")])


PARTS = (
    *(b"<xliff>", b"<trans-unit>", b"<source>a</source>", b"<target>b</target>", b"</trans-unit>"),
    *(
        b'msgid "a"\n',
        b'msgstr "b"\n',
        b"PK\x03\x04",
        b"BZh91AY&SY",
        b"ARROW1",
        b"\xff\xff\xff\xff",
    ),
    *(b'"a","b"\n', b'[{"en": "a", "ja": "b"}', b", ", b"]", b'"', b"&#x1F;", b"&#", b"&a;"),
    *(b"PAR1", b"<tmx>", b"<tu>", b"<tuv xml:lang='en'>", b"<seg>", b"</seg>", b"</tu>"),
    *(b"<?xml version='1.0' encoding='x'?>", b"en\tja\n", b"a\tb\n", b"\t", b"\n", b"\r\n"),
    *(b'{"en": "a", "ja": "b"}\n', b"[", b"{}", b'{"en": 1', b"\xff", b"\xef\xbb\xbf", b"\0"),
    *(b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"),
)
WILD = st.one_of(st.binary(), st.lists(st.sampled_from(PARTS)).map(b"".join))


@settings(max_examples=300, deadline=None)
@given(data=WILD, format=st.sampled_from([None, *(f for f in FORMATS if f != "parallel")]))
def test_any_bytes_give_pairs_or_one_clear_error(tmp_path_factory, data, format):
    path, heard = write(tmp_path_factory.mktemp("wild") / "x", data), Heard()
    pairs, complaint = [], str(path)
    try:
        pairs = list(read_pairs(path, format=format, listener=heard))
    except DataError as error:
        complaint = str(error)
    else:
        assert heard.records[0].bytes == len(data)
    assert str(path) in complaint
    assert all(pair.origin.startswith(f"{path}:") for pair in pairs)
