import pytest

from longspan.training.fields import Fields, parse_json


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "an empty file"),
        (b'{"a": 1,\n"b', r"no JSON from line 2 on \(Unterminated string"),
        (b"\xff\xfe\x00", "bytes that are no text"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_is_named(content, reason):
    with pytest.raises(ValueError, match=reason):
        parse_json(content)


@pytest.mark.parametrize(
    ("content", "came"), [(b"[1]", "a list"), (b"null", "null"), (b"true", "true"), (b'"x"', "'x'")]
)
def test_what_is_no_object_is_named(content, came):
    with pytest.raises(ValueError, match=f"^{came} in place of an object"):
        Fields.parse(content)


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (lambda f: f.integer("gone"), "one without gone"),
        (lambda f: f.integer("text"), "text 'x' in place of a whole number from 0 on"),
        (lambda f: f.integer("flag"), "flag true in place of a whole number"),
        (lambda f: f.integer("number", 4), "number 3 in place of a whole number from 4 on"),
        (lambda f: f.text("number"), "number 3 in place of a text"),
        (lambda f: f.flag("number"), "number 3 in place of true or false"),
        (lambda f: f.fields("list"), "list a list in place of an object"),
        (lambda f: f.integers("number"), "number 3 in place of a list of whole numbers"),
        (lambda f: f.integers("mixed"), "mixed a list in place of a list of whole numbers"),
        (lambda f: f.number("text"), "text 'x' in place of a number"),
        (lambda f: f.number_or_null("flag"), "flag true in place of a number"),
        (lambda f: f.texts("mixed"), "mixed a list in place of a list of texts"),
        (lambda f: f.objects("number"), "number 3 in place of a list of objects"),
        (lambda f: f.objects("mixed"), r"mixed\[0\] 1 in place of an object"),
        (lambda f: f.fields("deep").integer("gone"), "one without deep.gone"),
        (lambda f: f.fields("deep").integer("n"), "deep.n 'x' in place of a whole number"),
        (lambda f: dict(f.fields("deep").each()), "deep.n 'x' in place of an object"),
    ],
)
def test_a_value_of_another_kind_is_named(ask, reason):
    fields = Fields(
        {
            "text": "x", "flag": True, "number": 3, "list": [], "mixed": [1, -1],
            "deep": {"n": "x"},
        }
    )  # fmt: skip
    with pytest.raises(ValueError, match=reason):
        ask(fields)


def test_values_come_as_they_are():
    fields = Fields.parse(b'{"a": {"n": 3, "t": "x", "f": false, "l": [0, 1]}}').fields("a")
    assert (fields.integer("n"), fields.text("t"), fields.flag("f")) == (3, "x", False)
    assert fields.integers("l") == [0, 1]


def test_numbers_and_objects_come_as_they_are():
    fields = Fields({"n": 0.5, "none": None, "l": [{"t": "x"}], "texts": ["a"]})
    assert (fields.number("n"), fields.number_or_null("n")) == (0.5, 0.5)
    assert fields.number_or_null("none") is None
    assert fields.texts("texts") == ["a"]
    assert [one.text("t") for one in fields.objects("l")] == ["x"]
    assert [name for name, _ in Fields({"a": {}, "b": {}}).each()] == ["a", "b"]
