"""`model`, both networks, against their equations: one sentence, position and head at a time."""

import math

import pytest
import torch

from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.model import Model

SMALL = {
    "rnn_num_hidden": 8,
    "num_embed_source": 6,
    "num_embed_target": 5,
    "attention_dimension": 6,
    "attention_heads": 2,
    "coverage_dimension": 3,
    "transformer_num_hidden": 8,
    "transformer_feed_forward": 10,
    "transformer_heads": 2,
}
SOURCE, TARGET = [5, 9, 4, 7, 8, 3], [2, 6, 4, 9, 5]


def build(**changes):
    torch.manual_seed(0)
    h = Hyperparameters(**SMALL | changes)
    return Model(h, 11, 12).double().eval(), h


@torch.no_grad()
def of_model(model):
    memory = model.encode(torch.tensor([SOURCE]), torch.tensor([len(SOURCE)]))
    decoded = model.decode(torch.tensor([TARGET]), memory)
    return model.project(decoded.output)[0], decoded.weights[0].double()


def lstm(kernel, inputs, h, c):
    outputs = []
    for x in inputs:
        gates = kernel.weight_ih_l0 @ x + kernel.bias_ih_l0
        i, f, g, o = (gates + kernel.weight_hh_l0 @ h + kernel.bias_hh_l0).chunk(4)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        outputs.append(h)
    return outputs, h, c


def gru(kernel, inputs, h, c):
    outputs = []
    for x in inputs:
        a = (kernel.weight_ih_l0 @ x + kernel.bias_ih_l0).chunk(3)
        b = (kernel.weight_hh_l0 @ h + kernel.bias_hh_l0).chunk(3)
        r, z = torch.sigmoid(a[0] + b[0]), torch.sigmoid(a[1] + b[1])
        h = (1 - z) * torch.tanh(a[2] + r * b[2]) + z * h
        outputs.append(h)
    return outputs, h, c


CELLS = {"lstm": lstm, "gru": gru}


def attention(module, kind, query, keys, values):
    """Context, and weights by head; query (size,), keys and values one vector a source token."""
    contexts, weights = [], []
    size = module.dimension // module.heads
    for head in range(module.heads):
        of_head = slice(head * size, (head + 1) * size)
        q, scores = (module.query.weight @ query)[of_head], []
        for key in keys:
            k = key[of_head]
            if kind == "additive":
                v = module.v[head]
                scores.append(sum(v * torch.tanh(q + module.bias[head, 0] + k)))
            elif kind == "bilinear":
                scores.append(sum(q * (module.weight[head] @ k)))
            else:
                scores.append(sum(q * k) / (math.sqrt(size) if kind == "scaled_dot" else 1))
        total = sum(math.exp(score) for score in scores)
        weights.append([math.exp(score) / total for score in scores])
        contexts.append(sum(w * v[of_head] for w, v in zip(weights[-1], values, strict=True)))
    return torch.cat(contexts), torch.tensor(weights, dtype=torch.float64)  # (heads, source)


def cover(unit, covered, weights, encoded, query):
    """Tu et al. 2016, equations 7 to 9: a gated unit for each source token."""
    after = []
    for j, c in enumerate(covered):
        inputs = unit.of_weights(weights[:, j]) + unit.of_memory(encoded[j]) + unit.of_query(query)
        z, r, new = inputs.chunk(3)
        of_z, of_r = (unit.gates.weight @ c).chunk(2)
        z, r = torch.sigmoid(z + of_z), torch.sigmoid(r + of_r)
        after.append((1 - z) * c + z * torch.tanh(new + unit.candidate.weight @ (r * c)))
    return after


