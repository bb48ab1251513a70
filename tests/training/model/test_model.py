"""Invariants: batched equals unbatched, `decode` equals `step`, nothing sees padding."""

import dataclasses

import pytest
import torch

from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.loss import sequence_loss
from longspan.training.model import stepwise
from longspan.training.model.coverage import coverage_loss
from longspan.training.model.model import Model
from tests.bf16 import needs_bf16

SMALL = {
    "rnn_num_hidden": 8,
    "num_embed_source": 6,
    "num_embed_target": 6,
    "attention_dimension": 8,
    "coverage_dimension": 3,
    "transformer_num_hidden": 8,
    "transformer_feed_forward": 12,
    "transformer_heads": 2,
}
TRANSFORMER = {"architecture": "transformer", "num_layers_encoder": 2, "num_layers_decoder": 2}

VARIANTS = [
    *({"attention_type": a} for a in ("none", "dot", "scaled_dot", "bilinear", "additive")),
    {"attention_type": "additive", "attention_heads": 4},
    {"attention_type": "bilinear", "attention_heads": 2, "coverage_mechanism": "recurrent"},
    {"coverage_mechanism": "loss", "attention_heads": 2},
    {"coverage_mechanism": "recurrent"},
    {"input_feeding": True},
    {"input_feeding": True, "coverage_mechanism": "recurrent", "num_layers_decoder": 2},
    {"rnn_cell_type": "gru", "num_layers_encoder": 2, "num_layers_decoder": 3},
    {
        "num_layers_encoder": 3,
        "num_layers_decoder": 3,
        "rnn_residual_connections": True,
        "rnn_first_residual_layer": 2,
    },
    {"rnn_decoder_state_init": "avg"},
    {"rnn_decoder_state_init": "zero"},
    {"tie_embeddings": "target"},
    {"tie_embeddings": "all"},
    {"attention_location": "progress", "attention_heads": 2},
    {"attention_location": "progress", "coverage_mechanism": "recurrent"},
    {"attention_location": "tracking", "attention_heads": 2, "coverage_mechanism": "loss"},
    {"attention_location": "tracking", "coverage_mechanism": "recurrent", "input_feeding": True},
    TRANSFORMER | {"attention_location": "tracking", "attention_heads": 2},
    TRANSFORMER | {"transformer_positions": "rotary"},
    TRANSFORMER | {"transformer_positions": "alibi", "num_layers_encoder": 1},
    TRANSFORMER | {"attention_type": "none"},
    TRANSFORMER | {"transformer_window": 2},
    TRANSFORMER | {"attention_type": "scaled_dot", "attention_heads": 2, "tie_embeddings": "all"},
    TRANSFORMER | {"attention_location": "progress", "attention_heads": 2},
    TRANSFORMER | {"coverage_mechanism": "loss", "num_embed_source": 8, "num_embed_target": 8},
]


@dataclasses.dataclass(frozen=True)
class Batch:
    source: torch.Tensor
    source_lengths: torch.Tensor
    target_input: torch.Tensor
    target_output: torch.Tensor
    target_lengths: torch.Tensor


def build(**changes):
    torch.manual_seed(0)
    hyperparameters = Hyperparameters(**{**SMALL, **changes})
    return Model(hyperparameters, 11, 11).double().eval(), hyperparameters


def batch(pad=0):
    """Three pairs of unlike lengths; `pad` fills what the model must not see."""
    generator = torch.Generator().manual_seed(1)
    source_lengths, target_lengths = torch.tensor([5, 2, 7]), torch.tensor([3, 6, 1])
    source = torch.randint(4, 11, (3, 7), generator=generator)
    target = torch.randint(4, 11, (3, 6), generator=generator)
    start = torch.full((3, 1), 2)
    inputs = torch.cat([start, target[:, :-1]], 1)
    source[torch.arange(7)[None] >= source_lengths[:, None]] = pad
    beyond = torch.arange(6)[None] >= target_lengths[:, None]
    inputs[beyond], target[beyond] = pad, pad
    return Batch(source, source_lengths, inputs, target, target_lengths)


