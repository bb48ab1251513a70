"""Search settings: how wide, how scored, how long. Imports no torch: what serves needs none."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from longspan.training.errors import HyperparameterError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.output_length import OFFSET

__all__ = ["SearchSettings"]

# Of models that do not say how long the outputs of their training pairs were.
_ANY_FACTOR = 2.5


@dataclass(frozen=True)
class SearchSettings:
    """How to search; raises HyperparameterError, naming the setting, for values without sense.

    An output may have `max_length_factor` times the source's tokens plus `max_length_offset`
    tokens, EOS counted on both sides, or `max_length` where that is set.
    """

    beam_size: int = 5
    length_penalty: float = 0.6  # alpha of Wu et al. 2016
    coverage_penalty: float = 0.0  # beta of Wu et al. 2016; needs attention
    n_best: int = 1
    max_length_factor: float = _ANY_FACTOR
    max_length_offset: int = OFFSET
    max_length: int | None = None
    min_length: int = 0  # tokens before EOS
    no_repeat_ngram_size: int = 0  # n of the n-grams that come once at most; 0 allows repeats
    with_alignment: bool = False

    def __post_init__(self) -> None:
        for name, least in (
            ("beam_size", 1),
            ("n_best", 1),
            ("length_penalty", 0),
            ("coverage_penalty", 0),
            ("max_length_factor", 0),
            ("max_length_offset", 0),
            ("max_length", 1),
            ("min_length", 0),
            ("no_repeat_ngram_size", 0),
        ):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= least):
                raise _wrong(name, value, f"a number of at least {least}")
        if self.n_best > self.beam_size:
            raise _wrong("n_best", self.n_best, f"at most beam_size={self.beam_size}")

    @classmethod
    def from_hyperparameters(
        cls, hyperparameters: Hyperparameters, **changes: Any
    ) -> "SearchSettings":
        """The defaults that a model carries; `changes` that are not None replace them."""
        values: dict[str, Any] = {
            "beam_size": hyperparameters.beam_size,
            "length_penalty": hyperparameters.length_penalty,
            "coverage_penalty": hyperparameters.coverage_penalty,
            "no_repeat_ngram_size": hyperparameters.no_repeat_ngram_size,
            "max_length_factor": hyperparameters.max_length_factor or _ANY_FACTOR,
        }
        return cls(**values | {name: v for name, v in changes.items() if v is not None})

    def limits(self, lengths: Sequence[int]) -> list[int]:
        """The most tokens, EOS counted, of the outputs for sources of so many tokens."""
        if self.max_length is not None:
            return [self.max_length] * len(lengths)
        factor, offset = self.max_length_factor, self.max_length_offset
        return [max(1, int(math.ceil(length * factor) + offset)) for length in lengths]


def _wrong(name: str, value: object, allowed: str) -> HyperparameterError:
    return HyperparameterError(f"{name}={value}: allowed: {allowed}")
