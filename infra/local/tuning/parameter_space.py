"""The search space: `ParameterRanges` as Optuna's distributions, and values as strings.

SageMaker's ranges and values are strings; Optuna searches numbers and choices. Scaling types:
https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-define-ranges.html
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

__all__ = ["Categorical", "Continuous", "Integer", "ParameterSpace", "TunedParameter"]

# Auto scaling is AWS's secret; three orders of magnitude are what its guide calls several.
_SEVERAL_ORDERS = 1000


class TunedParameter(Protocol):
    """One tuned hyperparameter. Its own values are strings, the distribution's are inner ones."""

    @property
    def name(self) -> str:
        """Of the hyperparameter."""
        ...

    @property
    def kind(self) -> str:
        """`Integer`, `Continuous` or `Categorical`."""
        ...

    @property
    def size(self) -> int | None:
        """How many values there are; None for those that nobody counts."""
        ...

    @property
    def distribution(self) -> BaseDistribution:
        """What a sampler draws from."""
        ...

    def text(self, inner: Any) -> str:
        """The value as a training job gets it."""
        ...

    def inner(self, text: str) -> Any:
        """The inverse of `text`. Raises ValueError for a value outside the range."""
        ...

    def value(self, index: int) -> str:
        """The value at `index`, from 0 to below `size`."""
        ...


@dataclass(frozen=True)
class Integer:
    """Whole numbers from `low` to `high`, both included."""

    name: str
    low: int
    high: int
    scaling: str = "Auto"

    kind = "Integer"

    @property
    def size(self) -> int:
        """How many values there are."""
        return self.high - self.low + 1

    @property
    def distribution(self) -> BaseDistribution:
        """Uniform, or uniform in the logarithm."""
        return IntDistribution(
            self.low, self.high, log=_logarithmic(self.scaling, self.low, self.high)
        )

    def text(self, inner: Any) -> str:
        """Without a decimal point."""
        return str(int(inner))

    def inner(self, text: str) -> int:
        """Raises ValueError outside the range."""
        return int(_inside(int(text), self.low, self.high))

    def value(self, index: int) -> str:
        """Counted from `low`."""
        return str(self.low + index)


@dataclass(frozen=True)
class Continuous:
    """Numbers from `low` to `high`, both included."""

    name: str
    low: float
    high: float
    scaling: str = "Auto"

    kind = "Continuous"
    size = None

    @property
    def distribution(self) -> BaseDistribution:
        """Uniform, or uniform in the logarithm of the value or of one minus the value."""
        if self.scaling == "ReverseLogarithmic":
            return FloatDistribution(1 - self.high, 1 - self.low, log=True)
        return FloatDistribution(
            self.low, self.high, log=_logarithmic(self.scaling, self.low, self.high)
        )

    def text(self, inner: Any) -> str:
        """The shortest text of the same number, never outside the range by rounding."""
        value = 1 - inner if self.scaling == "ReverseLogarithmic" else inner
        return repr(float(min(max(value, self.low), self.high)))

    def inner(self, text: str) -> float:
        """Raises ValueError outside the range."""
        value = _inside(float(text), self.low, self.high)
        if self.scaling == "ReverseLogarithmic":  # rounding must not leave the distribution
            return min(max(1 - value, 1 - self.high), 1 - self.low)
        return value

    def value(self, index: int) -> str:
        """Raises TypeError: they are not counted."""
        raise TypeError(f"{self.name}: a continuous range has no value number {index}")


@dataclass(frozen=True)
class Categorical:
    """One of some texts."""

    name: str
    values: tuple[str, ...]

    kind = "Categorical"

    @property
    def size(self) -> int:
        """How many values there are."""
        return len(self.values)

    @property
    def distribution(self) -> BaseDistribution:
        """Choices without an order."""
        return CategoricalDistribution(self.values)

    def text(self, inner: Any) -> str:
        """As the request had it."""
        return str(inner)

    def inner(self, text: str) -> str:
        """Raises ValueError for another text."""
        if text not in self.values:
            raise ValueError(f"{self.name}={text}: not among {', '.join(self.values)}")
        return text

    def value(self, index: int) -> str:
        """In the request's order."""
        return self.values[index]


@dataclass(frozen=True)
class ParameterSpace:
    """All tuned hyperparameters together; points are values by name, as strings."""

    parameters: tuple[TunedParameter, ...]

    @classmethod
    def parse(cls, ranges: Mapping[str, Any]) -> "ParameterSpace":
        """From the API's `ParameterRanges`, which `requests.check` has found right."""
        return cls(
            (
                *(
                    Integer(r["Name"], int(r["MinValue"]), int(r["MaxValue"]), _scaling(r))
                    for r in ranges.get("IntegerParameterRanges") or ()
                ),
                *(
                    Continuous(r["Name"], float(r["MinValue"]), float(r["MaxValue"]), _scaling(r))
                    for r in ranges.get("ContinuousParameterRanges") or ()
                ),
                *(
                    Categorical(r["Name"], tuple(r["Values"]))
                    for r in ranges.get("CategoricalParameterRanges") or ()
                ),
            )
        )

    @cached_property
    def distributions(self) -> dict[str, BaseDistribution]:
        """By name, as `Study.ask` takes them."""
        return {parameter.name: parameter.distribution for parameter in self.parameters}

    @property
    def size(self) -> int | None:
        """How many points there are; None with a continuous range."""
        sizes = [parameter.size for parameter in self.parameters]
        return None if None in sizes else math.prod(size for size in sizes if size is not None)

    def texts(self, inner: Mapping[str, Any]) -> dict[str, str]:
        """A point from what a sampler drew."""
        return {p.name: p.text(inner[p.name]) for p in self.parameters}

    def inner(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """The inverse of `texts`; names of others are left out.

        Raises ValueError when a value is missing or outside its range.
        """
        missing = [p.name for p in self.parameters if p.name not in texts]
        if missing:
            raise ValueError(f"no value of {', '.join(missing)}")
        return {p.name: p.inner(texts[p.name]) for p in self.parameters}

    def point(self, index: int) -> dict[str, str]:
        """The point at `index`, from 0 to below `size`; the last parameter changes fastest."""
        chosen: dict[str, str] = {}
        for parameter in reversed(self.parameters):
            index, position = divmod(index, parameter.size or 1)
            chosen[parameter.name] = parameter.value(position)
        return {parameter.name: chosen[parameter.name] for parameter in self.parameters}


def _scaling(given: Mapping[str, Any]) -> str:
    return str(given.get("ScalingType") or "Auto")


def _logarithmic(scaling: str, low: float, high: float) -> bool:
    if scaling == "Auto":
        return low > 0 and high / low >= _SEVERAL_ORDERS
    return scaling == "Logarithmic"


def _inside(value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise ValueError(f"{value} is not from {low} to {high}")
    return value
