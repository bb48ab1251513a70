"""Parameters: declarations, and the values that an execution is started with."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.infra.local.control.api import ValidationError
from longspan.infra.local.pipeline.definition.parameters import (
    bind,
    parameter_text,
    read_parameters,
)

DECLARED = [
    {"Name": "Text", "Type": "String", "DefaultValue": "a"},
    {"Name": "Count", "Type": "Integer", "DefaultValue": 0},
    {"Name": "Rate", "Type": "Float", "DefaultValue": 1},
    {"Name": "On", "Type": "Boolean", "DefaultValue": False},
    {"Name": "Needed", "Type": "String", "EnumValues": ["x", "y"]},
]


def bound(**given: str) -> dict[str, Any]:
    values = [{"Name": name, "Value": value} for name, value in given.items()]
    return bind(read_parameters(DECLARED), values)


def test_defaults_stand_where_nothing_is_given() -> None:
    assert bound(Needed="x") == {"Text": "a", "Count": 0, "Rate": 1, "On": False, "Needed": "x"}


def test_values_get_their_types() -> None:
    found = bound(Needed="y", Count="-3", Rate="2", On="True", Text="4")
    assert found == {"Text": "4", "Count": -3, "Rate": 2.0, "On": True, "Needed": "y"}
    assert [parameter_text(value) for value in found.values()] == ["4", "-3", "2.0", "true", "y"]


@given(st.integers(), st.floats(allow_nan=False), st.booleans(), st.text())
def test_what_is_shown_can_be_given_again(count: int, rate: float, on: bool, text: str) -> None:
    found = bound(
        Needed="x",
        Count=parameter_text(count),
        Rate=parameter_text(rate),
        On=parameter_text(on),
        Text=parameter_text(text),
    )
    assert (found["Count"], found["Rate"], found["On"], found["Text"]) == (count, rate, on, text)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, r"\['Needed'\] have no default value"),
        ({"Needed": "z"}, "expected one of x, y, got 'z'"),
        ({"Needed": "x", "Other": "1"}, "Unknown pipeline parameter 'Other'. .*Text, Count"),
        ({"Needed": "x", "Count": "1.5"}, "'Count': expected type Integer, got '1.5'"),
        ({"Needed": "x", "Rate": "high"}, "'Rate': expected type Float"),
        ({"Needed": "x", "On": "yes"}, "'On': expected type Boolean"),
    ],
)
def test_wrong_values_are_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        bound(**given)


def test_a_value_given_twice_is_refused() -> None:
    twice = [{"Name": "Text", "Value": "a"}] * 2
    with pytest.raises(ValidationError, match="'Text' is given twice"):
        bind(read_parameters(DECLARED), twice)


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"Name": "a b", "Type": "String"}, "Name 'a b' must match"),
        ({"Name": "A", "Type": "Text"}, "must be one of String, Integer, Float, Boolean"),
        ({"Name": "A"}, "Missing required property 'Type'"),
        ({"Name": "A", "Type": "Integer", "DefaultValue": "1"}, "must be of type Integer, got '1'"),
        ({"Name": "A", "Type": "Integer", "DefaultValue": True}, "must be of type Integer"),
        ({"Name": "A", "Type": "Integer", "DefaultValue": 1.5}, "must be of type Integer"),
        ({"Name": "A", "Type": "Boolean", "DefaultValue": 1}, "must be of type Boolean"),
        ({"Name": "A", "Type": "String", "EnumValues": ["a"], "DefaultValue": "b"}, "one of a"),
        ({"Name": "A", "Type": "Integer", "EnumValues": ["1"]}, "only a String has EnumValues"),
        ({"Name": "A", "Type": "String", "Default": "b"}, "unknown property 'Default'"),
        ("A", "Expecting start of Json Object"),
    ],
)
def test_wrong_declarations_are_refused(declared: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        read_parameters([declared])


def test_a_name_is_declared_once() -> None:
    with pytest.raises(ValidationError, match="Duplicate parameter name 'A'"):
        read_parameters([{"Name": "A", "Type": "String"}] * 2)
