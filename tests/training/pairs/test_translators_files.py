"""TMX, XLIFF and PO: the files of translators."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.training.errors import DataError
from longspan.training.pairs.columns import Columns
from longspan.training.pairs.pairs import StrictListener, read_pairs
from longspan.training.preparation.cleaning import unusable

GERMAN = Columns(source_language="en", target_language="de")


class Heard(StrictListener):
    def __init__(self):
        self.problems = []

    def problem(self, problem):
        self.problems.append((int(problem.origin.rsplit(":", 1)[1]), problem.rule))


def read(tmp_path, content, name, columns=GERMAN, listener=None):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_pairs(path, columns, listener=listener))


def sides(*arguments, **more):
    return [(pair.source, pair.target) for pair in read(*arguments, **more)]


def tmx(*units, languages=("en", "de"), start='<?xml version="1.0"?>'):
    rows = "".join(
        "<tu>"
        + "".join(
            f'<tuv xml:lang="{language}"><seg>{text}</seg></tuv>'
            for language, text in zip(languages, unit, strict=True)
        )
        + "</tu>\n"
        for unit in units
    )
    return f'{start}\n<tmx version="1.4"><header/><body>\n{rows}</body></tmx>\n'


def xliff(units, source="en", target="de"):
    target = f' target-language="{target}"' if target else ""
    return (
        '<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">\n'
        f'<file original="a" source-language="{source}"{target}><body>\n'
        f"{units}</body></file></xliff>"
    )


def xliff2(units, version="2.0"):
    return (
        f'<xliff version="{version}" xmlns="urn:oasis:names:tc:xliff:document:{version}" '
        'xmlns:mtc="urn:oasis:names:tc:xliff:matches:2.0" srcLang="en" trgLang="de-AT">'
        f'<file id="f">\n{units}</file></xliff>'
    )


@pytest.mark.parametrize(
    ("there", "asked"),
    [
        (("en_GB", "de_AT"), ("en", "de")),
        (("eng", "ger"), ("en", "de")),
        (("EN", "DE"), ("en-GB", "de-AT")),
        (("de-AT", "en-GB"), ("de", "en")),
    ],
)
def test_languages_of_tmx(tmp_path, there, asked):
    columns = Columns(source_language=asked[0], target_language=asked[1])
    assert sides(tmp_path, tmx(("a", "b"), languages=there), "x.tmx", columns) == [("a", "b")]


def test_another_territory_is_another_language(tmp_path):
    columns = Columns(source_language="en-US", target_language="de")
    with pytest.raises(DataError, match="needs en-US and de segments, has de, en-gb"):
        read(tmp_path, tmx(("a", "b"), languages=("en-GB", "de")), "x.tmx", columns)


CODES = [
    ('Press <bpt i="1">&lt;b&gt;</bpt>Go<ept i="1">&lt;/b&gt;</ept>.', "Press Go."),
    ('one<ph type="lb"/>two', "one two"),
    ('one <ph type="lb">&lt;p&gt;</ph> two', "one two"),
    ("one<ph>&lt;BR /&gt;</ph>two", "one two"),
    ("one<ph>\n</ph>two", "one two"),
    ("one<it pos='end'>\\n</it>two", "one two"),
    ("re<ph>&lt;b&gt;</ph>do", "redo"),
    ("re<x id='1'/>do<bx id='2'/>", "redo"),
    ("a <hi>red <hi>and</hi></hi> blue", "a red and blue"),
    ("a <g id='1'>red</g> one", "a red one"),
    ("see <ph>&lt;a t='<sub>the <it>x</it>note</sub>'&gt;</ph>.", "see the note."),
    ("a<!-- no -->b<?no?>c", "abc"),
    ("  one\n   two ", "one two"),
]


@pytest.mark.parametrize(("segment", "text"), CODES)
def test_inline_codes(tmp_path, segment, text):
    pairs = sides(tmp_path, tmx((segment, "x" + segment)), "x.tmx")
    assert pairs[0][0] == text
    assert pairs[0][1].replace(" ", "") == "x" + text.replace(" ", "")
    unit = f"<trans-unit id='1'><source>{segment}</source><target>x</target></trans-unit>"
    assert sides(tmp_path, xliff(unit), "x.xlf") == [(text, "x")]


WRONG = ["&#x1F;", "&#0;", "&#31;", "&#xD800;", "&#xFFFF;", "\x01", "\x0b"]


@pytest.mark.parametrize("wrong", WRONG)
def test_one_wrong_character_costs_its_unit(tmp_path, wrong):
    content = tmx(("one", "eins"), (f"two{wrong}", "zwei"), ("three &#65;", "drei"))
    pairs = read(tmp_path, content, "x.tmx")
    assert [unusable(pair) for pair in pairs] == [None, "control characters", None]
    assert pairs[2].source == "three A"
    unit = "<trans-unit id='1'><source>{}</source><target>x</target></trans-unit>\n"
    pairs = read(tmp_path, xliff(unit.format("a") + unit.format(wrong + "b")), "x.xlf")
    assert [unusable(pair) for pair in pairs] == [None, "control characters"]


def test_a_wrong_byte_of_utf8_costs_its_unit(tmp_path):
    content = tmx(("one", "eins"), ("two", "zwXei")).encode().replace(b"X", b"\xfc")
    pairs = read(tmp_path, content, "x.tmx")
    assert [unusable(pair) for pair in pairs] == [None, "invalid UTF-8"]


@given(place=st.integers(0, 9), step=st.integers(1, 9))
def test_a_wrong_reference_between_two_chunks(place, step):
    from longspan.training.pairs.markup import elements, inline_text

    content = tmx(("x" * place + "a&#x1f;b", "c")).encode()
    chunks = [content[i : i + step] for i in range(0, len(content), step)]
    (unit,) = (
        [inline_text(segment) for segment in unit.iter("seg")]
        for unit in elements(content, iter(chunks), "x", ("tu",))
    )
    assert unit == ["x" * place + "a\x1ab", "c"]


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-16-le", b""),
        ("iso-8859-1", b""),
        ("windows-1252", b""),
    ],
)
def test_encodings_of_xml(tmp_path, encoding, mark):
    declared = encoding.removesuffix("-le").removesuffix("-be")
    start = f'<?xml version="1.0" encoding="{declared}"?>'
    content = mark + tmx(("one", "für"), start=start).encode(encoding)
    assert sides(tmp_path, content, "x.tmx") == [("one", "für")]


def test_a_wrong_declaration_of_utf16_is_ignored(tmp_path):
    content = tmx(("one", "für"), start='<?xml version="1.0" encoding="UTF-16"?>')
    assert sides(tmp_path, content, "x.tmx") == [("one", "für")]


def test_an_entity_without_declaration_costs_its_unit(tmp_path):
    start = '<?xml version="1.0"?><!DOCTYPE tmx SYSTEM "tmx14.dtd">'
    heard = Heard()
    content = tmx(("a&nbsp;b", "c"), ("d", "e"), start=start)
    assert sides(tmp_path, content, "x.tmx", listener=heard) == [("d", "e")]
    assert heard.problems == [(3, "malformed row")]


def test_units_of_xliff(tmp_path):
    unit = "<trans-unit id='1'{}><source>{}</source>{}</trans-unit>\n"
    units = [
        unit.format("", "one", "<target>eins</target>"),
        unit.format("", "two", ""),
        unit.format("", "three", "<target/>"),
        unit.format(' translate="no"', "four", "<target>four</target>"),
        unit.format("", "five", "<target state='needs-translation'>five</target>"),
        unit.format("", "six", "<alt-trans><source>6</source><target>VI</target></alt-trans>"),
        "<group translate='no'>" + unit.format("", "x", "<target>x</target>") + "</group>",
        "<group>" + unit.format("", "seven", "<target state='final'>sieben</target>") + "</group>",
        unit.format("", "eight", "<target xml:lang='fr'>huit</target>"),
    ]
    heard = Heard()
    pairs = sides(tmp_path, xliff("".join(units)), "x", listener=heard)
    assert pairs == [("one", "eins"), ("seven", "sieben")]
    untranslated = "untranslated"
    lines = [4, 5, 6, 7, 8, 9]
    assert heard.problems[:6] == [(line, untranslated) for line in lines]
    assert [rule for _, rule in heard.problems[6:]] == ["malformed row"]


def test_segments_of_xliff(tmp_path):
    mark = "<mrk mtype='seg' mid='{}'>{}</mrk>"
    source = " ".join(mark.format(n, f"Text {n}.") for n in range(3))
    target = mark.format(2, "Satz 2.") + mark.format(0, "<g id='1'>Satz</g> 0.")
    unit = (
        f"<trans-unit id='1'><source>All.</source><seg-source>{source}</seg-source>"
        f"<target>{target}</target></trans-unit>"
    )
    heard = Heard()
    pairs = sides(tmp_path, xliff(unit), "x.sdlxliff", listener=heard)
    assert pairs == [("Text 0.", "Satz 0."), ("Text 2.", "Satz 2.")]
    assert [rule for _, rule in heard.problems] == ["untranslated"]


@pytest.mark.parametrize("version", ["2.0", "2.2"])
def test_xliff_2(tmp_path, version):
    units = """
