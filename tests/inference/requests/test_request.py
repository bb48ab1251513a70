"""What an invocation's bytes mean."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.inference.refusals import BadRequest, TooLong
from longspan.inference.requests.bodies import parse_request
from longspan.inference.requests.options import Options
from longspan.inference.requests.request import Request, RequestItem

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["text", "source", "instances", "data", "configuration", "stream"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def read(value: object, content_type: str = "application/json") -> Request:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return parse_request(body, content_type)


def test_the_built_ins_json():
    request = read(
        {
            "instances": [
                {"data": "a b", "configuration": {"attention_matrix": "true"}},
                {"data": "c"},
            ]
        }
    )
    assert request.wrapping == "predictions"
    assert request.items == (
        RequestItem("a b", Options(alignment=True), built_in=True),
        RequestItem("c", built_in=True),
    )


def test_one_configuration_for_all_instances_and_one_of_its_own():
    request = read(
        {
            "instances": [{"data": "a", "configuration": {"beam_size": 2}}, {"data": "b"}],
            "configuration": {"beam_size": 3},
        }
    )
    assert [item.options.beam_size for item in request.items] == [2, 3]


def test_plain_objects_and_lists():
    assert read({"text": "a", "beam_size": 2}) == Request(
        (RequestItem("a", Options(beam_size=2)),), wrapping="one"
    )
    assert read({"text": ["a", "b"], "n_best": 2}).items == (
        RequestItem("a", Options(n_best=2)),
        RequestItem("b", Options(n_best=2)),
    )
    assert read(["a", {"text": "b"}, {"source": "c"}]) == Request(
        (RequestItem("a"), RequestItem("b"), RequestItem("c", built_in=True)), wrapping="list"
    )
    assert read({"text": []}).items == read([]).items == read({"instances": []}).items == ()
    assert read({"text": "a", "stream": True}).stream


def test_json_lines():
    request = read(b'{"source": "a"}\n{"text": "b", "beam_size": 1}\r\n"c"\n', "application/jsonl")
    assert request.items == (
        RequestItem("a", built_in=True),
        RequestItem("b", Options(beam_size=1)),
        RequestItem("c"),
    )


def test_csv_has_one_column_and_its_own_quotes():
    request = read(b'"a, b"\nc\n\n"d ""e""\nf"\n', "text/csv")
    assert [item.text for item in request.items] == ["a, b", "c", "", 'd "e"\nf']
    headed = read(b"text\na\n", "text/csv; header=present")
    assert [item.text for item in headed.items] == ["a"]


def test_text_is_a_text_a_line():
    texts = [item.text for item in read("a b\n\n日本\u2028語\r\n".encode(), "text/plain").items]
    assert texts == ["a b", "", "日本\u2028語"]
    assert [item.text for item in read(b"", "text/plain").items] == [""]


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (b"", "application/json", "empty body"),
        (b"  \n", "application/jsonlines", "empty body"),
        (b"\xff\xfe", "text/plain", "expected UTF-8, got byte 0xff at offset 0"),
        (b'{"text": "a"', "application/json", "expected JSON"),
        (b"[" * 100_000, "application/json", "JSON"),
        (b'{"text": NaN}', "application/json", "NaN is not a JSON number"),
        (b'{"text": "a", "text": "b"}', "application/json", "occurs twice"),
        (b'"a"', "application/json", "got a string"),
        (b"7", "application/json", "got a number"),
        (b"null", "application/json", "got null"),
        (b"{}", "application/json", "got an empty object"),
        (b'{"txt": "a"}', "application/json", "'txt'"),
        (b'{"text": 5}', "application/json", "the body: text: expected a string, got a number"),
        (b'{"text": ["a", null]}', "application/json", "text[1]: expected a string, got null"),
        (b'{"text": "a", "stream": 1}', "application/json", "stream: expected true | false, got 1"),
        (b'{"text": "a", "beam_sise": 5}', "application/json", "did you mean beam_size"),
        (b'{"instances": {}}', "application/json", "instances: expected a list"),
        (b'{"instances": ["a"]}', "application/json", "instances[0]: expected a JSON object"),
        (b'{"instances": [{}]}', "application/json", "instances[0]"),
        (b'{"instances": [{"data": 1}]}', "application/json", "instances[0].data"),
        (b'{"instances": [], "text": "a"}', "application/json", "'text'"),
        (b'{"instances":[{"data":"a","configuration":[]}]}', "application/json", "got a list"),
        (
            b'{"instances":[{"data":"a","configuration":{"attention_matrix":"yes"}}]}',
            "application/json",
            "instances[0].configuration: attention_matrix: expected",
        ),
        (
            b'{"instances":[{"data":"a","configuration":{"attention_matrix":"true","alignment":true}}]}',
            "application/json",
            "the same",
        ),
        (b'{"text": "\\ud800"}', "application/json", "text 1: expected Unicode text"),
        (b'{"text": "a"}\n{"text":', "application/jsonlines", "line 2: expected JSON"),
        (b"a,b\n", "text/csv", "line 1: expected one column of text, got 2"),
        (b'ok\n"a\n', "text/csv", "expected CSV"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    body: bytes, content_type: str, message: str
):
    with pytest.raises(BadRequest) as refused:
        parse_request(body, content_type)
    assert message in str(refused.value)


@given(st.binary(max_size=200), st.sampled_from(["application/json", "text/csv", "text/plain"]))
def test_any_bytes_are_understood_or_refused(body: bytes, content_type: str):
    with contextlib.suppress(BadRequest):
        assert parse_request(body, content_type).items is not None


@given(JSON_VALUES, st.sampled_from(["application/json", "application/jsonlines"]))
def test_any_json_is_understood_or_refused(value: object, content_type: str):
    with contextlib.suppress(BadRequest):
        read(json.dumps(value).encode(), content_type)


def test_a_csv_field_may_be_as_long_as_the_body():
    long = "w1, " * 50_000
    assert read(f'"{long}"\nw2\n'.encode(), "text/csv").items == (
        RequestItem(long),
        RequestItem("w2"),
    )


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'["a", "b", "c"]', "application/json"),
        (b'{"text": ["a", "b", "c"]}', "application/json"),
        (b'{"instances": [{"data": "a"}, {"data": "b"}, {"data": "c"}]}', "application/json"),
        (b'"a"\n"b"\n"c"\n', "application/jsonlines"),
        (b"text\na\nb\nc\n", "text/csv; header=present"),
        (b"a\nb\nc\n", "text/plain"),
    ],
)
def test_more_texts_than_the_limit_are_refused(body: bytes, content_type: str):
    assert len(parse_request(body, content_type).items) == 3
    assert len(parse_request(body, content_type, 3).items) == 3
    with pytest.raises(TooLong, match="at most 2 texts, got 3 or more; send them in several"):
        parse_request(body, content_type, 2)


@pytest.mark.parametrize("unit", ["[],", "0,", '"",', '{"text":"a"},', '["a"],'])
def test_a_large_body_of_too_many_values_is_refused_unread(unit: str):
    body = b"[" + unit.encode() * (2_000_000 // len(unit)) + b'"a"'  # no JSON: its end is missing
    with pytest.raises(TooLong, match="at most 100 texts, got far more JSON values"):
        parse_request(body, "application/json", 100)


def test_a_large_body_of_few_texts_is_read():
    text = '{"a,b": [1, 2]} ' * 100_000 + "\\"
    assert parse_request(json.dumps({"text": text}).encode(), None, 1).items == (RequestItem(text),)
    with pytest.raises(BadRequest, match="expected JSON"):
        parse_request(b'{"text": "' + rb"\"" * 1_000_000, None, 1)


LINES = "application/jsonlines"


def test_an_id_of_a_json_line_is_carried_to_the_answer():
    body = b'{"id": "a-1", "text": "x"}\n{"source": "y", "id": 2.5, "beam_size": 3}\n{"text": "z"}'
    items = read(body, LINES).items
    assert [dict(item.carried) for item in items] == [{"id": "a-1"}, {"id": 2.5}, {}]
    assert [item.text for item in items] == ["x", "y", "z"]
    assert items[1].options == Options(beam_size=3)


@pytest.mark.parametrize("value", [[1], {"a": 1}])
def test_an_id_that_is_a_list_or_an_object_is_refused(value):
    with pytest.raises(BadRequest, match="line 2: id: expected a string or a number, got a"):
        read(b'{"text": "x"}\n' + json.dumps({"text": "y", "id": value}).encode(), LINES)


def test_another_key_of_a_json_line_is_refused_by_line_and_name():
    with pytest.raises(BadRequest) as refused:
        read(b'{"text": "x"}\n\n{"text": "y", "id": 1, "label": 3}', LINES)
    assert str(refused.value).startswith("line 3: label: ")
    assert "InputFilter" in str(refused.value)
    with pytest.raises(BadRequest) as wrong:
        read(b'{"text": "y", "beam_size": 0}', LINES)
    assert "InputFilter" not in str(wrong.value)


def test_empty_json_lines_are_left_out_and_lines_keep_their_numbers():
    body = b'\n{"text": "x"}\r\n  \n\n{"text": "y"}\n\n'
    assert [item.text for item in read(body, LINES).items] == ["x", "y"]
    with pytest.raises(BadRequest, match="line 5: expected JSON"):
        read(body.replace(b'{"text": "y"}', b"{"), LINES)
    with pytest.raises(BadRequest, match="empty body"):
        read(b"\n \n", LINES)
