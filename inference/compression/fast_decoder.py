"""The decoder's step for search: one layer, in as few operations as it takes.

What it leaves out of a step, compared with `training.decoder.Decoder`, was computed before:

- what the input weights make of each target token stands in the embedding's table;
- the products of one state with its recurrent weights, with the query's and with the readout's are
  one product, whose recurrent part is for the step after;
- with one head the values are already what the readout makes of them.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from longspan.inference.compression.int8 import Int8Linear, doubled_candidate, lstm, tanh
from longspan.training.hyperparameters import Hyperparameters

__all__ = ["FastDecoder", "FastMemory", "FastState", "can_be_fast"]


@dataclass(frozen=True)
class FastMemory:
    """What the decoder reads of a source batch; dimension 0 of every tensor is the batch."""

    keys: Tensor  # (batch, heads, source, d)
    values: Tensor  # (batch, heads, source, d), or (batch, 1, source, output size)
    places: Tensor  # (batch, source, heads), or (batch, source, 0)
    bias: Tensor  # (batch, 1, 1, source): minus infinity at padding
    summary: Tensor  # (batch, units)
    mask: Tensor  # (batch, source), true at real tokens

    def select(self, index: Tensor) -> "FastMemory":
        """Rows `index` (any number, in any order, repeated at will)."""
        return FastMemory(*(_rows(getattr(self, f), index) for f in self.__dataclass_fields__))


@dataclass(frozen=True)
class FastState:
    """What the decoder carries from step to step; dimension 0 of every tensor is the batch."""

    recurrent: Tensor  # (batch, 4 x units): what the recurrent weights made of the hidden state
    cell: Tensor  # (batch, units)
    reached: Tensor  # (batch, numbers that the location carries)

    def select(self, index: Tensor) -> "FastState":
        """Rows `index` (any number, in any order, repeated at will)."""
        return FastState(*(_rows(getattr(self, f), index) for f in self.__dataclass_fields__))


def can_be_fast(hyperparameters: Hyperparameters) -> bool:
    """Whether `FastDecoder` can stand for the decoder of such a model."""
    h = hyperparameters
    return (
        h.architecture == "rnn"
        and h.rnn_cell_type == "lstm"
        and h.num_layers_decoder == 1
        and h.attention_type != "none"
        and not h.input_feeding
        and h.coverage_mechanism != "recurrent"
    )


class FastDecoder(nn.Module):
    """Stands for the `decoder` of a model of which `can_be_fast` is true, on a CPU.

    Its `attention` gives scores; embeddings are what the input weights make of them.
    """

    has_weights = True

    def __init__(self, decoder: Any, attention: Any) -> None:
        super().__init__()
        self.decoder = decoder  # for what is done once a source
        self.attention = attention
        self.location = decoder.location
        _, weight, _, bias = decoder.first.kernel.all_weights[0]
        weight, bias = doubled_candidate(weight), doubled_candidate(bias)
        units, readout = weight.shape[1], decoder.readout
        of_state, of_context = readout.weight.split([units, attention.dimension], dim=1)
        self.sizes = [len(weight), attention.dimension, len(of_state)]
        no_bias = torch.zeros(attention.dimension)
        self.of_state = Int8Linear(
            torch.cat([weight, attention.query.weight, of_state]),
            torch.cat([bias, no_bias, readout.bias]),
            bounded=True,  # an LSTM's own output
        )
        self.of_context: Int8Linear | None = None
        if attention.heads == 1:
            folded = of_context @ decoder.attention.value.weight
            self.decoder.attention.value = Int8Linear(folded, None)
        else:
            self.of_context = Int8Linear(of_context, None)
        del decoder.first, decoder.readout  # nothing else asks for them

    def memory(self, encoded: Tensor, last: Tensor, mask: Tensor, lengths: Tensor) -> FastMemory:
        """Everything about a source that no target position changes, computed once."""
        plain = self.decoder.memory(encoded, last, mask, lengths)
        bias = torch.zeros(mask.shape).masked_fill_(~mask, -torch.inf)[:, None, None]
        keys, values = plain.keys.contiguous(), plain.values.contiguous()
        return FastMemory(keys, values, plain.places, bias, plain.summary, mask)

    def initial_state(self, memory: FastMemory) -> FastState:
        """The decoder's own, its hidden state already multiplied."""
        plain = self.decoder.initial_state(memory)
        recurrent = self.of_state(plain.hidden[:, 0])[:, : self.sizes[0]]
        return FastState(recurrent, plain.cell[:, 0], plain.reached)

    def forward(
        self, gates: Tensor, state: FastState, memory: FastMemory
    ) -> tuple[Tensor, FastState, Tensor]:
        """gates (batch, 1, 4 x units) -> output (batch, 1, output size), the next state, weights
        (batch, heads, 1, source)."""
        hidden, cell = lstm(gates[:, 0] + state.recurrent, state.cell)
        recurrent, query, output = self.of_state(hidden).split(self.sizes, dim=1)
        scores = self.attention.scores(self._split(query), memory.keys).add_(memory.bias)
        reached = state.reached
        if self.location is not None:
            scores, reached = self.location(
                scores, hidden[:, None], reached, memory.places, memory.mask
            )
        weights = scores.softmax(-1)  # (batch, heads, 1, source)
        context = (weights @ memory.values).flatten(1)
        if self.of_context is not None:
            context = self.of_context(context)
        output = tanh(context.add_(output))
        return output[:, None], FastState(recurrent, cell, reached), weights

    def _split(self, query: Tensor) -> Tensor:
        # (batch, dimension) -> (batch, heads, 1, dimension / heads)
        return query.view(len(query), self.attention.heads, 1, -1)


def _rows(x: Tensor, index: Tensor) -> Tensor:
    return x.index_select(0, index)
