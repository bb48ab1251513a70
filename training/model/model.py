"""The translation model: `encode` a source, then `step` through a target or `decode` it whole.

Training uses `decode`, search uses `step`. Both give the same outputs for the same target.
"""

from dataclasses import dataclass
from typing import Protocol, Self

import torch
from torch import Tensor, nn

from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.memory import Memory
from longspan.training.model.recurrent_decoder import RecurrentDecoder
from longspan.training.model.recurrent_encoder import RecurrentEncoder
from longspan.training.model.transformer import TransformerDecoder, TransformerEncoder
from longspan.training.tokenizer.tokenizer import PAD

__all__ = ["Decoded", "DecoderState", "Memory", "Model"]


class DecoderState(Protocol):
    """The state of a decoder between two steps; dimension 0 of every tensor is the batch."""

    def select(self, index: Tensor) -> Self:
        """Return rows `index`, in any number and order, also repeated."""
        ...


@dataclass(frozen=True)
class Decoded:
    """Outputs of a decoder for a whole target under teacher forcing."""

    output: Tensor  # (batch, target, output size); `Model.project` turns it into logits
    weights: Tensor  # (batch, heads, target, source); 0 without attention


class Model(nn.Module):
    """An encoder-decoder with attention, either recurrent or a Transformer.

    The recurrent one follows Bahdanau et al. 2015, with layers as in GNMT v2.

    Embeddings and output may share their weights (Press and Wolf 2017, "Using the Output Embedding
    to Improve Language Models").
    """

    # A search calls `step`. A model that does more of the search itself says here how.
    own_walk: None = None

    def __init__(
        self,
        hyperparameters: Hyperparameters,
        source_vocabulary_size: int,
        target_vocabulary_size: int,
    ) -> None:
        super().__init__()
        h = hyperparameters
        tied = h.tie_embeddings != "none"
        output_size = h.num_embed_target if tied else h.units
        self.source_embedding = nn.Embedding(source_vocabulary_size, h.num_embed_source, PAD)
        self.target_embedding = nn.Embedding(target_vocabulary_size, h.num_embed_target, PAD)
        recurrent = h.architecture == "rnn"
        self.encoder: RecurrentEncoder | TransformerEncoder
        self.decoder: RecurrentDecoder | TransformerDecoder
        self.encoder = RecurrentEncoder(h) if recurrent else TransformerEncoder(h)
        self.decoder = (
            RecurrentDecoder(h, output_size) if recurrent else TransformerDecoder(h, output_size)
        )
        self.projection = nn.Linear(output_size, target_vocabulary_size)
        if tied:
            self.projection.weight = self.target_embedding.weight
        if h.tie_embeddings == "all":
            self.source_embedding.weight = self.target_embedding.weight
        self.source_dropout = nn.Dropout(h.embed_dropout_source)
        self.target_dropout = nn.Dropout(h.embed_dropout_target)

    @property
    def has_attention(self) -> bool:
        """Whether the model attends to the source; without attention all weights are 0."""
        return self.decoder.has_weights

    def encode(self, source: Tensor, lengths: Tensor) -> Memory:
        """Encode source (batch, source): token ids to EOS, then PAD; lengths (batch,)."""
        positions = torch.arange(source.shape[1], device=source.device)
        # (batch, source), true before the end of each sentence
        mask = positions[None] < lengths[:, None]
        embedded = self.source_dropout(self.source_embedding(source))
        encoded, last = self.encoder(embedded, lengths)
        return self.decoder.memory(encoded, last, mask, lengths)

    def initial_state(self, memory: Memory) -> DecoderState:
        """Return the state before the first target token."""
        return self.decoder.initial_state(memory)

    def step(
        self, previous: Tensor, state: DecoderState, memory: Memory
    ) -> tuple[Tensor, DecoderState, Tensor]:
        """Decode one target token: previous (batch,) -> logits (batch, vocabulary) in float32 or
        wider, the next state, weights (batch, heads, source)."""
        embedded = self.target_dropout(self.target_embedding(previous[:, None]))
        output, state, weights = self.decoder(embedded, state, memory)
        return self.project(output[:, 0]), state, weights[:, :, 0]

    def decode(self, target_input: Tensor, memory: Memory) -> Decoded:
        """Decode a whole target (batch, target), with BOS first, under teacher forcing."""
        embedded = self.target_dropout(self.target_embedding(target_input))
        output, _, weights = self.decoder(embedded, self.initial_state(memory), memory)
        return Decoded(output, weights)

    def project(self, output: Tensor) -> Tensor:
        """output (..., output size) -> logits (..., vocabulary), in float32 or wider."""
        logits: Tensor = self.projection(output)
        return logits.to(torch.promote_types(logits.dtype, torch.float32))
