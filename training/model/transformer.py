"""The Transformer (Vaswani et al. 2017), normalised before each layer (Xiong et al. 2020).

Normalisation is that of Ba et al. 2016, "Layer Normalization". Embeddings are scaled as in section
3.4 of Vaswani et al. A window limits self-attention as in Beltagy et al. 2020, "Longformer",
section 3.1.

Encoder and decoder have the same methods as those of the recurrent network. The decoder's layers
attend to the source by the same `attention_*` hyperparameters. A step of search is the decoder on
a target of length 1, with the keys and values of the tokens before it.
"""

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.attention import build_attention
from longspan.training.model.location import Location
from longspan.training.model.memory import Memory
from longspan.training.model.self_attention import SelfAttention

__all__ = ["TransformerDecoder", "TransformerEncoder", "TransformerState"]


@dataclass(frozen=True)
class TransformerState:
    """The target positions decoded so far; dimension 0 of every tensor is the batch."""

    keys: Tensor  # (batch, layers, heads, target, d), of self-attention
    values: Tensor  # (batch, layers, heads, target, d)
    reached: Tensor  # (batch, layers x carried numbers of a location), see `Location`

    def select(self, index: Tensor) -> "TransformerState":
        """Return rows `index`, in any number and order, also repeated."""
        return TransformerState(self.keys[index], self.values[index], self.reached[index])


