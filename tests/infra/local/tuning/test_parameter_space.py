import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.infra.local.tuning.parameter_space import (
    Categorical,
    Continuous,
    Integer,
    ParameterSpace,
)

SCALINGS = st.sampled_from(["Auto", "Linear", "Logarithmic"])


@given(low=st.floats(1e-6, 1e3), width=st.floats(0, 1e6), scaling=SCALINGS, part=st.floats(0, 1))
def test_continuous_values_survive_text(
    low: float, width: float, scaling: str, part: float
) -> None:
    parameter = Continuous("x", low, low + width, scaling)
    inner = low + part * width
    text = parameter.text(inner)
    assert low <= float(text) <= low + width
    assert parameter.inner(text) == float(text)


@given(low=st.floats(0, 0.9), part=st.floats(0, 1))
def test_reverse_logarithmic_values_stay_inside(low: float, part: float) -> None:
    high = 0.9999
    parameter = Continuous("x", low, high, "ReverseLogarithmic")
    distribution: Any = parameter.distribution
    inner = distribution.low + part * (distribution.high - distribution.low)
    text = parameter.text(inner)
    assert low <= float(text) <= high
    assert distribution.low <= parameter.inner(text) <= distribution.high


@pytest.mark.parametrize(
    ("low", "high", "scaling", "logarithmic"),
    [
        (1e-4, 1e-1, "Auto", True),
        (1e-4, 1e-3, "Auto", False),
        (0.0, 1.0, "Auto", False),
        (1e-4, 1e-1, "Linear", False),
        (0.5, 1.0, "Logarithmic", True),
    ],
)
def test_scaling(low: float, high: float, scaling: str, logarithmic: bool) -> None:
    distribution: Any = Continuous("x", low, high, scaling).distribution
    assert distribution.log is logarithmic


def test_points_count_every_combination_once() -> None:
    space = ParameterSpace((Integer("a", 2, 4), Categorical("b", ("x", "y"))))
    points = [tuple(space.point(index).items()) for index in range(space.size or 0)]
    expected = [(("a", str(a)), ("b", b)) for a in (2, 3, 4) for b in "xy"]
    assert points == expected


def test_a_continuous_range_has_no_size() -> None:
    assert ParameterSpace((Integer("a", 2, 4), Continuous("c", 0, 1))).size is None


def test_parse_reads_all_kinds() -> None:
    space = ParameterSpace.parse(
        {
            "IntegerParameterRanges": [{"Name": "i", "MinValue": "1", "MaxValue": "8"}],
            "ContinuousParameterRanges": [
                {"Name": "c", "MinValue": "0.1", "MaxValue": "1e2", "ScalingType": "Linear"}
            ],
            "CategoricalParameterRanges": [{"Name": "k", "Values": ["a", "b"]}],
        }
    )
    assert space.parameters == (
        Integer("i", 1, 8),
        Continuous("c", 0.1, 100.0, "Linear"),
        Categorical("k", ("a", "b")),
    )


@pytest.mark.parametrize(
    "texts",
    [
        {"a": "5", "b": "x"},
        {"a": "2", "b": "z"},
        {"a": "2"},
        {"a": "two", "b": "x"},
    ],
)
def test_points_outside_the_space_are_refused(texts: dict[str, str]) -> None:
    space = ParameterSpace((Integer("a", 2, 4), Categorical("b", ("x", "y"))))
    with pytest.raises(ValueError, match=r"."):
        space.inner(texts)


def test_other_names_are_left_out() -> None:
    space = ParameterSpace((Integer("a", 2, 4),))
    assert space.inner({"a": "3", "epochs": "9"}) == {"a": 3}
    assert math.isclose(space.inner({"a": "3"})["a"], 3)
