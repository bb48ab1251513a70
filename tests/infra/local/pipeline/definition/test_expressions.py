"""Expressions: references and values."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.infra.local.pipeline.definition.conditions import holds
from longspan.infra.local.pipeline.definition.expressions import (
    Reference,
    evaluate_expression,
    is_expression,
    parse_reference,
    references,
)
from longspan.infra.local.pipeline.definition.paths import Unresolved, look_up


class Table:
    """Values from a dict of texts; property files from another."""

    def __init__(self, values: Mapping[str, Any], files: Mapping[str, Any] | None = None) -> None:
        self._values = values
        self._files = files or {}

    def get(self, reference: Reference) -> Any:
        if reference.text not in self._values:
            raise Unresolved(reference.text)
        return self._values[reference.text]

    def property_file(self, reference: Reference) -> Any:
        return self._files[reference.text]

    def json_at(self, uri: str) -> Any:
        return self._files[uri]


def get(text: str) -> dict[str, str]:
    return {"Get": text}


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(PLAIN)
def test_what_has_no_expression_stays_as_it_is(value: Any) -> None:
    assert evaluate_expression(value, Table({})) == value
    assert list(references(value)) == []


@given(PLAIN, st.integers())
def test_an_expression_is_replaced_wherever_it_stands(around: Any, found: int) -> None:
    values = Table({"Parameters.X": found})
    nested = {"deep": [around, {"x": get("Parameters.X")}]}
    assert evaluate_expression(nested, values) == {"deep": [around, {"x": found}]}
    assert [reference.text for reference in references(nested)] == ["Parameters.X"]


@given(st.text(max_size=3), st.lists(st.text(max_size=4), max_size=5))
def test_join_joins(on: str, parts: list[str]) -> None:
    values = Table({f"Parameters.P{number}": part for number, part in enumerate(parts)})
    expression = [get(f"Parameters.P{number}") for number in range(len(parts))]
    joined = evaluate_expression({"Std:Join": {"On": on, "Values": expression}}, values)
    assert joined == on.join(parts)


def test_join_writes_numbers_and_booleans_as_json_does() -> None:
    parts = [1, 0.5, True, {"Std:Join": {"Values": ["a", False]}}]
    assert (
        evaluate_expression({"Std:Join": {"On": ",", "Values": parts}}, Table({}))
        == "1,0.5,true,afalse"
    )


def test_join_refuses_what_is_no_text() -> None:
    with pytest.raises(ValueError, match="got \\['a'\\]"):
        evaluate_expression({"Std:Join": {"Values": [["a"]]}}, Table({}))


def test_json_is_read_from_property_files_and_from_s3() -> None:
    report = {"gate": {"bleu": [1.5, 2.5]}}
    source = "Steps.Evaluate.PropertyFiles.Report"
    values = Table({"Parameters.Uri": "s3://b/k"}, {source: report, "s3://b/k/r": report})
    uri = {"Std:Join": {"On": "/", "Values": [get("Parameters.Uri"), "r"]}}
    for expression in (
        {"Std:JsonGet": {"PropertyFile": get(source), "Path": "gate.bleu[1]"}},
        {"Std:JsonGet": {"S3Uri": uri, "Path": "$.gate['bleu'][1]"}},
    ):
        assert evaluate_expression(expression, values) == 2.5
    with pytest.raises(Unresolved, match=r"no gate\.chrf; there are: bleu"):
        evaluate_expression(
            {"Std:JsonGet": {"PropertyFile": get(source), "Path": "gate.chrf"}}, values
        )


def test_a_reference_has_its_parts() -> None:
    found = parse_reference("Steps.My-Step_1.Outputs['a.b'].Uri")
    assert (found.root, found.name, found.path) == ("Steps", "My-Step_1", ("Outputs", "a.b", "Uri"))


@pytest.mark.parametrize(
    "expression",
    [
        {"Get": "Parameter.X"},
        {"Get": "Parameters"},
        {"Get": "Parameters.X.Y"},
        {"Get": "Steps[0]"},
        {"Get": ""},
        {"Get": 3},
        {"Std:Split": {}},
        {"Std:Join": {"On": 1, "Values": []}},
        {"Std:Join": {"On": "", "Values": "a"}},
        {"Std:Join": {"On": "", "Values": [], "Other": 1}},
        {"Std:Join": {"Values": [{"Get": "x"}]}},
        {"Std:JsonGet": {"Path": "a"}},
        {"Std:JsonGet": {"PropertyFile": "Report", "Path": "a"}},
        {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.A.Report"}, "Path": "a"}},
        {"Std:JsonGet": {"S3Uri": "s3://b/k", "Path": "a["}},
        {"Std:JsonGet": {"S3Uri": "s3://b/k", "Path": 1}},
    ],
)
def test_a_malformed_expression_is_refused(expression: dict[str, Any]) -> None:
    assert is_expression(expression)
    with pytest.raises(ValueError, match=r"expects|expected|unknown"):
        list(references({"x": [expression]}))


@given(st.dictionaries(st.sampled_from(["Get", "Std:Join", "a"]), st.none(), min_size=2))
def test_an_object_with_more_members_is_no_expression(value: dict[str, None]) -> None:
    assert not is_expression(value)


def compare(kind: str, left: Any, right: Any) -> bool:
    return holds({"Type": kind, "LeftValue": left, "RightValue": right}, Table({}))


NUMBERS = st.integers(-5, 5) | st.floats(-5, 5)


@given(NUMBERS, NUMBERS)
def test_numbers_are_compared(left: float, right: float) -> None:
    assert compare("Equals", left, right) == (left == right)
    assert compare("GreaterThan", left, right) == (left > right)
    assert compare("GreaterThanOrEqualTo", left, right) == (left >= right)
    assert compare("LessThan", left, right) == (left < right)
    assert compare("LessThanOrEqualTo", left, right) == (left <= right)


@given(st.lists(st.booleans(), max_size=4))
def test_conditions_combine(truths: list[bool]) -> None:
    parts = [{"Type": "Equals", "LeftValue": truth, "RightValue": True} for truth in truths]
    assert holds({"Type": "And", "Conditions": parts}, Table({})) == all(truths)
    assert holds({"Type": "Or", "Conditions": parts}, Table({})) == any(truths)
    for part, truth in zip(parts, truths, strict=True):
        assert holds({"Type": "Not", "Condition": part}, Table({})) != truth


def test_membership_is_by_value_and_type() -> None:
    values = Table({"Parameters.X": 2})

    def among(*options: Any) -> bool:
        one = {"Type": "In", "QueryValue": get("Parameters.X"), "Values": list(options)}
        return holds(one, values)

    assert among(1, 2.0)
    assert not among()
    assert not among("2", True)


def test_values_of_different_types_are_not_equal_and_have_no_order() -> None:
    assert not compare("Equals", 1, "1")
    assert not compare("Equals", 1, True)
    assert compare("LessThan", "a", "b")
    for left, right in ((1, "1"), (True, False), (None, 1), ([1], [2])):
        with pytest.raises(ValueError, match="two numbers or two strings"):
            compare("GreaterThan", left, right)


def test_a_condition_can_ask_for_the_outcome_of_another() -> None:
    assert look_up({"Outcome": "True"}, ("Outcome",)) == "True"
    one = {"Type": "Equals", "LeftValue": get("Steps.Gate.Outcome"), "RightValue": "True"}
    assert holds(one, Table({"Steps.Gate.Outcome": "True"}))
