"""A compressed model says what the model says, but for rounding, whatever it is batched with."""

import gc
import math
import re
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch.multiprocessing.reductions import StorageWeakRef

from longspan.inference.compression.compressed_model import CompressedModel, choose_precision
from longspan.inference.compression.products import input_bits, steps_of
from longspan.inference.search.candidates import best_tokens
from longspan.inference.search.search import SearchSettings, search
from longspan.inference.search.spelling import Bars, Spelling
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.model import Model

pytestmark = pytest.mark.processor

KINDS = {
    "dot": {"attention_type": "dot"},
    "scaled_dot heads": {"attention_type": "scaled_dot", "attention_heads": "4"},
    "bilinear tied": {"attention_type": "bilinear", "tie_embeddings": "all"},
    "additive": {"attention_type": "additive", "tie_embeddings": "target"},
    "additive heads": {"attention_type": "additive", "attention_heads": "2"},
    "none": {"attention_type": "none"},
    "progress": {"attention_type": "scaled_dot", "attention_location": "progress"},
    "gru": {"rnn_cell_type": "gru"},
    "layers": {
        "num_layers_encoder": "3",
        "num_layers_decoder": "2",
        "rnn_residual_connections": "true",
    },
    "average state": {"rnn_decoder_state_init": "avg"},
    "zero state": {"rnn_decoder_state_init": "zero"},
    "input feeding": {"input_feeding": "true"},
    "coverage": {"coverage_mechanism": "recurrent"},
    "transformer": {"architecture": "transformer"},
}


def build(**changes: str) -> tuple[Model, Hyperparameters]:
    values = {
        "rnn_num_hidden": "64",
        "num_embed_source": "64",
        "num_embed_target": "64",
        "attention_dimension": "64",
    }
    hyperparameters = Hyperparameters.parse(values | changes)
    torch.manual_seed(3)
    return Model(hyperparameters, 90, 90).eval(), hyperparameters


