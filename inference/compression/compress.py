"""A model made fast for serving: the same answers but for rounding, in less time and memory."""

from typing import Any

import torch
from torch import Tensor, nn

from longspan.inference.compression.fast_attention import FastAdditive
from longspan.inference.compression.fast_decoder import FastDecoder, can_be_fast
from longspan.inference.compression.fast_encoder import FastEncoder
from longspan.inference.compression.int8 import (
    Int8Linear,
    Int8Recurrence,
    doubled_candidate,
    has_fast_int8,
)
from longspan.inference.compression.native_model import NativeModel, can_be_native
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.model import Model
from longspan.training.processor import features

__all__ = ["choose_precision", "compress"]

# Bytes of the table that spares the decoder its input weights; beyond it they are used.
_LARGEST_TABLE = 128 * 2**20
# Layers of fewer outputs are no work; some of them need all of their precision.
_SMALLEST_LAYER = 64


def choose_precision(wanted: str, device: torch.device, flags: frozenset[str] | None = None) -> str:
    """fp32 or int8 for `wanted` auto | fp32 | int8: auto is int8 on a CPU where that is fast."""
    if wanted != "auto":
        return wanted
    known = features() if flags is None else flags
    return "int8" if device.type == "cpu" and has_fast_int8(known) else "fp32"


def compress(model: Model, hyperparameters: Hyperparameters) -> Model:
    """`model` itself, on a CPU, its layers in eight bits; it cannot be trained any more."""
    model.eval().requires_grad_(False)
    if hyperparameters.architecture != "rnn":
        _replace_layers(model, frozenset())
        return model
    encoder: Any = model.encoder
    model.encoder = FastEncoder(encoder)  # type: ignore[assignment]
    is_fast = _compress_decoder(model, model.decoder, hyperparameters)
    # What a recurrent layer and tanh give lies between -1 and 1.
    _replace_layers(model, frozenset({"projection", "query"}))
    if is_fast and can_be_native(model):
        model.walk = NativeModel(model, encoder, hyperparameters).walk  # type: ignore[assignment]
    return model


def _compress_decoder(model: Model, decoder: Any, hyperparameters: Hyperparameters) -> bool:
    """Whether it is a `FastDecoder` now."""
    h = hyperparameters
    weights, _, bias, _ = decoder.first.kernel.all_weights[0]
    has_table = not h.input_feeding and _table_size(model, weights) <= _LARGEST_TABLE
    if has_table:
        if decoder.has_cell:
            weights, bias = doubled_candidate(weights), doubled_candidate(bias)
        table = torch.addmm(bias, model.target_embedding.weight, weights.t())  # (vocabulary, gates)
        model.target_embedding = nn.Embedding.from_pretrained(table)
    if h.attention_type == "additive" and h.coverage_mechanism != "recurrent":
        decoder.attention = FastAdditive(decoder.attention)
    if has_table and can_be_fast(h):
        model.decoder = FastDecoder(decoder, decoder.attention)  # type: ignore[assignment]
        return True
    decoder.first = Int8Recurrence(decoder.first, has_gates=has_table)
    decoder.upper = nn.ModuleList(Int8Recurrence(layer) for layer in decoder.upper)
    return False


def _table_size(model: Model, weights: Tensor) -> int:
    return model.target_embedding.num_embeddings * len(weights) * weights.element_size()


def _replace_layers(module: nn.Module, bounded: frozenset[str]) -> None:
    for name, child in module.named_children():
        if type(child) is nn.Linear and child.out_features >= _SMALLEST_LAYER:
            setattr(module, name, Int8Linear.of(child, bounded=name in bounded))
        else:
            _replace_layers(child, bounded)
