"""Space of the tuned hyperparameters: `ParameterRanges` as Optuna's distributions.

SageMaker's values are strings; Optuna searches numbers and choices, called inner values here.
Scaling types:
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

# AWS does not document Auto scaling; its guide advises a logarithm for several orders of magnitude.
_SEVERAL_ORDERS = 1000


class TunedParameter(Protocol):
    """One tuned hyperparameter: strings for training jobs, inner values for the distribution."""

    @property
    def name(self) -> str:
        """Name of the hyperparameter."""
        ...

    @property
    def kind(self) -> str:
        """Kind of range: `Integer`, `Continuous` or `Categorical`."""
        ...

    @property
    def size(self) -> int | None:
        """Number of values; None for a continuous range."""
        ...

    @property
    def distribution(self) -> BaseDistribution:
        """Distribution of inner values for a sampler."""
        ...

    def text(self, inner: Any) -> str:
        """Return the string of an inner value, as a training job gets it."""
        ...

    def inner(self, text: str) -> Any:
        """Return the inner value of a string. Raises ValueError for a value outside the range."""
        ...

    def value(self, index: int) -> str:
        """Return the value at `index`, 0 <= index < size."""
        ...


@dataclass(frozen=True)
class Integer:
    """Integers from `low` to `high`, both included."""

    name: str
    low: int
    high: int
    scaling: str = "Auto"

    kind = "Integer"

    @property
    def size(self) -> int:
        """Number of values."""
        return self.high - self.low + 1

    @property
    def distribution(self) -> BaseDistribution:
        """Uniform distribution, of the value or of its logarithm."""
        return IntDistribution(
            self.low, self.high, log=_logarithmic(self.scaling, self.low, self.high)
        )

    def text(self, inner: Any) -> str:
        """Return the value without a decimal point."""
        return str(int(inner))

    def inner(self, text: str) -> int:
        """Return the number. Raises ValueError for a value outside the range."""
        return int(_inside(int(text), self.low, self.high))

    def value(self, index: int) -> str:
        """Return the value at `index`, counted from `low`."""
        return str(self.low + index)


@dataclass(frozen=True)
class Continuous:
    """Real numbers from `low` to `high`, both included."""

    name: str
    low: float
    high: float
    scaling: str = "Auto"

    kind = "Continuous"
    size = None

    @property
    def distribution(self) -> BaseDistribution:
        """Uniform distribution, of the value, of its logarithm, or of the one of 1 - value."""
        if self.scaling == "ReverseLogarithmic":
            # For values close to 1, such as a decay of 0.9, 0.99 or 0.999: the inner value is 1 -
            # value. `check_ranges` demands high < 1, so that its logarithm exists.
            return FloatDistribution(1 - self.high, 1 - self.low, log=True)
        return FloatDistribution(
            self.low, self.high, log=_logarithmic(self.scaling, self.low, self.high)
        )

    def text(self, inner: Any) -> str:
        """Return the shortest text of the number, clipped to the range against rounding."""
        value = 1 - inner if self.scaling == "ReverseLogarithmic" else inner
        return repr(float(min(max(value, self.low), self.high)))

    def inner(self, text: str) -> float:
        """Return the number. Raises ValueError for a value outside the range."""
        value = _inside(float(text), self.low, self.high)
        if self.scaling == "ReverseLogarithmic":  # clip against rounding
            return min(max(1 - value, 1 - self.high), 1 - self.low)
        return value

    def value(self, index: int) -> str:
        """Raise TypeError: the values of a continuous range are not countable."""
        raise TypeError(f"{self.name}: a continuous range has no value number {index}")


@dataclass(frozen=True)
class Categorical:
    """Choice among some texts."""

    name: str
    values: tuple[str, ...]

    kind = "Categorical"

    @property
    def size(self) -> int:
        """Number of values."""
        return len(self.values)

    @property
    def distribution(self) -> BaseDistribution:
        """Distribution of choices without an order."""
        return CategoricalDistribution(self.values)

    def text(self, inner: Any) -> str:
        """Return the text of the request."""
        return str(inner)

    def inner(self, text: str) -> str:
        """Return the text. Raises ValueError for a text outside of the choice."""
        if text not in self.values:
            raise ValueError(f"{self.name}={text}: not among {', '.join(self.values)}")
        return text

    def value(self, index: int) -> str:
        """Return the value at `index`, in the request's order."""
        return self.values[index]


@dataclass(frozen=True)
class ParameterSpace:
    """All tuned hyperparameters together; a point is a mapping of names to strings."""

    parameters: tuple[TunedParameter, ...]

    @classmethod
    def parse(cls, ranges: Mapping[str, Any]) -> "ParameterSpace":
        """Return the space of `ParameterRanges`, which `check_tuning_request` has checked."""
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
        """Distributions by name, for `Study.ask`."""
        return {parameter.name: parameter.distribution for parameter in self.parameters}

    @property
    def size(self) -> int | None:
        """Number of points; None with a continuous range."""
        sizes = [parameter.size for parameter in self.parameters]
        return None if None in sizes else math.prod(size for size in sizes if size is not None)

    def texts(self, inner: Mapping[str, Any]) -> dict[str, str]:
        """Return the point for inner values that a sampler drew."""
        return {p.name: p.text(inner[p.name]) for p in self.parameters}

    def inner(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Return the inner values of a point; other names are ignored.

        Raises ValueError for a value that is missing or outside its range.
        """
        missing = [p.name for p in self.parameters if p.name not in texts]
        if missing:
            raise ValueError(f"no value of {', '.join(missing)}")
        return {p.name: p.inner(texts[p.name]) for p in self.parameters}

    def point(self, index: int) -> dict[str, str]:
        """Return the point at `index`, 0 <= index < size; the last parameter changes fastest."""
        chosen: dict[str, str] = {}
        for parameter in reversed(self.parameters):
            # `index` is a number in mixed radix: one digit per parameter, with its size as the
            # base.
            index, position = divmod(index, parameter.size or 1)
            chosen[parameter.name] = parameter.value(position)
        # In the order of the space, as `texts`: strategies compare points by their values alone.
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