def row(b, i):
    s, t = int(b.source_lengths[i]), int(b.target_lengths[i])
    return Batch(
        b.source[i : i + 1, :s],
        b.source_lengths[i : i + 1],
        b.target_input[i : i + 1, :t],
        b.target_output[i : i + 1, :t],
        b.target_lengths[i : i + 1],
    )


def loss_and_gradients(model, hyperparameters, batches):
    model.zero_grad()
    total = sum(sequence_loss(model, b, hyperparameters, label_smoothing=0.1).loss for b in batches)
    total.backward()
    return total.detach(), {
        n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None
    }


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_batched_equals_unbatched_gradients_included(changes):
    model, hyperparameters = build(**changes)
    together = batch()
    loss, gradients = loss_and_gradients(model, hyperparameters, [together])
    alone, alone_gradients = loss_and_gradients(
        model, hyperparameters, [row(together, i) for i in range(3)]
    )
    torch.testing.assert_close(loss, alone)
    assert gradients.keys() == alone_gradients.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, alone_gradients[name], msg=name)


class Loss(torch.nn.Module):
    """The objective as a function of a model's parameters, every sentence's coverage counted once.

    `sequence_loss` counts it over a perplexity that has no gradient, but that small differences
    would see (tests/training/loop/test_loss.py).
    """

    def __init__(self, model, hyperparameters):
        super().__init__()
        self.model, self.hyperparameters = model, hyperparameters

    def forward(self, b):
        apart = self.hyperparameters.replace(coverage_loss_weight=0.0)
        loss = sequence_loss(self.model, b, apart, label_smoothing=0.1).loss
        if apart.coverage_mechanism != "loss":
            return loss
        decoded = self.model.decode(b.target_input, self.model.encode(b.source, b.source_lengths))
        real = torch.arange(b.target_input.shape[1]) < b.target_lengths[:, None]
        return loss + coverage_loss(decoded.weights, real).sum()


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_gradients_of_every_parameter_are_those_of_small_differences(changes):
    loss = Loss(*build(**changes))
    names, values = zip(*loss.named_parameters(), strict=True)

    def run(every):
        parts = every.split([value.numel() for value in values])
        parameters = [part.view_as(value) for part, value in zip(parts, values, strict=True)]
        return torch.func.functional_call(loss, dict(zip(names, parameters, strict=True)), batch())

    every = torch.cat([value.detach().flatten() for value in values]).requires_grad_()
    # Along a random direction (`fast_mode`): each of thousands of numbers alone takes minutes.
    assert torch.autograd.gradcheck(run, every, fast_mode=True)


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_padding_is_not_seen(changes):
    model, hyperparameters = build(**changes)
    loss, gradients = loss_and_gradients(model, hyperparameters, [batch(pad=0)])
    other, other_gradients = loss_and_gradients(model, hyperparameters, [batch(pad=9)])
    torch.testing.assert_close(loss, other)
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, other_gradients[name], msg=name)


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_decode_equals_steps(changes):
    model, _ = build(**changes)
    b = batch()
    memory = model.encode(b.source, b.source_lengths)
    decoded = model.decode(b.target_input, memory)
    logits = model.project(decoded.output)
    state = model.initial_state(memory)
    for t in range(b.target_input.shape[1]):
        step_logits, state, weights = model.step(b.target_input[:, t], state, memory)
        torch.testing.assert_close(step_logits, logits[:, t])
        torch.testing.assert_close(weights.double(), decoded.weights[:, :, t].double())


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_selected_rows_step_as_before(changes):
    model, _ = build(**changes)
    b = batch()
    memory = model.encode(b.source, b.source_lengths)
    _, state, _ = model.step(b.target_input[:, 0], model.initial_state(memory), memory)
    logits, _, _ = model.step(b.target_input[:, 0], state, memory)
    index = torch.tensor([2, 0, 0, 1])
    again, _, _ = model.step(b.target_input[:, 0][index], state.select(index), memory.select(index))
    torch.testing.assert_close(again, logits[index])


