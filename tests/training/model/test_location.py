"""Location scores against plain loops, and what the decoder makes of them."""

import math

import pytest
import torch

from longspan.training.errors import HyperparameterError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.location import Location, near, running_mean
from longspan.training.model.model import Model

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


def test_near_is_the_equation():
    reached, places, offset = tensors((B, T, H), (B, S, H), (H,))
    width, strength = (x.exp() for x in tensors((H,), (H,), seed=1))
    got = near(reached, places, offset, width, strength)
    assert got.shape == (B, H, T, S)
    for b in range(B):
        for h in range(H):
            for t in range(T):
                for s in range(S):
                    d = (reached[b, t, h] - places[b, s, h] - offset[h]).item() / width[h].item()
                    expected = strength[h].item() * (1 - math.sqrt(1 + d * d))
                    assert got[b, h, t, s].item() == pytest.approx(expected, abs=1e-12)


def test_a_running_mean_is_its_recursion():
    for length in (1, 2, 3, 7, 8, 20):
        x, before, raw = tensors((B, length, H), (B, H), (H,))
        rate, y = torch.sigmoid(raw), before
        got = running_mean(x, rate, before)
        for t in range(length):
            y = (1 - rate) * y + rate * x[:, t]
            torch.testing.assert_close(got[:, t], y)


def layer_sums(layer, x):
    """Increments as plain numbers, summed along x (batch, length, size), of one head."""
    weight, bias = layer.weight.tolist(), layer.bias.tolist()
    sums = []
    for row in x.tolist():
        totals = [[0.0] * H]
        for vector in row:
            raw = [
                sum(w * v for w, v in zip(weight[h], vector, strict=True)) + bias[h]
                for h in range(H)
            ]
            grown = [math.log1p(math.exp(r)) / math.log(2) for r in raw]
            totals.append([a + g for a, g in zip(totals[-1], grown, strict=True)])
        sums.append(totals[1:])
    return sums


def loop_location(location, scores, query, before, encoded, lengths):
    """The module's docstring, number by number: located scores and what is carried."""
    places, sums = layer_sums(location.of_memory, encoded), layer_sums(location.of_query, query)
    after = before.clone()
    located = torch.zeros_like(scores)
    for b in range(B):
        for h in range(H):
            offset = location.bias_offset[h].item()
            width = 8 * math.exp(location.bias_width[h].item())
            strength = 2 * math.exp(location.bias_strength[h].item())
            correction = before[b, H + h].item() if location.tracks else 0.0
            for t in range(T):
                reached = before[b, h].item() + sums[b][t][h]
                c = [places[b][s][h] for s in range(S)]

                def far(at, s, w, g, c=c, offset=offset):
                    return g * (1 - math.sqrt(1 + ((at - c[s] - offset) / w) ** 2))

                for s in range(S):
                    own = scores[b, h, t, s].item()
                    located[b, h, t, s] = own + far(reached + correction, s, width, strength)
                after[b, h] = reached
                if location.tracks:
                    wider = 24 * math.exp(location.bias_wider[h].item())
                    strong = 2 * math.exp(location.bias_wider_strength[h].item())
                    rate = 1 / (1 + 9 * math.exp(-location.bias_rate[h].item()))
                    seen = [
                        math.exp(scores[b, h, t, s].item() + far(reached, s, wider, strong))
                        for s in range(lengths[b])
                    ]
                    mean = sum(w * c[s] for s, w in enumerate(seen)) / sum(seen)
                    error = mean - reached + offset
                    correction = (1 - rate) * correction + rate * error
                    after[b, H + h] = correction
    return located, after


def build_location(kind):
    torch.manual_seed(0)
    location = Location(7, 5, H, kind).double()
    with torch.no_grad():
        for name, parameter in location.named_parameters():
            if name.startswith("bias_"):
                parameter.normal_(std=0.5)
    return location


@pytest.mark.parametrize("kind", ["progress", "tracking"])
def test_located_scores_are_those_of_plain_loops(kind):
    location = build_location(kind)
    scores, query, before, encoded = tensors(
        (B, H, T, S), (B, T, 7), (B, location.carried), (B, S, 5)
    )
    lengths = [S, S - 2]
    mask = torch.arange(S)[None] < torch.tensor(lengths)[:, None]
    with torch.no_grad():
        got = location(scores, query, before, location.places(encoded), mask)
        expected = loop_location(location, scores, query, before, encoded, lengths)
    torch.testing.assert_close(got[0], expected[0])
    torch.testing.assert_close(got[1], expected[1])


