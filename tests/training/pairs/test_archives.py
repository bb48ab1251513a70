"""ZIP archives as OPUS and Moses hand them out."""

import gzip
import io
import zipfile

import pytest

from longspan.training.errors import DataError
from longspan.training.pairs.pairs import read_pairs

TMX = (
    '<tmx version="1.4"><header/><body><tu><tuv xml:lang="en"><seg>three</seg></tuv>'
    '<tuv xml:lang="ja"><seg>三</seg></tuv></tu></body></tmx>'
)
MOSES = {"C.en-ja.ja": "一\n二\n", "C.en-ja.en": "one\ntwo\n"}


def packed(files, compression=zipfile.ZIP_DEFLATED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def read(tmp_path, files, name="x.zip"):
    path = tmp_path / name
    path.write_bytes(files if isinstance(files, bytes) else packed(files))
    return [(pair.source, pair.target) for pair in read_pairs(path)]


def test_parallel_files_with_what_is_beside_them(tmp_path):
    beside = {"README": "x", "LICENSE.txt": "x", "C.en-ja.xml": "<cesAlign/>", "C.en-ja.ids": "1"}
    expected = [("one", "一"), ("two", "二")]
    assert read(tmp_path, {**beside, **MOSES, "__MACOSX/._C": "x"}) == expected
    folded = {f"corpus/{name}": data for name, data in MOSES.items()}
    assert read(tmp_path, {"corpus/": "", **folded}, "no suffix") == expected


def test_origins_name_the_member(tmp_path):
    path = tmp_path / "x.zip"
    path.write_bytes(packed(MOSES))
    assert [pair.origin for pair in read_pairs(path)] == [
        f"{path}/C.en-ja.en:1",
        f"{path}/C.en-ja.en:2",
    ]


def test_files_of_all_formats_in_one_archive(tmp_path):
    import pyarrow
    from pyarrow import parquet

    table = io.BytesIO()
    parquet.write_table(pyarrow.table({"en": ["four"], "ja": ["四"]}), table)
    files = {
        **MOSES,
        "a.tmx": TMX,
        "b.parquet": table.getvalue(),
        "c.tsv.gz": gzip.compress("five\t五\n".encode()),
    }
    assert [source for source, _ in read(tmp_path, files)] == [
        "one",
        "two",
        "three",
        "four",
        "five",
    ]


def test_a_file_alone_may_have_any_name(tmp_path):
    assert read(tmp_path, {"corpus.dat": "one\t一\n", "README": "x"}) == [("one", "一")]


def test_an_archive_from_standard_input(monkeypatch):
    data = packed(MOSES, zipfile.ZIP_LZMA)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert [pair.source for pair in read_pairs("-")] == ["one", "two"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"C.de-fr.de": "x", "C.de-fr.fr": "y"}, r"NAME\.en and NAME\.ja .*C\.de-fr\.de"),
        ({**MOSES, "D.de-fr.fr": "y"}, r"got: D\.de-fr\.fr"),
        ({"C.en-ja.en": "x\n", "y.tsv": "a\tb\n"}, r"got: C\.en-ja\.en"),
        ({"README": "x"}, "got: none"),
        ({"word/document.xml": "x", "[Content_Types].xml": "x"}, "Office file"),
        ({"inner": packed(MOSES)}, r"x\.zip/inner: .*an archive; unpack it"),
        ({**MOSES, "empty.tsv": ""}, r"x\.zip/empty\.tsv: expected pairs, got none"),
        ({"C.en-ja.en": "x\n", "C.en-ja.ja": "x\ny\n"}, r"x\.zip/C\.en-ja\.ja:2: .*as many lines"),
        (packed(MOSES)[:-30], "can be read"),
        (packed(MOSES).replace(b"\x08\0", b"\x63\0"), "can be read"),
    ],
)
def test_other_archives_are_refused_by_name(tmp_path, files, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, files)


def test_damage_within_a_member_is_an_error(tmp_path):
    data = bytearray(packed({"x.tsv": "".join(f"{n * n}\t{n}\n" for n in range(999))}))
    data[100] ^= 0xFF
    with pytest.raises(DataError, match=r"x\.zip"):
        read(tmp_path, bytes(data))