def test_every_parameter_learns():
    for changes in VARIANTS:
        model, hyperparameters = build(**changes)
        _, gradients = loss_and_gradients(model, hyperparameters, [batch()])
        unused = {n for n, _ in model.named_parameters()} - gradients.keys()
        if changes.get("rnn_decoder_state_init") == "zero":
            assert unused <= {"decoder.bridge.weight", "decoder.bridge.bias"}
        else:
            assert not unused, changes


def test_without_attention_the_source_passes_through_one_vector():
    """Two sources with one summary give one translation, whatever their tokens say."""
    model, _ = build(attention_type="none")
    b = batch()
    memory = model.encode(b.source, b.source_lengths)
    same = dataclasses.replace(
        memory,
        **{n: getattr(memory, n)[:1].expand_as(getattr(memory, n)) for n in ("summary", "values")},
    )
    decoded = model.decode(b.target_input[:1].expand(3, -1), same)
    torch.testing.assert_close(decoded.output[0], decoded.output[2])
    assert (decoded.weights == 0).all()
    assert not model.has_attention


@pytest.mark.processor
@needs_bf16
def test_bf16_loss_is_close_to_fp32():
    hyperparameters = Hyperparameters(**{**SMALL, "rnn_num_hidden": 32})
    torch.manual_seed(0)
    model = Model(hyperparameters, 11, 11)
    full = sequence_loss(model, batch(), hyperparameters, label_smoothing=0.1)
    with torch.autocast("cpu", torch.bfloat16):
        half = sequence_loss(model, batch(), hyperparameters, label_smoothing=0.1)
    half.loss.backward()
    assert half.loss.item() == pytest.approx(full.loss.item(), rel=0.02)
    assert all(p.grad.dtype == torch.float32 for p in model.parameters())


def test_tied_embeddings_are_one_tensor():
    model, _ = build(tie_embeddings="all")
    assert model.projection.weight is model.target_embedding.weight
    assert model.source_embedding.weight is model.target_embedding.weight


@pytest.mark.parametrize(
    "changes",
    [
        {"coverage_mechanism": "recurrent", "rnn_dropout": 0.3},
        {"input_feeding": True, "rnn_decoder_hidden_dropout": 0.3},
        {"input_feeding": True, "coverage_mechanism": "recurrent"},
    ],
    ids=str,
)
def test_segments_of_steps_change_no_gradient(changes, monkeypatch):
    """Computing activations again in the backward pass gives the same, dropout included."""
    model, hyperparameters = build(**changes)
    model.train()
    torch.manual_seed(3)
    loss, gradients = loss_and_gradients(model, hyperparameters, [batch()])
    monkeypatch.setattr(stepwise, "_KEPT_ELEMENTS", 2 * 3 * 7 * 8)
    torch.manual_seed(3)
    again, again_gradients = loss_and_gradients(model, hyperparameters, [batch()])
    torch.testing.assert_close(loss, again)
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, again_gradients[name], msg=name)


def test_a_window_hides_what_is_far():
    """With one layer on each side and a diagonal in between, token 9 cannot reach position 0."""
    model, _ = build(
        **TRANSFORMER | {"num_layers_encoder": 1, "num_layers_decoder": 1, "transformer_window": 2}
    )
    source = torch.randint(4, 11, (1, 12), generator=torch.Generator().manual_seed(1))
    other = source.clone()
    other[0, 9] = 4 if source[0, 9] != 4 else 5
    lengths = torch.tensor([12])
    one, two = (model.encode(s, lengths).keys[0, 0] for s in (source, other))
    changed = (one != two).any(1).tolist()
    assert changed == [7 <= i <= 11 for i in range(12)]
