"""First rows: columns named by languages, columns that are unclear, and rows of text."""

import pytest

from longspan.training.errors import DataError
from longspan.training.pairs.columns import Columns
from longspan.training.pairs.pairs import read_pairs


def read(tmp_path, content, columns=None, name="x.tsv"):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return [(pair.source, pair.target) for pair in read_pairs(path, columns)]


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        ("de-AT\tfr-FR", ("fr", "de")),
        ("deu\tfra", ("fr", "de")),
        ("DE\tFR_ca", ("fr", "de")),
        ("German\tFrench", ("fr", "de")),
        ("Deutsch\tfrançais", ("fr", "de")),
        ("Allemand\tFrançais", ("fr", "de")),
        ("German (Austria)\tfr", ("fr", "de")),
        ("한국어\tрусский", ("ru", "ko")),
        ("text.de\ttext.fr", ("fr", "de")),
        ("de\tfr", ("fr-CA", "de-CH")),
        ("trg\tsrc", ("fr", "de")),
    ],
)
def test_columns_are_found_whatever_their_order(tmp_path, header, languages):
    source, target = languages
    columns = Columns(source_language=source, target_language=target)
    assert read(tmp_path, f"{header}\neins\tun\n", columns) == [("un", "eins")]


def test_columns_beside_the_texts(tmp_path):
    rows = "Key\tfr_FR\tde_DE\tscore\n7\tun\teins\t0.5\n"
    columns = Columns(source_language="fr", target_language="de")
    assert read(tmp_path, rows, columns) == [("un", "eins")]
    indonesian = Columns(source_language="en", target_language="id")
    assert read(tmp_path, "ID\ten\tid_ID\n7\tone\tsatu\n", indonesian) == [("one", "satu")]
    assert read(tmp_path, "id\ten\nsatu\tone\n", indonesian) == [("one", "satu")]


@pytest.mark.parametrize(
    "header",
    [
        "German\tJapanese",
        "id\tphrase\tit",
        "ID\tA\tB",
        "en\t和文",
        "Source\tÜbersetzung",
        "English text\tText 2",
        "src_text\tout",
        "sentence1\tsentence2",
        "en\tnl-BE",
    ],
)
def test_an_unclear_header_is_refused_with_its_columns(tmp_path, header):
    with pytest.raises(DataError) as refusal:
        read(tmp_path, f"{header}\none\ttwo\tthree\n")
    message = str(refusal.value)
    assert "x.tsv:1: " in message
    assert ", ".join(header.split("\t")) in message
    assert "--header no" in message
    assert "--source-column and --target-column" in message


def test_an_unclear_header_is_read_as_asked(tmp_path):
    rows = "English\tItalian\none\tuno\n"
    assert read(tmp_path, rows, Columns(header="no")) == [("English", "Italian"), ("one", "uno")]
    named = Columns(source="Italian", target="English")
    assert read(tmp_path, rows, named) == [("uno", "one")]
    numbered = Columns(header="yes", source=2, target=1)
    assert read(tmp_path, rows, numbered) == [("uno", "one")]


@pytest.mark.parametrize(
    "row", ["Hello\tこんにちは", "Hi\tやあ", "Germany\tドイツ", "I see.\t分かった。", "10\t十"]
)
def test_phrases_stay_rows(tmp_path, row):
    assert read(tmp_path, row + "\n") == [tuple(row.split("\t"))]


def test_codes_beside_the_texts_of_each_row_are_no_header(tmp_path):
    rows = "1\teng\tGood day\tjpn\t今日は\n2\teng\tYes\tjpn\tはい\n"
    numbered = Columns(source=3, target=5)
    with pytest.raises(DataError, match="--header no"):
        read(tmp_path, rows, numbered)
    expected = [("Good day", "今日は"), ("Yes", "はい")]
    assert read(tmp_path, rows, numbered.replace(header="no")) == expected
    assert read(tmp_path, f"id\tlang\ttext\tlang\ttext\n{rows}", numbered) == expected


def test_two_columns_of_one_language_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"one column in en, got en_US, en_GB; .*--source-column"):
        read(tmp_path, "en_US\ten_GB\tja\na\tb\tc\n")
    assert read(tmp_path, "en_US\ten\tja\na\tb\tc\n") == [("b", "c")]


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"format: expected one of tsv, csv, .* got docx"):
        list(read_pairs(tmp_path / "x", format="docx"))
