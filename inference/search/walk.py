"""Walks: a batch of hypotheses passing through a model, one target token at a time.

The search decides which hypotheses go on. The walk holds what the model carries from step to step.
It begins with one hypothesis a sentence.
"""

from collections.abc import Callable
from typing import Generic, Protocol, Self, TypeVar

import numpy as np
import torch
from torch import Tensor

from longspan.inference.search.arrays import Floats, Integers
from longspan.inference.search.candidates import best_tokens
from longspan.inference.search.spelling import Bars

__all__ = ["ModelWalk", "SearchModel", "StartWalk", "Walk", "start_walk"]


class Rows(Protocol):
    """Tensors whose first dimension is the batch."""

    def select(self, index: Tensor, /) -> Self:
        """Return rows `index`: any number, in any order, repeated at will."""
        ...


MemoryT = TypeVar("MemoryT", bound=Rows)
StateT = TypeVar("StateT", bound=Rows)


class SearchModel(Protocol[MemoryT, StateT]):
    """The part of a model that search uses; `Model` and `CompressedModel` fulfil it."""

    @property
    def own_walk(self) -> "StartWalk | None":
        """A function that starts the model's own walk, or None where the search calls `step`."""
        ...

    def encode(self, source: Tensor, lengths: Tensor, /) -> MemoryT:
        """Read token ids (batch, source) of `lengths` (batch,)."""
        ...

    def initial_state(self, memory: MemoryT, /) -> StateT:
        """Return the state before the first target token."""
        ...

    def step(
        self, previous: Tensor, state: StateT, memory: MemoryT, /
    ) -> tuple[Tensor, StateT, Tensor | None]:
        """Return logits (batch, vocabulary), state, attention (batch, heads, source) or None."""
        ...


class Walk(Protocol):
    """Computes steps, and goes on from the rows of each that the search chooses."""

    def take(
        self, previous: Integers, count: int, bars: Bars
    ) -> tuple[Floats, Integers, Tensor | None]:
        """Compute one step.

        previous (rows,) -> log-probabilities and tokens, both (rows, count) and best first, and
        attention (rows, heads, source) or None. Tokens that `bars` forbid get -inf.
        """
        ...

    def keep(self, rows: Integers, *, sources_too: bool) -> None:
        """Go on from these rows of the last step, in this order.

        Without `sources_too`, row i belongs to the same sentence as row i before.
        """
        ...


StartWalk = Callable[[Tensor, Tensor], Walk]  # of source (batch, source) and lengths (batch,)


def start_walk(model: SearchModel[MemoryT, StateT], source: Tensor, lengths: Tensor) -> Walk:
    """Start a walk through a model; `source` (batch, source), `lengths` (batch,)."""
    if model.own_walk is not None:
        return model.own_walk(source, lengths)
    return ModelWalk(model, source, lengths)


class ModelWalk(Generic[MemoryT, StateT]):
    """A walk by the model's `step`, on the device of `source`."""

    def __init__(
        self, model: SearchModel[MemoryT, StateT], source: Tensor, lengths: Tensor
    ) -> None:
        self._model = model
        self._device = source.device
        self._memory = model.encode(source, lengths)
        self._state = model.initial_state(self._memory)

    def take(
        self, previous: Integers, count: int, bars: Bars
    ) -> tuple[Floats, Integers, Tensor | None]:
        """Compute one step with the model; see `Walk.take`."""
        tokens = torch.from_numpy(previous).to(self._device)
        logits, self._state, weights = self._model.step(tokens, self._state, self._memory)
        chances, best = best_tokens(logits, count, bars)
        return chances.cpu().numpy(), best.cpu().numpy(), weights

    def keep(self, rows: Integers, *, sources_too: bool) -> None:
        """Select rows of the model's state and, on request, of its memory; see `Walk.keep`."""
        index = torch.from_numpy(np.ascontiguousarray(rows)).to(self._device)
        self._state = self._state.select(index)
        if sources_too:
            self._memory = self._memory.select(index)