@pytest.mark.parametrize("kind", ["progress", "tracking"])
def test_gradients(kind):
    location = build_location(kind)
    inputs = tensors((1, H, 3, S), (1, 3, 7), (1, location.carried), (1, S, 5))
    mask = torch.tensor([[True] * (S - 1) + [False]])
    parameters = dict(location.named_parameters())

    def located(scores, query, before, encoded, *values):
        for name, value in zip(parameters, values, strict=True):
            owner, _, last = name.rpartition(".")
            location.get_submodule(owner)._parameters[last] = value
        return location(scores, query, before, location.places(encoded), mask)

    given = [x.detach().requires_grad_() for x in (*inputs, *parameters.values())]
    assert torch.autograd.gradcheck(located, given)


def test_tracking_takes_a_wrong_count_out():
    """A target that counts a tenth less than the source is corrected by where content is."""
    length, size = 200, 8
    location = Location(size, size, 1, "tracking").double()
    with torch.no_grad():
        for layer in (location.of_memory, location.of_query):
            layer.weight.zero_()
            layer.bias.zero_()
        location.of_query.bias.fill_(math.log(2**0.9 - 1))
    alike = torch.zeros(1, length, size, dtype=torch.float64)
    scores = torch.full((1, 1, length, length), 0.0, dtype=torch.float64)
    scores[0, 0].fill_diagonal_(8.0)
    places = location.places(alike)
    mask = torch.ones(1, length, dtype=torch.bool)
    with torch.no_grad():
        _, after = location(scores, alike, torch.zeros(1, 2, dtype=torch.float64), places, mask)
    progress, correction = after[0].tolist()
    assert progress == pytest.approx(0.9 * length)
    assert progress + correction == pytest.approx(length, abs=2)


@pytest.mark.parametrize("coverage", ["none", "recurrent"])
@pytest.mark.parametrize("input_feeding", [False, True])
@pytest.mark.parametrize("kind", ["progress", "tracking"])
def test_steps_give_what_the_whole_target_gives(coverage, input_feeding, kind):
    model = small(coverage_mechanism=coverage, input_feeding=input_feeding, attention_location=kind)
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


def walked(model, source, lengths, steps=12):
    """Weights (step, batch, heads, source) of a greedy walk, and the last logits."""
    with torch.inference_mode():
        memory = model.encode(source, lengths)
        state, previous, seen = model.initial_state(memory), torch.full((len(source),), 2), []
        for _ in range(steps):
            logits, state, weights = model.step(previous, state, memory)
            previous = logits.argmax(-1)
            seen.append(weights)
    return torch.stack(seen), logits


def narrow(kind, width):
    """A model whose attention keeps close to the place that it has reached."""
    torch.manual_seed(4)
    h = Hyperparameters.parse(
        {"rnn_num_hidden": "8", "num_embed_source": "4", "num_embed_target": "4",
         "attention_dimension": "8", "attention_heads": "2", "attention_location": kind}
    )  # fmt: skip
    model = Model(h, 9, 9).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(("bias_width", "bias_wider")):
                parameter.fill_(width)
    return model


@pytest.mark.parametrize(("kind", "width"), [("progress", -2.0), ("tracking", -3.0)])
def test_a_step_reads_a_long_source_through_a_window_and_finds_the_same(kind, width, monkeypatch):
    model = narrow(kind, width)
    source = torch.randint(4, 9, (2, 90))
    lengths = torch.tensor([90, 80])
    whole, logits = walked(model, source, lengths)
    monkeypatch.setattr("longspan.training.model.location._WINDOW", 20)
    near, found = walked(model, source, lengths)
    assert near.shape == whole.shape
    torch.testing.assert_close(near, whole, atol=1e-5, rtol=0)
    torch.testing.assert_close(found, logits, atol=1e-5, rtol=1e-5)
    assert (near[0, ..., 40:] == 0).all()
    # Far weights are tiny without the window; those of tracking are too small for a float.
    assert kind == "tracking" or (whole[0, ..., 40:80] > 0).any()


def test_a_window_holds_tokens_of_every_sentence(monkeypatch):
    monkeypatch.setattr("longspan.training.model.location._WINDOW", 3)
    model = narrow("tracking", 0.0)
    with torch.no_grad():  # the target runs ahead of the source
        model.decoder.location.of_query.bias.fill_(12.0)
    source = torch.randint(4, 9, (3, 60))
    weights, logits = walked(model, source, torch.tensor([60, 5, 31]))
    assert not logits.isnan().any()
    torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:3]))
    assert (weights[:, 1, :, 5:] == 0).all()


def test_a_source_of_two_windows_is_read_whole():
    location = narrow("tracking", 0.0).decoder.location
    before, places = torch.zeros(1, location.carried), torch.arange(1030.0)[None, :, None]
    places = places.expand(-1, -1, location.heads)
    assert location.window(before, places[:, :1024], torch.tensor([1024])) is None
    assert location.window(before, places, torch.tensor([1030])) == slice(0, 512)
    assert location.window(before + 300, places, torch.tensor([1030])) == slice(88, 1030)