def read_recurrently(encoder, h, embedded):
    cell, half = CELLS[h.rnn_cell_type], torch.zeros(h.rnn_num_hidden // 2, dtype=torch.float64)
    ahead, *_ = cell(encoder.forwards.kernel, embedded, half, half)
    back, *_ = cell(encoder.backwards.kernel, embedded[::-1], half, half)
    encoded = [torch.cat(both) for both in zip(ahead, back[::-1], strict=True)]
    last = torch.cat([ahead[-1], back[-1]])
    nothing = torch.zeros(h.rnn_num_hidden, dtype=torch.float64)
    for number, layer in enumerate(encoder.upper, start=2):
        outputs, *_ = cell(layer.kernel, encoded, nothing, nothing)
        if h.rnn_residual_connections and number >= h.rnn_first_residual_layer:
            outputs = [x + y for x, y in zip(outputs, encoded, strict=True)]
        encoded, last = outputs, outputs[-1]
    summary = {"last": last, "avg": sum(encoded) / len(encoded), "zero": nothing}
    return encoded, summary[h.rnn_decoder_state_init], last


@torch.no_grad()
def recurrent(model, h):
    encoder, decoder = model.encoder, model.decoder
    cell, units, layers = CELLS[h.rnn_cell_type], h.rnn_num_hidden, h.num_layers_decoder
    encoded, summary, last = read_recurrently(
        encoder, h, list(model.source_embedding.weight[SOURCE])
    )
    states = torch.zeros(decoder.bridge.out_features, dtype=torch.float64)
    if h.rnn_decoder_state_init != "zero":
        states = torch.tanh(decoder.bridge(summary))
    hidden = [part[:units] for part in states.view(layers, -1)]
    cells = [part[units:] for part in states.view(layers, -1)]
    feed = torch.zeros(decoder.output_size, dtype=torch.float64)
    covered = [torch.zeros(h.coverage_dimension, dtype=torch.float64) for _ in encoded]
    logits, all_weights = [], []
    for token in TARGET:
        x = model.target_embedding.weight[token]
        if h.input_feeding:
            x = torch.cat([x, feed])
        _, hidden[0], cells[0] = cell(decoder.first.kernel, [x], hidden[0], cells[0])
        query = x = hidden[0]
        values = [decoder.attention.value.weight @ e for e in encoded]
        if h.attention_type == "none":
            context = decoder.attention.value.weight @ last
            weights = torch.zeros(1, len(encoded), dtype=torch.float64)
        else:
            keys = [decoder.attention.key.weight @ e for e in encoded]
            if h.coverage_mechanism == "recurrent":
                to_keys = decoder.coverage.to_keys.weight
                keys = [k + to_keys @ c for k, c in zip(keys, covered, strict=True)]
            context, weights = attention(decoder.attention, h.attention_type, query, keys, values)
        if h.coverage_mechanism == "recurrent":
            covered = cover(decoder.coverage, covered, weights, encoded, query)
        for number, layer in enumerate(decoder.upper, start=1):
            joined = torch.cat([x, context])
            _, y, cells[number] = cell(layer.kernel, [joined], hidden[number], cells[number])
            hidden[number] = y
            residual = h.rnn_residual_connections and number + 1 >= h.rnn_first_residual_layer
            x = x + y if residual else y
        feed = torch.tanh(decoder.readout(torch.cat([x, context])))
        logits.append(model.projection(feed))
        all_weights.append(weights)
    return torch.stack(logits), torch.stack(all_weights, 1)


@pytest.mark.parametrize(
    "changes",
    [
        *({"attention_type": a} for a in ("none", "dot", "scaled_dot", "bilinear", "additive")),
        {"coverage_mechanism": "recurrent"},
        {"coverage_mechanism": "recurrent", "attention_type": "bilinear", "input_feeding": True},
        {"rnn_cell_type": "gru", "num_layers_encoder": 2, "num_layers_decoder": 2},
        {"num_layers_encoder": 3, "num_layers_decoder": 3, "rnn_residual_connections": True},
        {"rnn_decoder_state_init": "avg"},
        {"rnn_decoder_state_init": "zero"},
        {"tie_embeddings": "target"},
    ],
    ids=str,
)
def test_the_recurrent_network_is_its_equations(changes):
    model, h = build(**({"attention_heads": 1} if "none" in changes.values() else {}) | changes)
    logits, weights = of_model(model)
    expected, expected_weights = recurrent(model, h)
    torch.testing.assert_close(logits, expected)
    torch.testing.assert_close(weights, expected_weights)


def normalised(layer, x):
    variance = ((x - x.mean()) ** 2).mean()
    return (x - x.mean()) / torch.sqrt(variance + layer.eps) * layer.weight + layer.bias


def turned(x, position):
    """Su et al. 2021: pairs (i, i + d / 2) by position / 10000^(2 i / d)."""
    half, out = len(x) // 2, x.clone()
    for i in range(half):
        angle = position / 10_000 ** (2 * i / len(x))
        out[i] = x[i] * math.cos(angle) - x[i + half] * math.sin(angle)
        out[i + half] = x[i] * math.sin(angle) + x[i + half] * math.cos(angle)
    return out


def own_attention(module, h, inputs, t, shown):
    """What position t reads of the positions `shown` (Vaswani et al. 2017, section 3.2)."""
    size, read = h.transformer_num_hidden // h.transformer_heads, []
    rotary = h.transformer_positions == "rotary"
    for head in range(h.transformer_heads):
        parts = [
            module.inputs.weight.chunk(3)[i][head * size : (head + 1) * size] for i in range(3)
        ]
        q, scores = parts[0] @ inputs[t], []
        for s in shown:
            k = parts[1] @ inputs[s]
            score = sum(turned(q, t) * turned(k, s)) if rotary else sum(q * k)
            # Press et al. 2022, section 3
            lost = 0 if rotary else abs(t - s) * 2 ** (-8 * (head + 1) / h.transformer_heads)
            scores.append(score / math.sqrt(size) - lost)
        total = sum(math.exp(score) for score in scores)
        values = [parts[2] @ inputs[s] for s in shown]
        read.append(sum(math.exp(a) / total * v for a, v in zip(scores, values, strict=True)))
    return module.output(torch.cat(read))


def transformer_layer(layer, h, x, shown, cross=None):
    inputs = [normalised(layer.self_norm, row) for row in x]
    x = [
        row + own_attention(layer.own, h, inputs, t, [s for s in range(len(x)) if shown(t, s)])
        for t, row in enumerate(x)
    ]
    if cross is not None:
        x = [row + cross(layer, row) for row in x]
    first, last = layer.network[0], layer.network[3]
    return [row + last(first(normalised(layer.forward_norm, row)).clamp(min=0)) for row in x]


@torch.no_grad()
def transformer(model, h):
    encoder, decoder, window = model.encoder, model.decoder, h.transformer_window
    near = lambda t, s: not window or abs(t - s) <= window  # noqa: E731
    past = lambda t, s: s <= t and near(t, s)  # noqa: E731

    def entered(part, embedding, tokens):
        rows = embedding.weight[tokens] * math.sqrt(embedding.embedding_dim)
        return [part.enter.project(row) for row in rows]

    x = entered(encoder, model.source_embedding, SOURCE)
    for layer in encoder.layers:
        x = transformer_layer(layer, h, x, near)
    encoded = [normalised(encoder.norm, row) for row in x]
    weights = torch.zeros(decoder.layers[0].attention.heads, len(TARGET), len(SOURCE)).double()

    def cross(layer, row):
        module, values = layer.attention, [layer.attention.value.weight @ e for e in encoded]
        if h.attention_type == "none":
            return layer.output(sum(values) / len(values))
        keys = [module.key.weight @ e for e in encoded]
        query = normalised(layer.cross_norm, row)
        context, of_heads = attention(module, h.attention_type, query, keys, values)
        weights[:, len(seen) % len(TARGET)] += of_heads / len(decoder.layers)
        seen.append(row)
        return layer.output(context)

    seen = []
    y = entered(decoder, model.target_embedding, TARGET)
    for layer in decoder.layers:
        y = transformer_layer(layer, h, y, past, cross)
    logits = [model.projection(decoder.readout(normalised(decoder.norm, row))) for row in y]
    return torch.stack(logits), weights


@pytest.mark.parametrize(
    "changes",
    [
        *({"attention_type": a} for a in ("none", "dot", "scaled_dot", "bilinear", "additive")),
        {"transformer_positions": "alibi"},
        {"transformer_window": 2},
        {"num_embed_source": 8, "num_embed_target": 8, "tie_embeddings": "target"},
    ],
    ids=str,
)
def test_the_transformer_is_its_equations(changes):
    heads = {"attention_heads": 1} if "none" in changes.values() else {}
    layers = {"num_layers_encoder": 2, "num_layers_decoder": 2}
    model, h = build(architecture="transformer", **layers | heads | changes)
    logits, weights = of_model(model)
    expected, expected_weights = transformer(model, h)
    torch.testing.assert_close(logits, expected)
    torch.testing.assert_close(weights, expected_weights)
