"""The decoder's step for search: a decoder of one LSTM layer in few operations.

A step does less than one of `RecurrentDecoder`, because more is computed before:

- The embedding's table holds each target token multiplied with the input weights.
- One product multiplies the state with the recurrent, the query's and the readout's weights. The
  recurrent part is for the next step.
- With one head, the values are already multiplied with the readout's weights.

    state (batch, units) x of_state ->  recurrent | query  | output
                                        to the      scores   added to the
                                        next step            context's part
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from longspan.inference.compression.fast_attention import fast_attention
from longspan.inference.compression.int8 import (
    Int8Linear,
    doubled_candidate,
    in_eight_bits,
    lstm,
    tanh,
)
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.attention import Attention
from longspan.training.model.memory import Memory
from longspan.training.model.recurrent_decoder import RecurrentDecoder

__all__ = ["FastDecoder", "FastMemory", "FastState", "can_be_fast"]


@dataclass(frozen=True)
class FastMemory:
    """A batch of sources as the decoder reads it; dimension 0 of every tensor is the batch."""

    keys: Tensor  # (batch, heads, source, d)
    values: Tensor  # (batch, heads, source, d), or (batch, 1, source, output size)
    places: Tensor  # (batch, source, heads), or (batch, source, 0)
    bias: Tensor  # (batch, 1, 1, source): minus infinity at padding
    summary: Tensor  # (batch, units)
    mask: Tensor  # (batch, source), true at real tokens

    def select(self, index: Tensor) -> "FastMemory":
        """Return rows `index`: any number, in any order, repeated at will."""
        return FastMemory(
            keys=self.keys.index_select(0, index),
            values=self.values.index_select(0, index),
            places=self.places.index_select(0, index),
            bias=self.bias.index_select(0, index),
            summary=self.summary.index_select(0, index),
            mask=self.mask.index_select(0, index),
        )


@dataclass(frozen=True)
class FastState:
    """The decoder's state between two steps; dimension 0 of every tensor is the batch."""

    recurrent: Tensor  # (batch, 4 x units): hidden state x recurrent weights
    cell: Tensor  # (batch, units)
    reached: Tensor  # (batch, numbers that the location carries)

    def select(self, index: Tensor) -> "FastState":
        """Return rows `index`: any number, in any order, repeated at will."""
        return FastState(
            recurrent=self.recurrent.index_select(0, index),
            cell=self.cell.index_select(0, index),
            reached=self.reached.index_select(0, index),
        )


def can_be_fast(hyperparameters: Hyperparameters) -> bool:
    """Return whether a `FastDecoder` can stand for the decoder of such a model."""
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
    """The decoder of a model for which `can_be_fast` is true, on a CPU.

    Its inputs are embeddings that are already multiplied with the input weights.
    """

    has_weights = True

    def __init__(self, decoder: RecurrentDecoder, attention_type: str) -> None:
        super().__init__()
        given = cast(Attention, decoder.attention)
        heads, dimension = given.heads, given.dimension
        # Input weights and their bias are in the table of embeddings already.
        _, recurrent, _, recurrent_bias = decoder.first.kernel.all_weights[0]
        weight, bias = doubled_candidate(recurrent), doubled_candidate(recurrent_bias)
        units, readout = weight.shape[1], decoder.readout
        of_state, of_context = readout.weight.detach().split([units, dimension], dim=1)
        self.sizes = [len(weight), dimension, len(of_state)]
        self.of_state = Int8Linear(
            torch.cat([weight, given.query.weight.detach(), of_state]),
            torch.cat([bias, torch.zeros(dimension), readout.bias.detach()]),
            bounded=True,  # an LSTM's output lies between -1 and 1
        )
        self.of_context: Int8Linear | None = None
        value: dict[nn.Module, nn.Module] = {}
        # W (sum a v) = sum a (W v): with one head the readout's weights are applied to each source
        # token once, and not at each step. With more heads each head would need values of the
        # output's size.
        if heads == 1:
            value[given.value] = Int8Linear(of_context @ given.value.weight.detach(), None)
        else:
            self.of_context = Int8Linear(of_context, None)
        # `of_state` has the weights of these three, which nothing else reads.
        unused = {part: nn.Identity() for part in (decoder.first, readout, given.query)}
        self.attention = fast_attention(attention_type, in_eight_bits(given, unused | value))
        self.source_side = in_eight_bits(decoder, unused | {given: self.attention})
        self.location = self.source_side.location

    def memory(self, encoded: Tensor, last: Tensor, mask: Tensor, lengths: Tensor) -> FastMemory:
        """Return everything about a source that does not depend on the target, computed once."""
        plain = self.source_side.memory(encoded, last, mask, lengths)
        bias = torch.zeros(mask.shape).masked_fill_(~mask, -torch.inf)[:, None, None]
        keys, values = plain.keys.contiguous(), plain.values.contiguous()
        return FastMemory(keys, values, plain.places, bias, plain.summary, mask)

    def initial_state(self, memory: FastMemory) -> FastState:
        """Return the state before the first token, its hidden part already multiplied."""
        # It reads the summary, the mask and the places, which both kinds of memory have.
        plain = self.source_side.initial_state(cast(Memory, memory))
        # The first token comes before the first query and output, so these parts are cut off.
        recurrent = self.of_state(plain.hidden[:, 0])[:, : self.sizes[0]]
        return FastState(recurrent, plain.cell[:, 0], plain.reached)

    def forward(
        self, gates: Tensor, state: FastState, memory: FastMemory
    ) -> tuple[Tensor, FastState, Tensor]:
        """gates (batch, 1, 4 x units) -> output (batch, 1, output size), the next state, weights
        (batch, heads, 1, source)."""
        hidden, cell = lstm(gates[:, 0] + state.recurrent, state.cell)
        # (batch, 4 x units), (batch, dimension), (batch, output size)
        recurrent, query, output = self.of_state(hidden).split(self.sizes, dim=1)
        scores = self.attention.scores(self._split(query), memory.keys).add_(memory.bias)
        reached = state.reached
        if self.location is not None:
            scores, reached = self.location(
                scores, hidden[:, None], reached, memory.places, memory.mask
            )
        weights = scores.softmax(-1)  # (batch, heads, 1, source)
        # (batch, heads, 1, d) -> (batch, heads x d), or (batch, output size) with one head
        context = (weights @ memory.values).flatten(1)
        if self.of_context is not None:
            context = self.of_context(context)
        output = tanh(context.add_(output))
        return output[:, None], FastState(recurrent, cell, reached), weights

    def _split(self, query: Tensor) -> Tensor:
        # (batch, dimension) -> (batch, heads, 1, dimension / heads)
        return query.view(len(query), self.attention.heads, 1, -1)