class TransformerEncoder(nn.Module):
    """Source embeddings -> a vector of `transformer_num_hidden` for each token, and their mean."""

    def __init__(self, hyperparameters: Hyperparameters) -> None:
        super().__init__()
        h = hyperparameters
        self.heads = h.transformer_heads
        self.window = h.transformer_window
        self.enter = _InputLayer(h.num_embed_source, h)
        self.layers = nn.ModuleList(_EncoderLayer(h) for _ in range(h.num_layers_encoder))
        self.norm = nn.LayerNorm(h.transformer_num_hidden)

    def forward(self, embedded: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """embedded (batch, source, embedding) -> (batch, source, units), (batch, units)."""
        positions = torch.arange(embedded.shape[1], device=embedded.device)
        real = positions[None] < lengths[:, None]  # (batch, source)
        x = self.enter(embedded)
        # Padding attends to itself, since a softmax over nothing is not a number.
        itself = torch.eye(x.shape[1], dtype=torch.bool, device=x.device)
        # (batch, 1, source, source): real tokens within the window, and the position itself
        mask = real[:, None, None] & _near(0, x.shape[1], self.window, x.device) | itself
        for layer in self.layers:
            x = layer(x, mask)
        x = self.norm(x)
        # The summary is the mean over real tokens.
        return x, (x * real[..., None]).sum(1) / lengths[:, None]


class TransformerDecoder(nn.Module):
    """Target embeddings and memory -> one output for each position."""

    def __init__(self, hyperparameters: Hyperparameters, output_size: int) -> None:
        super().__init__()
        h = hyperparameters
        units = h.transformer_num_hidden
        self.window = h.transformer_window
        self.heads, self.size = h.transformer_heads, units // h.transformer_heads
        self.enter = _InputLayer(h.num_embed_target, h)
        self.layers = nn.ModuleList(_DecoderLayer(h) for _ in range(h.num_layers_decoder))
        self.norm = nn.LayerNorm(units)
        self.readout = nn.Linear(units, output_size)
        self.has_weights: bool = h.attention_type != "none"
        self.carried = sum(cast(_DecoderLayer, layer).carried for layer in self.layers)

    def memory(self, encoded: Tensor, last: Tensor, mask: Tensor, lengths: Tensor) -> Memory:
        """Compute what all layers read of a source, once for all target positions."""
        read = [cast(_DecoderLayer, layer).read_source(encoded, last) for layer in self.layers]
        keys, values, places = zip(*read, strict=True)
        coverage = encoded.new_empty(*encoded.shape[:2], 0)
        return Memory(
            torch.cat(keys, 1), torch.cat(values, 1), torch.cat(places, 2), coverage, last, mask,
            lengths,
        )  # fmt: skip

    def initial_state(self, memory: Memory) -> TransformerState:
        """Return the state before the first target token."""
        batch, layers = len(memory.mask), len(self.layers)
        nothing = memory.summary.new_zeros(batch, layers, self.heads, 0, self.size)
        reached = memory.places.new_zeros(batch, self.carried)
        return TransformerState(nothing, nothing, reached)

    def forward(
        self, embedded: Tensor, state: TransformerState, memory: Memory
    ) -> tuple[Tensor, TransformerState, Tensor]:
        """embedded (batch, target, embedding) -> output, state after the last position, weights.

        output (batch, target, output size); weights (batch, heads, target, source) are the mean
        over all layers.
        """
        x = self.enter(embedded)
        past, length = state.keys.shape[3], x.shape[1]
        # Position i attends to itself and to the positions before it.
        mask = _near(past, length, self.window, x.device).tril(past)
        keys, values, reached, weights = [], [], [], []
        layers = len(self.layers)
        # Memory and state hold all layers in a row; each layer gets its part.
        of_layers = zip(
            self.layers,
            memory.keys.chunk(layers, 1),
            memory.values.chunk(layers, 1),
            memory.places.tensor_split(layers, 2),
            state.reached.tensor_split(layers, 1),
            strict=True,
        )
        for number, (layer, *source, before) in enumerate(of_layers):
            read = state.keys[:, number], state.values[:, number]
            x, now, after, weight = layer(x, mask, read, source, before, memory.mask)
            keys.append(now[0])
            values.append(now[1])
            reached.append(after)
            weights.append(weight)
        output = self.readout(self.norm(x))
        after_all = TransformerState(
            torch.stack(keys, 1), torch.stack(values, 1), torch.cat(reached, 1)
        )
        return output, after_all, torch.stack(weights).mean(0)


class _InputLayer(nn.Module):
    """The projection of embeddings to the scale and width of the layers."""

    def __init__(self, embedding: int, h: Hyperparameters) -> None:
        super().__init__()
        units = h.transformer_num_hidden
        self.scale = math.sqrt(embedding)
        self.project = nn.Identity() if embedding == units else nn.Linear(embedding, units)
        self.dropout = nn.Dropout(h.transformer_dropout)

    def forward(self, embedded: Tensor) -> Tensor:
        x: Tensor = self.dropout(self.project(embedded * self.scale))
        return x


class _Block(nn.Module):
    """Self-attention and a feed-forward network, which encoder and decoder layers share."""

    def __init__(self, h: Hyperparameters) -> None:
        super().__init__()
        units = h.transformer_num_hidden
        self.self_norm, self.forward_norm = nn.LayerNorm(units), nn.LayerNorm(units)
        self.own = SelfAttention(
            units, h.transformer_heads, h.transformer_positions, h.attention_dropout
        )
        self.network = nn.Sequential(
            nn.Linear(units, h.transformer_feed_forward),
            nn.ReLU(),
            nn.Dropout(h.transformer_dropout),
            nn.Linear(h.transformer_feed_forward, units),
        )
        self.dropout = nn.Dropout(h.transformer_dropout)

    def read(
        self, x: Tensor, mask: Tensor, keys: Tensor, values: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Add self-attention to x; return x, and keys and values of all positions read."""
        read, keys, values = self.own(self.self_norm(x), mask, keys, values)
        return x + self.dropout(read), keys, values

    def feed_forward(self, x: Tensor) -> Tensor:
        """Add the feed-forward network (Vaswani et al. 2017, equation 2) to x."""
        added: Tensor = self.dropout(self.network(self.forward_norm(x)))
        return x + added


class _EncoderLayer(_Block):
    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        nothing = x.new_empty(len(x), self.own.heads, 0, self.own.size)
        x, _, _ = self.read(x, mask, nothing, nothing)
        return self.feed_forward(x)


class _DecoderLayer(_Block):
    def __init__(self, h: Hyperparameters) -> None:
        super().__init__(h)
        units = h.transformer_num_hidden
        attends = h.attention_type != "none"
        self.cross_norm = nn.LayerNorm(units) if attends else nn.Identity()
        self.attention = build_attention(
            h.attention_type, units, units, h.attention_dimension, h.attention_heads,
            h.attention_dropout,
        )  # fmt: skip
        self.output = nn.Linear(h.attention_dimension, units)
        self.location = (
            Location(units, units, h.attention_heads, h.attention_location)
            if h.attention_location != "none"
            else None
        )
        self.carried = self.location.carried if self.location is not None else 0

    def read_source(self, encoded: Tensor, summary: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return keys, values and places of this layer."""
        places = encoded.new_empty(*encoded.shape[:2], 0)
        if self.location is not None:
            places = self.location.places(encoded)
        return (*self.attention.keys_and_values(encoded, summary), places)

    def forward(
        self,
        x: Tensor,
        mask: Tensor,
        past: tuple[Tensor, Tensor],
        source: list[Tensor],
        before: Tensor,
        source_mask: Tensor,
    ) -> tuple[Tensor, tuple[Tensor, Tensor], Tensor, Tensor]:
        """Run the layer on x (batch, length, units).

        `past` holds keys and values of earlier positions, `source` keys, values and places of this
        layer, `before` the carried numbers of the location. Returns x, keys and values of all
        positions read, the carried numbers after them, and weights.
        """
        x, own_keys, own_values = self.read(x, mask, *past)
        keys, values, places = source
        query = self.cross_norm(x)
        scores = self.attention.score(query, keys)
        if self.location is not None:
            scores, before = self.location(scores, query, before, places, source_mask)
        context, weights = self.attention.read(scores, values, source_mask)
        x = x + self.dropout(self.output(context.to(query.dtype)))
        return self.feed_forward(x), (own_keys, own_values), before, weights


def _near(past: int, length: int, window: int, device: torch.device) -> Tensor:
    """Mark which positions lie within the window of each position: (1, 1, length, past + length).

    Queries are the `length` positions after `past` ones. A window of 0 is unlimited.
    """
    whole = torch.ones(1, 1, length, past + length, dtype=torch.bool, device=device)
    return whole.triu(past - window).tril(past + window) if window else whole
