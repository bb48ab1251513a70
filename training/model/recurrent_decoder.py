"""The recurrent decoder: its first layer gives the query, and upper layers receive the context.

    embedding -> first layer -> query -> attention -> context
                     |                                   |
                     +-> upper layers, each with context +-> readout -> output

The layers are those of GNMT v2 (Wu et al. 2016, section 3), where the query is the first layer's
output at the same step. Without input feeding, no layer waits for the attention of the step
before, so teacher forcing runs every layer over the whole target at once. A step of search is the
same code on a target of length 1.

The output of a position is the attentional state tanh(W [x; context]) of Luong et al. 2015,
equation 5, where x is the output of the top layer. Input feeding passes it to the next position
(their section 3.3). Dropout applies between layers, not between steps (Zaremba et al. 2014).
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.attention import build_attention
from longspan.training.model.coverage import RecurrentCoverage
from longspan.training.model.location import Location
from longspan.training.model.memory import Memory
from longspan.training.model.recurrence import Recurrence
from longspan.training.model.stepwise import run_steps

__all__ = ["RecurrentDecoder", "RecurrentState"]

_AttentionState = tuple[Tensor, Tensor]  # coverage, and what the location carries


@dataclass(frozen=True)
class RecurrentState:
    """The state of a recurrent decoder between steps; dimension 0 of every tensor is the batch."""

    hidden: Tensor  # (batch, layers, units)
    cell: Tensor  # (batch, layers, units), or (batch, layers, 0) with GRU
    feed: Tensor  # (batch, output): the last attentional state, or (batch, 0)
    coverage: Tensor  # (batch, source, coverage dimension), or (batch, source, 0)
    reached: Tensor  # (batch, carried numbers of the location), see `Location`

    def select(self, index: Tensor) -> "RecurrentState":
        """Return rows `index`, in any number and order, also repeated."""
        return RecurrentState(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


class RecurrentDecoder(nn.Module):
    """Target embeddings and memory -> one attentional state for each position."""

    def __init__(self, hyperparameters: Hyperparameters, output_size: int) -> None:
        super().__init__()
        h = hyperparameters
        units = h.rnn_num_hidden
        self.has_weights: bool = h.attention_type != "none"
        self.layers = h.num_layers_decoder
        self.has_cell = h.rnn_cell_type == "lstm"
        self.state_init = h.rnn_decoder_state_init
        self.output_size = output_size
        self.input_feeding = h.input_feeding
        self.attention = build_attention(
            h.attention_type, units, units, h.attention_dimension, h.attention_heads,
            h.attention_dropout,
        )  # fmt: skip
        first_input = h.num_embed_target + (output_size if h.input_feeding else 0)
        self.first = Recurrence(h.rnn_cell_type, first_input, units)
        self.upper = nn.ModuleList(
            Recurrence(h.rnn_cell_type, units + h.attention_dimension, units)
            for _ in range(1, h.num_layers_decoder)
        )
        self.first_residual = (
            h.rnn_first_residual_layer if h.rnn_residual_connections else h.num_layers_decoder + 1
        )
        self.bridge = nn.Linear(units, h.num_layers_decoder * units * (2 if self.has_cell else 1))
        self.readout = nn.Linear(units + h.attention_dimension, output_size)
        self.coverage = (
            RecurrentCoverage(
                h.coverage_dimension, self.attention.heads, units, units, h.attention_dimension
            )
            if h.coverage_mechanism == "recurrent"
            else None
        )
        self.location = (
            Location(units, units, self.attention.heads, h.attention_location)
            if h.attention_location != "none"
            else None
        )
        self.rnn_dropout = nn.Dropout(h.rnn_dropout)
        self.hidden_dropout = nn.Dropout(h.rnn_decoder_hidden_dropout)

    def memory(self, encoded: Tensor, last: Tensor, mask: Tensor, lengths: Tensor) -> Memory:
        """Compute what the decoder reads of a source, once for all target positions."""
        keys, values = self.attention.keys_and_values(encoded, last)
        coverage = encoded.new_empty(*encoded.shape[:2], 0)
        if self.coverage is not None:
            coverage = self.coverage.of_memory(encoded)
        places = encoded.new_empty(*encoded.shape[:2], 0)
        if self.location is not None:
            places = self.location.places(encoded)
        summary = last
        if self.state_init == "avg":
            # Mean over the real tokens: (batch, units)
            summary = (encoded * mask[..., None]).sum(1) / lengths[:, None]
        return Memory(keys, values, places, coverage, summary, mask, lengths)

    def initial_state(self, memory: Memory) -> RecurrentState:
        """Return tanh(W summary) as the state of every layer (Bahdanau et al. 2015, A.2.2)."""
        summary = memory.summary
        batch, source = memory.mask.shape
        if self.state_init == "zero":
            states = summary.new_zeros(batch, self.bridge.out_features)
        else:
            states = torch.tanh(self.bridge(summary))
        # (batch, layers x units, twice that with cells) -> hidden and cell (batch, layers, units)
        parts = states.view(batch, self.layers, -1).chunk(2 if self.has_cell else 1, dim=-1)
        hidden = parts[0]
        cell = parts[1] if self.has_cell else hidden.new_zeros(batch, self.layers, 0)
        feed = hidden.new_zeros(batch, self.output_size if self.input_feeding else 0)
        width = self.coverage.dimension if self.coverage is not None else 0
        carried = self.location.carried if self.location is not None else 0
        return RecurrentState(
            hidden,
            cell,
            feed,
            hidden.new_zeros(batch, source, width),
            memory.places.new_zeros(batch, carried),
        )

    def forward(
        self, embedded: Tensor, state: RecurrentState, memory: Memory
    ) -> tuple[Tensor, RecurrentState, Tensor]:
        """embedded (batch, target, embedding) -> output, state after the last position, weights.

        output (batch, target, output size), weights (batch, heads, target, source). With input
        feeding the whole decoder runs step by step, with recurrent coverage only the attention.
        """
        if not self.input_feeding:
            return self._run(embedded, state, memory)
        return run_steps(
            lambda step, before: self._run_fed(step, before, memory),
            embedded,
            state,
            memory.keys.numel(),
        )

    def _run_fed(
        self, step: Tensor, state: RecurrentState, memory: Memory
    ) -> tuple[Tensor, RecurrentState, Tensor]:
        """Run one position with input feeding."""
        inputs = torch.cat([step, state.feed[:, None].to(step.dtype)], dim=-1)
        output, after, weights = self._run(inputs, state, memory)
        return output, replace(after, feed=output[:, 0]), weights

    def _run(
        self, inputs: Tensor, state: RecurrentState, memory: Memory
    ) -> tuple[Tensor, RecurrentState, Tensor]:
        """Run all layers over the inputs, with the attention after the first layer."""
        x, hidden, cell = self.first(inputs, state.hidden[:, 0], state.cell[:, 0])
        before = state.coverage, state.reached
        context, (coverage, reached), weights = self._attend(x, before, memory)
        hiddens, cells = [hidden], [cell]
        # Every upper layer reads the layer below it and the same context (GNMT v2).
        for number, layer in enumerate(self.upper, start=1):
            joined = torch.cat([self.rnn_dropout(x), context.to(x.dtype)], dim=-1)
            y, hidden, cell = layer(joined, state.hidden[:, number], state.cell[:, number])
            x = x + y if number + 1 >= self.first_residual else y
            hiddens.append(hidden)
            cells.append(cell)
        output = torch.tanh(self.readout(torch.cat([x, context.to(x.dtype)], dim=-1)))
        # Of each layer (batch, units) -> (batch, layers, units)
        states = torch.stack(hiddens, 1), torch.stack(cells, 1)
        after = RecurrentState(*states, state.feed, coverage, reached)
        return self.hidden_dropout(output), after, weights

    def _attend(
        self, query: Tensor, before: _AttentionState, memory: Memory
    ) -> tuple[Tensor, _AttentionState, Tensor]:
        """Return contexts (batch, target, dimension), the state after the last step, weights."""
        if self.coverage is None:
            covered, reached = before
            context, reached, weights = self._attend_to(query, reached, memory.keys, memory)
            return context, (covered, reached), weights
        if query.shape[1] == 1:
            return self._attend_covered(query, before, memory)
        return run_steps(
            lambda step, carried: self._attend_covered(step, carried, memory),
            query,
            before,
            memory.keys.numel(),
        )

    def _attend_covered(
        self, query: Tensor, before: _AttentionState, memory: Memory
    ) -> tuple[Tensor, _AttentionState, Tensor]:
        """Attend from one position, with keys that its coverage shifts, and update the coverage."""
        assert self.coverage is not None
        covered, reached = before
        keys = self.coverage.shift(memory.keys, covered)
        context, reached, weights = self._attend_to(query, reached, keys, memory)
        covered = self.coverage(covered, weights, memory.coverage, query)
        return context, (covered, reached), weights

    def _attend_to(
        self, query: Tensor, reached: Tensor, keys: Tensor, memory: Memory
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Attend to the keys, by content and by location."""
        near = None
        if self.location is not None and query.shape[1] == 1 and not self.training:
            near = self.location.window(reached, memory.places, memory.lengths)
        if near is None:
            return self._attend_to_all(query, reached, keys, memory)
        part = replace(
            memory,
            values=memory.values[:, :, near],
            places=memory.places[:, near],
            mask=memory.mask[:, near],
        )
        context, reached, weights = self._attend_to_all(query, reached, keys[:, :, near], part)
        whole = weights.new_zeros(*weights.shape[:3], keys.shape[2])
        whole[..., near] = weights
        return context, reached, whole

    def _attend_to_all(
        self, query: Tensor, reached: Tensor, keys: Tensor, memory: Memory
    ) -> tuple[Tensor, Tensor, Tensor]:
        scores = self.attention.score(query, keys)
        if self.location is not None:
            scores, reached = self.location(scores, query, reached, memory.places, memory.mask)
        context, weights = self.attention.read(scores, memory.values, memory.mask)
        return context, reached, weights
