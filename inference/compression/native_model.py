"""A whole search step by the kernels in C, for models with a `FastDecoder`.

A step is six calls:

    lstm      gates of the previous tokens + recurrent part -> hidden, cell
    of_state  hidden -> recurrent part of the next step | query | output
    score     query, keys -> scores
    read      scores, values -> weights, context
    tanh_sum  context + output -> attentional state
    best      attentional state -> the best tokens, by the projection

Keys and values are not padded: the tokens of all sentences lie one after another, and the
hypotheses of a sentence share them. Hypotheses are not copied either: `order` is an index of the
state that each row goes on from, `owner` one of its sentence.

    keys     | s0 s0 s0 | s1 s1 | s2 s2 s2 s2 |      start 0 3 5, length 3 2 4
    owner    0 0 1 1 2 2                             two hypotheses a sentence
"""

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from longspan.inference.compression.fast_decoder import FastDecoder
from longspan.inference.compression.int8 import Int8Linear, is_large
from longspan.inference.compression.native_encoder import NativeEncoder
from longspan.inference.compression.native_scores import scores_of
from longspan.inference.compression.products import NativeProduct, has_native_kernels, kernels
from longspan.inference.search.arrays import Floats, Integers
from longspan.inference.search.spelling import Bars
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.attention import Attention
from longspan.training.model.location import Location
from longspan.training.model.model import Model
from longspan.training.model.recurrent_decoder import RecurrentDecoder
from longspan.training.model.recurrent_encoder import RecurrentEncoder

__all__ = ["NativeModel", "NativeWalk", "can_be_native"]


def can_be_native(model: Model) -> bool:
    """Return whether a `NativeModel` can stand for a model that gets a `FastDecoder`.

    The kernels must be usable, and the layers large enough that they are in eight bits.
    """
    decoder = cast(RecurrentDecoder, model.decoder)
    attention = cast(Attention, decoder.attention)
    layers = (attention.key, attention.value, decoder.bridge, model.projection)
    return has_native_kernels() and all(is_large(layer) for layer in layers)


class NativeModel:
    """The weights of a compressed model and of its original's encoder, packed for the kernels."""

    def __init__(
        self, model: Model, encoder: RecurrentEncoder, hyperparameters: Hyperparameters
    ) -> None:
        fast = cast(FastDecoder, cast(nn.Module, model.decoder))
        attention = fast.source_side.attention
        self.encoder = NativeEncoder(encoder)
        self.source_embedding: Floats = model.source_embedding.weight.numpy()
        self.gates: Floats = model.target_embedding.weight.numpy()  # (vocabulary, 4 x units)
        self.state_init = hyperparameters.rnn_decoder_state_init
        self.bridge = _packed(fast.source_side.bridge)
        self.key = _packed(cast(Attention, attention).key)
        self.value = _packed(attention.value)
        self.of_state = _packed(fast.of_state)
        self.of_context = None if fast.of_context is None else _packed(fast.of_context)
        self.projection = _packed(model.projection)
        self.location = fast.location
        self.heads = hyperparameters.attention_heads
        recurrent, query, _ = fast.sizes
        self.units = recurrent // 4
        # Parts of the product with the state: for the next step, for the query, for the output.
        self.parts = slice(0, recurrent), slice(recurrent, recurrent + query)
        self.for_output = slice(recurrent + query, None)
        self.score = scores_of(hyperparameters.attention_type, fast.attention)

    def walk(self, source: Tensor, lengths: Tensor) -> "NativeWalk":
        """Start a walk through source (batch, source) of lengths (batch,)."""
        return NativeWalk(self, source.numpy(), lengths.numpy())

    def states(self, last: Floats, encoded: Floats, start: Integers, length: Integers) -> Floats:
        """Return the hidden and cell state before the first token: (sentence, 2 x units)."""
        if self.state_init == "zero":
            return np.zeros((len(last), 2 * self.units), np.float32)
        if self.state_init == "avg":
            # Sums from each start to the next; no sentence is empty, so all starts differ.
            sums = np.add.reduceat(encoded, start, axis=0)
            last = (sums / length[:, None]).astype(np.float32)
        states: Floats = np.tanh(self.bridge.of(last))
        return states


