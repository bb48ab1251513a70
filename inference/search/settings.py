"""Search settings: how wide, how scored, how long. Imports no torch: what serves needs none."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field, model_validator

from longspan.training.errors import HyperparameterError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.output_length import OFFSET
from longspan.training.values import Settings

__all__ = ["SearchSettings"]

# For models without the output lengths of their training pairs.
_ANY_FACTOR = 2.5
# Of attention that knows its location. About half of a sentence, so that none is left out.
_UNREAD = 16


class SearchSettings(Settings):
    """Settings of a search. Raises HyperparameterError, naming a setting that is not allowed.

    An output may have `max_length_factor` times the source's tokens plus `max_length_offset`
    tokens, EOS counted on both sides, and always as many as `min_length` needs; or `max_length`
    where that is set.
    """

    refusal: ClassVar[type[Exception]] = HyperparameterError

    beam_size: int = Field(5, ge=1, description="hypotheses of the beam; 1 is greedy search")
    length_penalty: float = Field(0.6, ge=0, description="alpha of Wu et al. 2016")
    coverage_penalty: float = Field(
        0.0, ge=0, description="beta of Wu et al. 2016; needs attention"
    )
    n_best: int = Field(1, ge=1, description="hypotheses wanted of each source")
    max_length_factor: float = Field(
        _ANY_FACTOR, ge=0, description="target tokens of an output for each source token"
    )
    max_length_offset: int = Field(OFFSET, ge=0, description="target tokens beside those")
    max_length: int | None = Field(None, ge=1, description="target tokens of any output")
    min_length: int = Field(0, ge=0, description="target tokens before EOS")
    no_repeat_ngram_size: int = Field(
        0, ge=0, description="n of the n-grams that come once at most; 0 allows repeats"
    )
    max_unread: int | None = Field(
        None,
        ge=0,
        description="source tokens after the furthest place of the attention, at most, where an "
        "output may end",
    )
    with_alignment: bool = Field(False, description="attention weights of each hypothesis")

    @model_validator(mode="after")
    def _check_together(self) -> "SearchSettings":
        if self.n_best > self.beam_size:
            raise HyperparameterError(
                f"n_best: expected at most beam_size={self.beam_size}, got {self.n_best}"
            )
        if self.max_length is not None and self.min_length > self.max_length:
            raise HyperparameterError(
                f"min_length: expected at most max_length={self.max_length}, got {self.min_length}"
            )
        return self

    @classmethod
    def from_hyperparameters(
        cls, hyperparameters: Hyperparameters, **changes: Any
    ) -> "SearchSettings":
        """Return the defaults that a model carries; `changes` that are not None replace them.

        Attention that knows its location says how far the source has been read, so `max_unread` is
        set for it.
        """
        values: dict[str, Any] = {
            "beam_size": hyperparameters.beam_size,
            "length_penalty": hyperparameters.length_penalty,
            "coverage_penalty": hyperparameters.coverage_penalty,
            "no_repeat_ngram_size": hyperparameters.no_repeat_ngram_size,
            "min_length": hyperparameters.min_length,
            "max_unread": None if hyperparameters.attention_location == "none" else _UNREAD,
            "max_length_factor": hyperparameters.max_length_factor or _ANY_FACTOR,
        }
        return cls(**values | {name: v for name, v in changes.items() if v is not None})

    def limits(self, lengths: Sequence[int]) -> list[int]:
        """Return the most tokens, EOS counted, of the outputs for sources of so many tokens."""
        if self.max_length is not None:
            return [self.max_length] * len(lengths)
        factor, offset = self.max_length_factor, self.max_length_offset
        least = self.min_length + 1
        return [max(least, int(math.ceil(length * factor) + offset)) for length in lengths]
