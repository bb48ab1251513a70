"""Location scores against plain loops, and what the decoder makes of them."""

import math

import pytest
import torch

from longspan.training.errors import HyperparameterError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.location import Location, location_scores
from longspan.training.model import Model

B, H, T, S = 2, 3, 4, 5


def tensors(*shapes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(s, generator=generator, dtype=torch.float64) for s in shapes]


def small(**changes):
    values = {
        "rnn_num_hidden": 8,
        "num_embed_source": 6,
        "num_embed_target": 6,
        "attention_dimension": 6,
        "attention_heads": 2,
        "attention_location": "progress",
    }
    h = Hyperparameters(**values | changes)
    torch.manual_seed(3)
    return Model(h, 11, 12).double().eval()


def test_scores_are_the_equation():
    reached, places, offset = tensors((B, T, H), (B, S, H), (H,))
    width, strength = (x.exp() for x in tensors((H,), (H,), seed=1))
    got = location_scores(reached, places, offset, width, strength)
    assert got.shape == (B, H, T, S)
    for b in range(B):
        for h in range(H):
            for t in range(T):
                for s in range(S):
                    d = (reached[b, t, h] - places[b, s, h] - offset[h]).item() / width[h].item()
                    expected = strength[h].item() * (1 - math.sqrt(1 + d * d))
                    assert got[b, h, t, s].item() == pytest.approx(expected, abs=1e-12)


def test_gradients_are_those_of_the_scores():
    inputs = tensors((B, T, H), (B, S, H), (H,))
    positive = [x.exp() for x in tensors((H,), (H,), seed=1)]
    given = [x.detach().requires_grad_() for x in (*inputs, *positive)]
    assert torch.autograd.gradcheck(location_scores, given)


def test_progress_is_the_sum_of_softplus_increments():
    torch.manual_seed(0)
    location = Location(7, 5, H).double()
    encoded, query, before = tensors((B, S, 5), (B, T, 7), (B, H))
    weight, bias = location.of_memory.weight.tolist(), location.of_memory.bias.tolist()
    places = location.places(encoded)
    for b in range(B):
        for h in range(H):
            total = 0.0
            for s in range(S):
                x = sum(w * e for w, e in zip(weight[h], encoded[b, s].tolist(), strict=True))
                total += math.log1p(math.exp(x + bias[h])) / math.log(2)
                assert places[b, s, h].item() == pytest.approx(total)
    steps, reached = before, []
    for t in range(T):
        steps = location.reach(query[:, t : t + 1], steps)[:, -1]
        reached.append(steps)
    torch.testing.assert_close(location.reach(query, before), torch.stack(reached, 1))


@pytest.mark.parametrize("coverage", ["none", "recurrent"])
@pytest.mark.parametrize("input_feeding", [False, True])
@pytest.mark.parametrize("attention_type", ["scaled_dot", "additive"])
def test_steps_give_what_the_whole_target_gives(coverage, input_feeding, attention_type):
    model = small(
        coverage_mechanism=coverage, input_feeding=input_feeding, attention_type=attention_type
    )
    source = torch.tensor([[4, 5, 6, 7, 3], [8, 9, 3, 0, 0]])
    target = torch.tensor([[2, 4, 5, 6, 7, 8], [2, 9, 8, 7, 6, 5]])
    with torch.no_grad():
        memory = model.encode(source, torch.tensor([5, 3]))
        whole = model.decode(target, memory)
        state = model.initial_state(memory)
        for position in range(target.shape[1]):
            logits, state, weights = model.step(target[:, position], state, memory)
            torch.testing.assert_close(logits, model.project(whole.output[:, position]).double())
            torch.testing.assert_close(weights, whole.weights[:, :, position])


def test_location_alone_makes_a_diagonal():
    """With contents that are all alike, position i looks at source token i."""
    model = small(attention_heads=1)
    location, attention = model.decoder.location, model.decoder.attention
    with torch.no_grad():
        for layer in (location.of_memory, location.of_query, attention.key):
            for parameter in layer.parameters():
                parameter.zero_()
        location.bias_width.fill_(-math.log(8))
        source = torch.tensor([[4, 5, 6, 7, 8, 9, 3]])
        memory = model.encode(source, torch.tensor([7]))
        weights = model.decode(torch.tensor([[2, 4, 5, 6, 7, 8, 9]]), memory).weights[0, 0]
    assert weights.argmax(1).tolist() == list(range(7))


def test_location_needs_attention():
    with pytest.raises(HyperparameterError, match="attention_location=progress: needs attention"):
        Hyperparameters(attention_type="none", attention_location="progress")