<unit id="1">
 <originalData><data id="d1">&lt;br/&gt;</data><data id="d2">&lt;b&gt;</data></originalData>
 <segment>
  <source>one<ph id="1" dataRef="d1"/>more</source>
  <target>eins<ph id="1" dataRef="d1"/>mehr</target>
 </segment>
 <ignorable><source> </source></ignorable>
 <segment state="final">
  <source>a <pc id="2" dataRefStart="d2">red</pc> one</source>
  <target>ein <mrk id="m">rotes</mrk></target>
 </segment>
 <mtc:matches>
  <mtc:match ref="#1"><source>no</source><target>nein</target></mtc:match>
 </mtc:matches>
</unit>
<unit id="2"><segment><source>none</source></segment></unit>
<unit id="3"><segment>
 <source>x<ph id="1" type="fmt" subType="xlf:lb"/>y<sc id="4"/></source><target>z</target>
</segment></unit>
<unit id="4"><segment>
 <source>bad <cp hex="0001"/></source><target>schlecht</target>
</segment></unit>
"""
    heard = Heard()
    pairs = read(tmp_path, xliff2(units, version), "x.xml", listener=heard)
    assert [(p.source, p.target) for p in pairs[:3]] == [
        ("one more", "eins mehr"),
        ("a red one", "ein rotes"),
        ("x y", "z"),
    ]
    assert unusable(pairs[3]) == "control characters"
    assert [rule for _, rule in heard.problems] == ["untranslated"]


def test_directions_of_xliff(tmp_path):
    unit = "<trans-unit id='1'><source>{}</source><target>{}</target></trans-unit>"
    reverse = xliff(unit.format("eins", "one"), "de-CH", "en")
    assert sides(tmp_path, reverse, "x.xlf") == [("one", "eins")]
    assert sides(tmp_path, xliff(unit.format("one", "eins"), "en", ""), "x.xlf") == [
        ("one", "eins")
    ]
    with pytest.raises(DataError, match="needs en to de, is en to fr"):
        read(tmp_path, xliff(unit.format("one", "un"), "en", "fr"), "x.xlf")


def test_other_xml_is_named(tmp_path):
    content = '<?xml version="1.0"?>\n<!-- <xliff> -->\n<!DOCTYPE TS>\n<TS version="2.1"></TS>'
    for name in ("x.ts", "x.tmx"):
        with pytest.raises(DataError, match=r"x\..*root element <TS>"):
            read(tmp_path, content, name)


@pytest.mark.parametrize("name", ["x.tmx", "x.xlf", "x.po"])
def test_a_file_without_a_translation_is_refused_beside_others(tmp_path, name):
    contents = {
        "x.tmx": tmx(("one", "un"), languages=("en", "fr")),
        "x.xlf": xliff("<trans-unit id='1'><source>one</source></trans-unit>"),
        "x.po": 'msgid "one"\nmsgstr ""\n',
    }
    good, empty = tmp_path / "good.tsv", tmp_path / name
    good.write_text("one\teins\n", encoding="utf-8")
    empty.write_text(contents[name], encoding="utf-8")
    with pytest.raises(DataError, match=rf"{name}: expected pairs, got none \(1 could not be read"):
        list(read_pairs([good, empty], GERMAN, listener=Heard()))


PO = r"""
# A comment
msgid ""
msgstr ""
"Language: {language}\n"
"Content-Type: text/plain; charset={charset}\n"
"Plural-Forms: {forms}\n"

