"""Validated values, and what `mistakes` says of wrong ones."""

import math
import pickle
from typing import Annotated, Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from longspan.training.mistakes import Mistake, allowed_values, mistakes_of
from longspan.training.values import (
    Count,
    FileFormat,
    JsonDocument,
    Settings,
    Values,
    Words,
    field_of,
    parse_json,
    require_names,
)


class Part(Values):
    size: int = Field(1, ge=1, le=9)
    names: list[str] = Field(default_factory=list)


class Whole(Values):
    part: Part | None = None
    share: float = Field(0.5, ge=0, lt=1)


class Choice(Settings):
    refusal: ClassVar[type[Exception]] = KeyError

    kind: Literal["one", "two"] = Field("one", description="which")
    count: int | None = Field(None, ge=2, description="how many")
    share: float = Field(0.5, ge=0, lt=1, description="how much")
    on: bool = Field(False, description="whether")
    tongue: Annotated[str, Words("a language")] = Field("en", description="in what")


class File(JsonDocument):
    loss: float
    parts: dict[str, Count]


class Deep(JsonDocument):
    flag: bool = False
    text: str = ""
    number: float | None = None
    texts: list[str] = Field(default_factory=list)
    counts: list[Count] = Field(default_factory=list)
    files: dict[str, File] = Field(default_factory=dict)
    rows: list[File] = Field(default_factory=list)


def mistakes(values: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Whole.model_validate(values)
    return [str(mistake) for mistake in mistakes_of(caught.value, Whole)]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"part": {"size": True}}, "part.size: expected an integer from 1 to 9, got true"),
        ({"part": {"size": 1.0}}, "part.size: expected an integer from 1 to 9, got 1.0"),
        ({"part": {"size": "1"}}, "part.size: expected an integer from 1 to 9, got '1'; take the"),
        ({"part": {"names": ["a", 3]}}, "part.names[1]: expected a text, got 3"),
        ({"part": [1]}, "part: expected an object, got a list"),
        ({"part": {"sise": 1}}, "part.sise: no such key; did you mean size?"),
        ({"a[": 1}, "a[: no such key; known here: part, share"),
        ({"str": 1}, "str: no such key; known here: part, share"),
        ({"size": 1}, "size: no such key here; it belongs to part"),
        ({"share": math.nan}, "share: expected a number from 0 to below 1, got nan"),
        ({"share": 1}, "share: expected a number from 0 to below 1, got 1"),
        ([], "expected an object, got a list"),
    ],
)
def test_a_mistake_names_place_and_what_belongs_there(values: Any, said: str) -> None:
    [line] = mistakes(values)
    assert line.startswith(said)


def test_every_mistake_is_told() -> None:
    assert len(mistakes({"part": {"size": 0, "names": 1}, "share": "x"})) == 3


@given(st.dictionaries(st.text(), st.from_type(object) | st.none() | st.text()))
def test_messages_of_any_values_are_lines_without_addresses(values: dict[str, Any]) -> None:
    try:
        Choice(**{name: value for name, value in values.items() if name != "self"})
    except KeyError as error:
        [line] = error.args
        assert line.isprintable()
        assert "pydantic" not in line


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"kind": "three"}, "KIND: expected one | two, got 'three'"),
        ({"count": "1"}, "count: expected an integer of at least 2 or none, got '1'"),
        ({"count": "2.0"}, "count: expected an integer of at least 2 or none, got '2.0'"),
        ({"share": "inf"}, "share: expected a number from 0 to below 1, got 'inf'"),
        ({"on": "yes"}, "on: expected true | false, got 'yes'"),
    ],
)
def test_a_wrong_text_is_told_as_it_was_given(texts: dict[str, str], said: str) -> None:
    with pytest.raises(KeyError) as caught:
        Choice.from_texts(texts, {"kind": "KIND"})
    assert caught.value.args == (said,)


def test_texts_are_read_by_the_types_of_their_fields() -> None:
    read = Choice.from_texts({"kind": "two", "count": "none", "share": "0", "on": "True"})
    assert read == Choice(kind="two", share=0.0, on=True)
    assert type(read.share) is float


