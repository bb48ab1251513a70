"""A compressed model says what the model says, but for rounding, whatever it is batched with."""

import copy

import pytest
import torch

from longspan.inference.candidates import best_tokens
from longspan.inference.compression import choose_precision, compress
from longspan.inference.search import SearchSettings, search
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model import Model

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


@pytest.mark.parametrize("kind", KINDS)
def test_logits_and_attention_are_the_models(kind: str):
    model, hyperparameters = build(**KINDS[kind])
    source, lengths = batch()
    expected = walk(model, source, lengths)
    found = walk(compress(copy.deepcopy(model), hyperparameters), source, lengths)
    spread = torch.stack([logits for logits, _ in expected]).std()
    for (logits, weights), (near, near_weights) in zip(expected, found, strict=True):
        assert near.shape == logits.shape
        assert (near - logits).abs().max() < 0.2 * spread
        assert (near - logits).abs().mean() < 0.03 * spread
        assert torch.allclose(near_weights, weights, atol=0.03)


@pytest.mark.parametrize("kind", ["dot", "additive heads", "layers", "gru"])
@pytest.mark.parametrize("beam", [1, 4])
def test_a_sentence_translates_alone_as_in_a_batch(kind: str, beam: int):
    model, hyperparameters = build(**KINDS[kind])
    model = compress(model, hyperparameters)
    source, lengths = batch(1)
    settings = SearchSettings(beam, max_length=12, with_alignment=True)
    together = search(model, source, lengths, settings)
    for row, length in enumerate(lengths.tolist()):
        [alone] = search(model, source[row : row + 1, :length], lengths[row : row + 1], settings)
        # Sums of floats come in another order in a batch: what was near a rounding may flip.
        assert alone[0].score == pytest.approx(together[row][0].score, abs=0.05)


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
        chances, tokens = best_tokens(logits, count, impossible=(1,))
        expected = logits.log_softmax(1)
        expected[:, 1] = -torch.inf
        best, places = expected.topk(min(count, vocabulary), dim=1)
        assert torch.equal(chances, best)
        assert torch.equal(tokens, places)