def _packed(layer: nn.Module) -> NativeProduct:
    """Return the product of an `Int8Linear`, by the kernels."""
    return cast(Int8Linear, layer).product.native()


class NativeWalk:
    """A `Walk` through a `NativeModel`."""

    def __init__(self, model: NativeModel, source: Integers, lengths: Integers) -> None:
        self.model = model
        self.lengths = lengths
        self.longest = source.shape[1]
        # The number of tokens of all sentences before.
        self.start: Integers = np.cumsum(lengths) - lengths
        self.owner: Integers = np.arange(len(lengths))  # the sentence of each row
        self.order = self.owner  # the state that each row goes on from
        mask = np.arange(self.longest) < lengths[:, None]
        # (batch, source) -> (tokens, embedding), sentence by sentence, without padding
        embedded = model.source_embedding[source[mask]]
        encoded, last = model.encoder(embedded, self.start, lengths)
        self.keys = model.score.keys(model.key.of(encoded))
        self.values = model.value.of(encoded)
        states = model.states(last, encoded, self.start, lengths)
        self.cell = states[:, model.units :]
        self.recurrent = model.of_state.of(states[:, : model.units])[:, model.parts[0]]
        self._places = _Places(model.location, encoded, mask) if model.location else None

    def take(
        self, previous: Integers, count: int, bars: Bars
    ) -> tuple[Floats, Integers, Tensor | None]:
        """Compute one step, see `Walk.take`."""
        model, rows = self.model, len(previous)
        spans = self.start, self.lengths, self.owner
        hidden = np.empty((rows, model.units), np.float32)
        cell = np.empty_like(hidden)
        kernels.lstm(model.gates, previous, self.recurrent, self.order, self.cell, hidden, cell)
        # (rows, 4 x units + dimension + output size), cut by `parts` and `for_output`
        made = model.of_state.of(hidden)
        # The kernels write the tokens of each row's sentence; `read` puts 0 behind them.
        scores = np.empty((rows, model.heads * self.longest), np.float32)
        model.score(made[:, model.parts[1]], self.keys, spans, scores, model.heads)
        if self._places is not None:
            scores = self._places.located(scores, hidden, self.order, self.owner)
        context = np.empty((rows, self.values.shape[1]), np.float32)
        kernels.read(scores, self.values, *spans, context, model.heads)
        if model.of_context is not None:
            context = model.of_context.of(context)
        kernels.tanh_sum(context, made[:, model.for_output])
        count = min(count, model.projection.outputs)
        chances = np.empty((rows, count), np.float32)
        tokens = np.empty((rows, count), np.int64)
        kernels.best(model.projection.packed, context, bars.table, bars.kinds, chances, tokens)
        self.recurrent, self.cell = made[:, model.parts[0]], cell
        # Each row goes on from its own state, unless `keep` says otherwise before the next step.
        self.order = np.arange(rows)
        return chances, tokens, torch.from_numpy(scores).view(rows, model.heads, -1)

    def keep(self, rows: Integers, *, sources_too: bool) -> None:
        """Go on from these rows, see `Walk.keep`."""
        # No state is copied here: the next step reads the old states through this index.
        self.order = np.ascontiguousarray(rows)
        if sources_too:
            self.owner = self.owner[rows]


class _Places:
    """The location of a walk, by `Location` on padded sentences."""

    def __init__(self, location: Location, encoded: Floats, mask: NDArray[np.bool_]) -> None:
        padded = torch.zeros(*mask.shape, encoded.shape[1])
        self._mask = torch.from_numpy(mask)
        padded[self._mask] = torch.from_numpy(encoded)
        self._location = location
        self._places = location.places(padded)
        self._reached = padded.new_zeros(len(mask), location.carried)

    def located(self, scores: Floats, hidden: Floats, order: Integers, owner: Integers) -> Floats:
        """Return the scores with the distance added; `order` and `owner` are those of the walk."""
        whose = torch.from_numpy(owner)
        by_head = torch.from_numpy(scores).view(len(scores), self._location.heads, 1, -1)
        by_head, self._reached = self._location(
            by_head,
            torch.from_numpy(hidden)[:, None],
            self._reached[torch.from_numpy(order)],
            self._places[whose],
            self._mask[whose],
        )
        found: Floats = by_head.flatten(1).contiguous().numpy()
        return found