def test_a_copy_is_checked_again_and_the_first_stays() -> None:
    first = Choice(count=3)
    assert first.replace(count=None) == Choice()
    assert first.count == 3
    with pytest.raises(KeyError, match="count"):
        first.replace(count=1)
    with pytest.raises(ValidationError):
        first.count = 4  # type: ignore[misc]


def test_settings_survive_a_pickle() -> None:
    assert pickle.loads(pickle.dumps(Choice(count=3))) == Choice(count=3)


def test_words_stand_for_what_a_type_cannot_say() -> None:
    assert allowed_values(Choice.model_fields["tongue"]) == "a language"


def test_a_document_ignores_what_it_does_not_know_and_takes_a_loss_that_diverged() -> None:
    content = b'{"loss": NaN, "parts": {"a": 0}, "newer": []}'
    assert math.isnan(File.parse(content).loss)
    assert File.checked(content)["newer"] == []
    assert File.checked_list(b"[]") == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "got an empty file"),
        (b'{"a": 1,\n"b', "got invalid JSON at line 2 (Unterminated string starting at)"),
        (b"\xff\xfe\x00", "got bytes that are not UTF-8"),
        (b"[" * 100_000, "got JSON that is nested too deeply"),
        (b'{"a": ' + b"1" * 5_000 + b"}", "got an integer of too many digits"),
        (b"null", "expected an object, got null"),
        (b"true", "expected an object, got true"),
        (b'"x"', "expected an object, got 'x'"),
        (b"[]", "expected an object, got a list"),
        (b'{"loss": 1, "parts": {"a": -1}}', "parts.a: expected at least 0, got -1"),
        (b'{"loss": 1, "parts": {"a": true}}', "parts.a: expected an integer, got true"),
        (b'{"parts": {}}', "loss: is missing"),
    ],
)
def test_a_damaged_document_is_one_line(content: bytes, said: str) -> None:
    for read in (File.parse, File.checked):
        with pytest.raises(ValueError, match=r".") as caught:
            read(content)
        assert str(caught.value) == said


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"flag": 1}, "flag: expected true | false, got 1"),
        ({"text": 3}, "text: expected a text, got 3"),
        ({"number": "1"}, "number: expected a number or null, got '1'; take the quotes away"),
        ({"number": True}, "number: expected a number or null, got true"),
        ({"texts": ["a", 1]}, "texts[1]: expected a text, got 1"),
        ({"counts": 3}, "counts: expected a list, got 3"),
        ({"counts": [0, -1]}, "counts[1]: expected at least 0, got -1"),
        ({"counts": [0.0]}, "counts[0]: expected an integer, got 0.0"),
        ({"files": []}, "files: expected an object, got a list"),
        ({"files": {"a b": 3}}, "files.a b: expected an object, got 3"),
        ({"files": {"a": {"parts": {}}}}, "files.a.loss: is missing"),
        ({"rows": {}}, "rows: expected a list, got an object"),
        ({"rows": [{"loss": None, "parts": {}}]}, "rows[0].loss: expected a number, got null"),
    ],
)
def test_a_value_of_another_kind_is_named(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        Deep.read(values)
    assert str(caught.value) == said


def test_values_of_a_document_are_as_they_are_written() -> None:
    content = b'{"flag": true, "text": "x", "number": 1, "counts": [0, 1], "files": {}}'
    read = Deep.parse(content)
    assert (read.flag, read.text, read.number, read.counts) == (True, "x", 1.0, [0, 1])
    assert Deep.read({"number": None}).number is None
    assert FileFormat.read(parse_json(b'{"format": 9, "text": 3}')).format == 9


def test_names_that_are_looked_up_are_required() -> None:
    require_names("deep.files", {"a": 0, "b": None}, ("b",))
    with pytest.raises(ValueError, match=r"^deep\.files\.c: is missing$"):
        require_names("deep.files", {"a": 0}, ("a", "c", "d"))


def test_a_field_of_another_model_keeps_default_bounds_and_description() -> None:
    class Other(Values):
        amount: float = field_of(Choice, "share")

    assert Other().amount == 0.5
    assert Other.model_fields["amount"].description == "how much"
    with pytest.raises(ValidationError):
        Other(amount=1.0)


def test_a_mistake_is_seen_from_the_section_around_it() -> None:
    assert str(Mistake(("pairs", 1), "is missing").below("data")) == "data.pairs[1]: is missing"
