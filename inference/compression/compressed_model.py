"""A model in eight bits, for search on a CPU.

It is built from a `Model`, which stays as it is, and gives the same answers but for rounding in
less time and memory. A recurrent model gets layers of its own for search:

    Model                             CompressedModel
    source_embedding                  the same weights
    encoder                           FastEncoder: both directions in one product a position
    target_embedding                  a table: already multiplied with the input weights
    decoder, where `can_be_fast`      FastDecoder: one product of the state a step
    decoder, elsewhere                a copy with Int8Recurrence and Int8Linear
    projection                        Int8Linear

Where the kernels in C are usable, `own_walk` does the whole step of a search with a `FastDecoder`.
A Transformer gets `Int8Linear` for its linear layers.
"""

from typing import cast

import torch
from torch import Tensor, nn

from longspan.inference.compression.fast_attention import fast_attention
from longspan.inference.compression.fast_decoder import FastDecoder, can_be_fast
from longspan.inference.compression.fast_encoder import FastEncoder
from longspan.inference.compression.int8 import (
    Int8Recurrence,
    doubled_candidate,
    has_fast_int8,
    in_eight_bits,
)
from longspan.inference.compression.native_model import NativeModel, can_be_native
from longspan.inference.search.walk import StartWalk
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.model import DecoderState, Memory, Model
from longspan.training.model.recurrence import Recurrence
from longspan.training.model.recurrent_decoder import RecurrentDecoder
from longspan.training.model.recurrent_encoder import RecurrentEncoder
from longspan.training.processor import features

__all__ = ["CompressedModel", "choose_precision"]

# Bytes of the table that replaces the decoder's input weights. Where it would be larger, the
# weights are used.
_LARGEST_TABLE = 128 * 2**20
# Layers whose inputs lie between -1 and 1: a recurrent layer or tanh makes them.
_BOUNDED = frozenset({"projection", "query"})


def choose_precision(wanted: str, device: torch.device, flags: frozenset[str] | None = None) -> str:
    """Return fp32 or int8 for `wanted`: auto, fp32 or int8.

    For auto it is int8 on a CPU that is fast at it. `flags` are the CPU's features (default: of
    this one).
    """
    if wanted != "auto":
        return wanted
    known = features() if flags is None else flags
    return "int8" if device.type == "cpu" and has_fast_int8(known) else "fp32"


class CompressedModel(nn.Module):
    """A `Model` in eight bits. It fulfils `SearchModel`, as the model itself does.

    It shares the weights that stay in float32 with the model and holds none of the others. So the
    model's memory is freed as soon as the caller lets go of it.
    """

    def __init__(self, model: Model, hyperparameters: Hyperparameters) -> None:
        super().__init__()
        self.has_attention = model.has_attention
        self.own_walk: StartWalk | None = None
        if hyperparameters.architecture != "rnn":
            self._model = in_eight_bits(model)
            return
        table = _input_table(model, hyperparameters)
        replacements: dict[nn.Module, nn.Module] = {
            model.encoder: FastEncoder(model.encoder),
            model.decoder: _decoder(model, hyperparameters, has_table=table is not None),
        }
        if table is not None:
            replacements[model.target_embedding] = table
        self._model = in_eight_bits(model, replacements, _BOUNDED)
        if table is not None and can_be_fast(hyperparameters) and can_be_native(model):
            encoder = cast(RecurrentEncoder, model.encoder)
            self.own_walk = NativeModel(self._model, encoder, hyperparameters).walk

    def encode(self, source: Tensor, lengths: Tensor) -> Memory:
        """Encode source (batch, source) of lengths (batch,), as `Model.encode`."""
        return self._model.encode(source, lengths)

    def initial_state(self, memory: Memory) -> DecoderState:
        """Return the state before the first target token, as `Model.initial_state`."""
        return self._model.initial_state(memory)

    def step(
        self, previous: Tensor, state: DecoderState, memory: Memory
    ) -> tuple[Tensor, DecoderState, Tensor]:
        """Compute a step as `Model.step`: previous (batch,) -> logits (batch, vocabulary), state,
        weights."""
        return self._model.step(previous, state, memory)


def _input_table(model: Model, hyperparameters: Hyperparameters) -> nn.Embedding | None:
    """Return each target token multiplied with the decoder's input weights: (vocabulary, gates).

    None with input feeding, where the input is more than the token, and where the table would be
    too large.
    """
    decoder = cast(RecurrentDecoder, model.decoder)
    # torch's order: input weights, recurrent weights, input bias, recurrent bias.
    weight, _, input_bias, _ = decoder.first.kernel.all_weights[0]
    size = model.target_embedding.num_embeddings * len(weight) * weight.element_size()
    if hyperparameters.input_feeding or size > _LARGEST_TABLE:
        return None
    weights, bias = weight.detach(), input_bias.detach()
    if decoder.has_cell:
        weights, bias = doubled_candidate(weights), doubled_candidate(bias)
    # (vocabulary, embedding) x (embedding, gates) -> (vocabulary, gates)
    table = torch.addmm(bias, model.target_embedding.weight.detach(), weights.t())
    return nn.Embedding.from_pretrained(table)


def _decoder(model: Model, hyperparameters: Hyperparameters, *, has_table: bool) -> nn.Module:
    """Return the replacement of the model's recurrent decoder."""
    h, decoder = hyperparameters, cast(RecurrentDecoder, model.decoder)
    if has_table and can_be_fast(h):
        return FastDecoder(decoder, h.attention_type)
    layers: dict[nn.Module, nn.Module] = {
        decoder.first: Int8Recurrence(decoder.first, has_gates=has_table)
    }
    layers |= {layer: Int8Recurrence(cast(Recurrence, layer)) for layer in decoder.upper}
    if h.coverage_mechanism != "recurrent":
        attention = in_eight_bits(decoder.attention, bounded=_BOUNDED)
        layers[decoder.attention] = fast_attention(h.attention_type, attention)
    return in_eight_bits(decoder, layers, _BOUNDED)