def batch(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    source = torch.randint(4, 90, (5, 9), generator=generator)
    lengths = torch.tensor([9, 1, 4, 7, 9])
    for row, length in enumerate(lengths.tolist()):
        source[row, length - 1], source[row, length:] = 3, 0
    return source, lengths


@torch.inference_mode()
def walk(model: Model, source, lengths) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Logits and attention of six steps over fixed tokens."""
    memory = model.encode(source, lengths)
    state = model.initial_state(memory)
    steps = []
    for token in (2, 5, 80, 33, 7, 64):
        logits, state, weights = model.step(torch.full((len(source),), token), state, memory)
        steps.append((logits.clone(), weights.clone()))
    return steps


# Products one after the other from a source token to a logit: encoder, keys, query, context,
# attentional state, projection. Of these the first three lead to the attention weights.
PRODUCTS, PRODUCTS_OF_SCORES = 6, 3


@dataclass(frozen=True)
class Rounding:
    """What eight-bit weights and inputs of `bits` bits do to a product, over the spread of it.

    A number that is kept in b bits of a scale from -1 to 1 is off by at most half a step of
    1 / (2^(b-1) - 1), evenly, so by step / sqrt(12) in the mean of squares. An input that fills
    its scale by `filled` (its root mean square) is off by that over `filled`. A weight, even
    between the ends of its scale, fills it by 1 / sqrt(3). Errors of different numbers are
    independent, so their squares add, over the inputs of a product and over products in a row.
    """

    bits: int
    filled: float

    def after(self, products: int) -> float:
        """Standard deviation, after so many products in a row."""
        of_inputs = 1 / steps_of(self.bits) / self.filled
        of_weights = 1 / steps_of(8) * math.sqrt(3)
        return math.sqrt(products * (of_inputs**2 + of_weights**2) / 12)


def filled_scale(model: Model, source, lengths) -> float:
    """How far the inputs of the last product fill their scale: -1 to 1, or each row's own peak."""
    seen = []
    hook = model.projection.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    walk(model, source, lengths)
    hook.remove()
    inputs = torch.cat([given.reshape(-1, given.shape[-1]) for given in seen])
    peak = inputs.abs().amax(1, keepdim=True)
    return float((inputs / torch.where(peak > 1, peak, 1.0)).square().mean().sqrt())


@pytest.mark.parametrize("kind", KINDS)
def test_logits_and_attention_are_the_models(kind: str):
    model, hyperparameters = build(**KINDS[kind])
    source, lengths = batch()
    rounding = Rounding(input_bits(), filled_scale(model, source, lengths))
    expected = walk(model, source, lengths)
    found = walk(CompressedModel(model, hyperparameters), source, lengths)
    spread = torch.stack([logits for logits, _ in expected]).std()
    error = rounding.after(PRODUCTS) * spread
    scores = torch.cat([weights[weights > 0].log() for _, weights in expected])
    # The softmax passes at most a quarter of a score's error on: w (1 - w) of a weight w.
    weight_error = rounding.after(PRODUCTS_OF_SCORES) * (scores.std() if len(scores) else 0) / 4
    for (logits, weights), (near, near_weights) in zip(expected, found, strict=True):
        assert near.shape == logits.shape
        # Of thousands of numbers with a normal error one is 4 deviations off, and none is 6.
        assert (near - logits).abs().max() < 6 * error
        assert (near - logits).square().mean().sqrt() < error
        assert (near_weights - weights).abs().max() <= 6 * weight_error


@pytest.mark.parametrize("kind", ["dot", "additive heads", "layers", "gru"])
@pytest.mark.parametrize("beam", [1, 4])
def test_a_sentence_translates_alone_as_in_a_batch(kind: str, beam: int):
    model, hyperparameters = build(**KINDS[kind])
    model = CompressedModel(model, hyperparameters)
    source, lengths = batch(1)
    settings = SearchSettings(beam_size=beam, max_length=12, with_alignment=True)
    together = search(model, source, lengths, settings, Spelling())
    for row, length in enumerate(lengths.tolist()):
        [alone] = search(
            model, source[row : row + 1, :length], lengths[row : row + 1], settings, Spelling()
        )
        # Sums of floats come in another order in a batch: what was near a rounding may flip, and
        # moves a few logits by a step.
        few = 6 / steps_of(input_bits())
        assert alone[0].score == pytest.approx(together[row][0].score, abs=few)


@pytest.mark.parametrize("kind", KINDS)
def test_the_model_stays_as_it_is(kind: str):
    model, hyperparameters = build(**KINDS[kind])
    model.train()
    modules = {name: type(module) for name, module in model.named_modules()}
    weights = {name: weight.clone() for name, weight in model.state_dict().items()}
    source, lengths = batch()
    compressed = CompressedModel(model, hyperparameters)
    search(compressed, source, lengths, SearchSettings(beam_size=2, max_length=6), Spelling())
    assert {name: type(module) for name, module in model.named_modules()} == modules
    assert model.training
    assert all(weight.requires_grad for weight in model.parameters())
    after = model.state_dict()
    assert after.keys() == weights.keys()
    assert all(torch.equal(after[name], weight) for name, weight in weights.items())


# Weights that search reads in float32 however large they are, and those of the layers too small
# for eight bits or not linear.
STAYS = re.compile(
    r"(source_embedding|.*norm)\.|.*\.(v|bias|bias_\w+|weight_offset|positions\w*)$"
    r"|.*\.(location|coverage)\.|.*attention\.weight$"
)


@pytest.mark.parametrize("kind", KINDS)
def test_the_weights_in_eight_bits_are_not_kept_in_float(kind: str):
    """What the caller lets go of is freed."""
    model, hyperparameters = build(**KINDS[kind])
    storages = {
        name: StorageWeakRef(weight.untyped_storage()) for name, weight in model.named_parameters()
    }
    compressed = CompressedModel(model, hyperparameters)
    has_table = hyperparameters.architecture == "rnn" and not hyperparameters.input_feeding
    del model
    gc.collect()
    kept = {name for name, storage in storages.items() if not storage.expired()}
    expected = {name for name in storages if STAYS.match(name)}
    if not has_table:
        expected.add("target_embedding.weight")
    assert "source_embedding.weight" in kept
    assert kept <= expected
    assert compressed.has_attention == (hyperparameters.attention_type != "none")


def test_eight_bits_are_chosen_where_they_are_fast():
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert choose_precision("auto", cpu, frozenset({"avx512_vnni"})) == "int8"
    assert choose_precision("auto", cpu, frozenset({"avx2"})) == "fp32"
    assert choose_precision("auto", gpu, frozenset({"avx512_vnni"})) == "fp32"
    assert choose_precision("fp32", cpu, frozenset({"avx512_vnni"})) == "fp32"


@pytest.mark.parametrize("vocabulary", [5, 512, 1000, 1024])
@pytest.mark.parametrize("count", [1, 4, 8])
def test_the_best_tokens_by_blocks_are_the_best(vocabulary: int, count: int):
    generator = torch.Generator().manual_seed(vocabulary)
    for rows in (1, 9, 40):
        logits = 3 * torch.randn(rows, vocabulary, generator=generator)
        logits[0, -1] = 50.0  # in the last block, or after it
        bars = Bars(np.array([[0, -np.inf, 0]], np.float32), np.zeros(rows, np.int64))
        chances, tokens = best_tokens(logits, count, bars)
        expected = logits.log_softmax(1)
        expected[:, 1] = -torch.inf
        best, places = expected.topk(min(count, vocabulary), dim=1)
        assert torch.equal(chances, best)
        assert torch.equal(tokens, places)