#: a.c:1
msgctxt "menu"
msgid "Open "
"the file"
msgstr "Datei öffnen"

#, fuzzy
msgid "Close"
msgstr "Schließen?"

msgid "Save"
msgstr ""

#~ msgid "Old"
#~ msgstr "Alt"

msgid "First\nsecond\n"
msgstr "Erste\nzweite\n"

msgid "%d file"
msgid_plural "%d files"
{plural}
"""
TWO = 'msgstr[0] "%d Datei"\nmsgstr[1] "%d Dateien"'
TWO_FORMS = "nplurals=2; plural=(n != 1);"


def catalog(language="de", charset="UTF-8", forms=TWO_FORMS, plural=TWO):
    return PO.format(language=language, charset=charset, forms=forms, plural=plural)


@pytest.mark.parametrize("charset", ["UTF-8", "ISO-8859-1", "CHARSET"])
def test_po(tmp_path, charset):
    heard = Heard()
    encoding = "utf-8" if charset == "CHARSET" else charset
    content = catalog(charset=charset).encode(encoding)
    assert sides(tmp_path, content, "x", listener=heard) == [
        ("Open the file", "Datei öffnen"),
        ("First second", "Erste zweite"),
        ("%d file", "%d Datei"),
        ("%d files", "%d Dateien"),
    ]
    assert [rule for _, rule in heard.problems] == ["untranslated"] * 3


@pytest.mark.parametrize(
    ("language", "forms", "plural", "expected"),
    [
        ("ja", "nplurals=1; plural=0;", 'msgstr[0] "%d冊"', [("%d files", "%d冊")]),
        ("ja", "", 'msgstr[0] "%d冊"', [("%d files", "%d冊")]),
        (
            "ru@latin",
            "nplurals=3; plural=n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 "
            "&& (n%100<10 || n%100>=20) ? 1 : 2;",
            'msgstr[0] "%d fajl"\nmsgstr[1] "%d fajla"\nmsgstr[2] "%d fajlov"',
            [("%d file", "%d fajl"), ("%d files", "%d fajlov")],
        ),
        (
            "ar",
            "nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 "
            ": n%100>=11 ? 4 : 5;",
            "\n".join(f'msgstr[{n}] "form {n}"' for n in range(6)),
            [("%d file", "form 1"), ("%d files", "form 5")],
        ),
    ],
)
def test_plurals_of_po(tmp_path, language, forms, plural, expected):
    columns = Columns(source_language="en", target_language=language.split("@")[0])
    content = catalog(language, forms=forms, plural=plural)
    assert sides(tmp_path, content, "x.po", columns, Heard())[2:] == expected


def test_languages_of_po(tmp_path):
    back = Columns(source_language="de", target_language="en-US")
    assert sides(tmp_path, catalog("de_AT.UTF-8"), "x.po", back, Heard())[0] == (
        "Datei öffnen",
        "Open the file",
    )
    other = Columns(source_language="de", target_language="fr")
    for columns in (other, Columns(source_language="de", target_language="es")):
        with pytest.raises(DataError, match=r"x\.po: expected a catalog from de to .* to de;"):
            read(tmp_path, catalog(), "x.po", columns, Heard())


def test_wrong_bytes_of_po_cost_their_message(tmp_path):
    messages = [("one", "eiXns"), ("a\u2028b\x0cc", "d"), ("two", "zwei")]
    content = "".join(f'msgid "{one}"\nmsgstr "{other}"\n\n' for one, other in messages)
    pairs = read(tmp_path, content.encode().replace(b"X", b"\xff"), "x.po")
    assert [unusable(pair) for pair in pairs] == ["invalid UTF-8", "control characters", None]


def test_a_broken_po_file_names_the_line(tmp_path):
    with pytest.raises(DataError, match=r"x\.po:2: .*got: msgstr oops"):
        read(tmp_path, 'msgid "one"\nmsgstr oops\n', "x.po")
