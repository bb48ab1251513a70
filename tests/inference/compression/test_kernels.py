"""The native kernels against plain loops and against torch, and what they refuse.

Where they were not built, or the CPU lacks their instructions, there is nothing to test.
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from longspan.inference.compression import products
from longspan.inference.compression.compressed_model import CompressedModel
from longspan.inference.compression.products import (
    EightBits,
    NativeProduct,
    TorchProduct,
    has_native_kernels,
    kernels,
)
from longspan.inference.search.candidates import best_tokens
from longspan.inference.search.search import SearchSettings, search
from longspan.inference.search.spelling import Bars, Spelling
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.model import Model
from longspan.training.tokenizer.tokenizer import EOS

pytestmark = [
    pytest.mark.processor,
    pytest.mark.skipif(not has_native_kernels(), reason="no native kernels here"),
]

SIZES = st.integers(1, 70)
ROWS = st.integers(1, 33)


def floats(generator: np.random.Generator, *shape: int) -> np.ndarray:
    return generator.uniform(-1, 1, shape).astype(np.float32)


def layer(generator: np.random.Generator, outputs: int, inputs: int, *, bounded: bool) -> EightBits:
    weight, bias = (
        torch.from_numpy(floats(generator, *s)) for s in ((outputs, inputs), (outputs,))
    )
    return EightBits.of(weight, bias, bounded=bounded)


@settings(max_examples=60, deadline=None)
@given(ROWS, SIZES, st.integers(1, 200), st.booleans(), st.integers(0, 9))
def test_a_product_is_that_of_the_integers(rows, inputs, outputs, bounded, seed):
    generator = np.random.default_rng(seed)
    bits = layer(generator, outputs, inputs, bounded=bounded)
    x = floats(generator, rows, inputs) * (1 if bounded else 5)
    peak = np.ones((rows, 1), np.float32) if bounded else np.abs(x).max(1, keepdims=True)
    whole = np.floor(x / np.maximum(peak, 1e-12) * np.float32(127) + np.float32(128.5)) - 128
    sums = whole.astype(np.int64) @ bits.integers.numpy().astype(np.int64).T
    expected = sums * bits.scale.numpy() / 127 * peak + bits.bias.numpy()
    found = NativeProduct(bits).of(x)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    # A row alone goes another way through the registers, to the same integers.
    assert np.array_equal(NativeProduct(bits).of(x[-1:])[0], found[-1])


@pytest.mark.parametrize("bounded", [True, False])
@pytest.mark.parametrize("rows", [1, 2, 9, 33])
def test_a_product_is_that_of_torch(rows, bounded):
    generator = np.random.default_rng(rows)
    bits = layer(generator, 100, 65, bounded=bounded)
    x = torch.from_numpy(floats(generator, rows, 65))
    torch.testing.assert_close(NativeProduct(bits)(x), TorchProduct(bits)(x))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x.astype(np.float64)))


@settings(max_examples=40, deadline=None)
@given(ROWS, SIZES, st.integers(0, 9))
def test_a_position_of_an_lstm(rows, units, seed):
    generator = np.random.default_rng(seed)
    table, recurrent = 4 * floats(generator, 7, 4 * units), floats(generator, 5, 4 * units)
    cell = 3 * floats(generator, 5, units)
    tokens, order = generator.integers(0, 7, rows), generator.integers(0, 5, rows)
    hidden, after = np.empty((rows, units), np.float32), np.empty((rows, units), np.float32)
    kernels.lstm(table, tokens, recurrent, order, cell, hidden, after)
    first, forget, candidate, last = np.split(table[tokens] + recurrent[order], 4, axis=1)
    expected = sigmoid(forget) * cell[order] + sigmoid(first) * np.tanh(candidate / 2)
    np.testing.assert_allclose(after, expected, atol=2e-6)
    np.testing.assert_allclose(hidden, sigmoid(last) * np.tanh(expected), atol=2e-6)


@pytest.mark.parametrize("backwards", [False, True])
def test_an_lstm_over_ragged_sentences(backwards):
    generator = np.random.default_rng(1)
    units, lengths = 24, [7, 7, 3, 1]
    product = NativeProduct(layer(generator, 4 * units, units, bounded=True))
    starts = [4, 11, 1, 0]
    gates, out = floats(generator, 18, 4 * units), np.empty((18, units), np.float32)
    kernels.recur(product.packed, gates, np.array(starts), np.array(lengths), out, backwards)
    for start, length in zip(starts, lengths, strict=True):
        hidden = cell = np.zeros((1, units), np.float32)
        places = range(start, start + length)
        for place in reversed(places) if backwards else places:
            before = hidden, cell
            hidden, cell = np.empty_like(hidden), np.empty_like(cell)
            at, zero = np.array([place]), np.array([0])
            kernels.lstm(gates, at, product.of(before[0]), zero, before[1], hidden, cell)
            np.testing.assert_array_equal(out[place], hidden[0])


@settings(max_examples=40, deadline=None)
@given(ROWS, st.sampled_from([1, 4]), st.integers(1, 40), st.integers(0, 9))
def test_attention_of_ragged_sentences(rows, heads, width, seed):
    generator = np.random.default_rng(seed)
    length = generator.integers(1, 40, 3)
    start, size = np.cumsum(length) - length, heads * width
    owner = generator.integers(0, 3, rows)
    query, keys, values = (floats(generator, n, size) for n in (rows, length.sum(), length.sum()))
    bias, v = floats(generator, size), floats(generator, size)
    scores = np.full((2, rows, heads * length.max()), np.nan, np.float32)
    kernels.dot(query, keys, start, length, owner, scores[0], heads, 0.5)
    exponentials = np.exp(2 * keys)
    kernels.additive(query, bias, -2 * v, exponentials, start, length, owner, scores[1], heads)
    context = np.empty((rows, size), np.float32)
    plain = scores.copy().reshape(2, rows, heads, -1)
    kernels.read(scores[0], values, start, length, owner, context, heads)
    for i, sentence in enumerate(owner):
        own = slice(start[sentence], start[sentence] + length[sentence])
        for head in range(heads):
            part = slice(head * width, (head + 1) * width)
            q, k = query[i, part].astype(np.float64), keys[own, part].astype(np.float64)
            dots, sums = 0.5 * k @ q, np.tanh(q + bias[part] + k) @ v[part] - v[part].sum()
            count = length[sentence]
            np.testing.assert_allclose(plain[0, i, head, :count], dots, atol=2e-5)
            np.testing.assert_allclose(plain[1, i, head, :count], sums, atol=2e-5)
            weights = scores[0].reshape(rows, heads, -1)[i, head]
            expected = np.exp(dots - dots.max()) / np.exp(dots - dots.max()).sum()
            np.testing.assert_allclose(weights[:count], expected, atol=2e-6)
            assert not weights[count:].any()
            np.testing.assert_allclose(context[i, part], expected @ values[own, part], atol=2e-5)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(5, 1000), st.integers(1, 9), st.integers(0, 9))
def test_the_best_outputs_are_those_of_the_logits(rows, outputs, count, seed):
    generator = np.random.default_rng(seed)
    product = NativeProduct(layer(generator, outputs, 64, bounded=True))
    x, kinds = floats(generator, rows, 64), generator.integers(0, 3, rows)
    # Two outputs that never come; in the third kind of row, one more and all after the fifth.
    table = np.zeros((3, 6), np.float32)
    table[:, [0, 2]] = table[2, [1, 5]] = -np.inf
    bars, count = Bars(table, kinds), min(count, outputs)
    chances, tokens = np.empty((rows, count), np.float32), np.empty((rows, count), np.int64)
    kernels.best(product.packed, x, table, kinds, chances, tokens)
    logits = torch.from_numpy(product.of(x)).double()
    expected = logits.log_softmax(1)
    full = table[:, np.minimum(np.arange(outputs), 5)]
    expected += torch.from_numpy(full[kinds])
    best, _ = expected.topk(count, dim=1)
    np.testing.assert_allclose(chances, best, atol=2e-5)
    np.testing.assert_allclose(expected.gather(1, torch.from_numpy(tokens)), best, atol=2e-5)
    assert all(len(set(row)) == count for row in tokens.tolist())
    torch.testing.assert_close(
        best_tokens(logits.float(), count, bars)[0], torch.from_numpy(chances)
    )


def test_what_is_not_a_number_stays_so():
    bits = layer(np.random.default_rng(0), 100, 64, bounded=True)
    bits.scale[77] = torch.nan
    chances, tokens = np.empty((3, 4), np.float32), np.empty((3, 4), np.int64)
    x = np.zeros((3, 64), np.float32)
    table, kinds = np.zeros((1, 5), np.float32), np.zeros(3, np.int64)
    kernels.best(NativeProduct(bits).packed, x, table, kinds, chances, tokens)
    assert np.isnan(chances).all()
    assert ((tokens >= 0) & (tokens < 100)).all()


def test_what_does_not_fit_is_refused():
    def f(*shape: int) -> np.ndarray:
        return np.zeros(shape, np.float32)

    def i(*numbers: int) -> np.ndarray:
        return np.array(numbers)

    packed = NativeProduct(layer(np.random.default_rng(0), 8, 2, bounded=True)).packed
    wrong = [
        (kernels.linear, (packed, f(3, 4), f(3, 8))),
        (kernels.linear, (packed, f(3, 2), f(3, 7))),
        (kernels.linear, (packed, f(3, 2).astype(np.float64), f(3, 8))),
        (kernels.linear, (packed, f(3, 4)[:, ::2], f(3, 8))),
        (kernels.linear, (packed, f(3, 2)[::-1], f(3, 8))),
        (kernels.pack, (np.zeros((8, 2), np.int8), f(7), f(8), True)),
        (kernels.lstm, (f(5, 8), i(5), f(1, 8), i(0), f(1, 2), f(1, 2), f(1, 2))),
        (kernels.lstm, (f(5, 8), i(0), f(1, 8), i(-1), f(1, 2), f(1, 2), f(1, 2))),
        (kernels.recur, (packed, f(5, 8), i(0, 2), i(2, 4), f(5, 2), False)),
        (kernels.recur, (packed, f(5, 8), i(0, 2), i(2, 3), f(5, 2), False)),
        (kernels.dot, (f(1, 4), f(3, 4), i(0), i(3), i(1), f(1, 3), 1, 1.0)),
        (kernels.dot, (f(1, 4), f(3, 4), i(1), i(3), i(0), f(1, 3), 1, 1.0)),
        (kernels.dot, (f(1, 4), f(3, 4), i(0), i(3), i(0), f(1, 2), 1, 1.0)),
        (kernels.dot, (f(1, 4), f(3, 4), i(0), i(3), i(0), f(1, 3), 3, 1.0)),
        (kernels.read, (f(1, 3), f(3, 4), i(0), i(0), i(0), f(1, 4), 1)),
        (kernels.tanh_sum, (f(2, 3), f(3, 2))),
        (kernels.best, (packed, f(1, 2), f(1, 5), i(0), f(1, 9), np.zeros((1, 9), np.int64))),
        (kernels.best, (packed, f(1, 2), f(1, 5), i(1), f(1, 8), np.zeros((1, 8), np.int64))),
        (kernels.best, (packed, f(1, 2), f(1, 0), i(0), f(1, 8), np.zeros((1, 8), np.int64))),
    ]
    for function, arguments in wrong:
        with pytest.raises(ValueError, match="expected"):
            function(*arguments)


def build(**changes: str) -> tuple[Model, Hyperparameters]:
    sizes = ("rnn_num_hidden", "num_embed_source", "num_embed_target", "attention_dimension")
    hyperparameters = Hyperparameters.parse(dict.fromkeys(sizes, "64") | changes)
    torch.manual_seed(3)
    model = Model(hyperparameters, 90, 90)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.0)  # so that one token is clearly the best
    return model.eval(), hyperparameters


@pytest.fixture
def single_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


KINDS = {
    "additive": {"attention_type": "additive"},
    "additive heads": {"attention_type": "additive", "attention_heads": "4"},
    "dot tied": {"attention_type": "dot", "tie_embeddings": "all"},
    "scaled_dot heads": {"attention_type": "scaled_dot", "attention_heads": "4"},
    "bilinear heads": {"attention_type": "bilinear", "attention_heads": "4"},
    "layers": {"num_layers_encoder": "3", "rnn_residual_connections": "true"},
    "average state": {"rnn_decoder_state_init": "avg"},
    "zero state": {"rnn_decoder_state_init": "zero"},
    "progress": {"attention_location": "progress", "attention_heads": "2"},
    "tracking": {"attention_location": "tracking"},
}
# Of the vocabulary's 90 tokens 80 spell bytes: first ones of three, and those that follow.
HIGH_BYTES = Spelling(dict(enumerate([*range(0xE0, 0xF0), *range(0x80, 0xC0)], start=10)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("beam", "size"), [(1, 0), (1, 2), (5, 0), (5, 2)])
@pytest.mark.usefixtures("single_thread")
def test_a_search_finds_what_it_finds_with_torch(kind, beam, size, monkeypatch):
    model, hyperparameters = build(**KINDS[kind])
    fast = CompressedModel(model, hyperparameters)
    assert fast.own_walk is not None
    monkeypatch.setattr(products, "_usable", False)
    slow = CompressedModel(model, hyperparameters)
    assert slow.own_walk is None
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, 20, (33,), generator=generator)
    source = torch.randint(4, 90, (33, int(lengths.max())), generator=generator)
    source.masked_fill_(torch.arange(source.shape[1]) >= lengths[:, None], 0)
    options = SearchSettings(
        beam_size=beam,
        length_penalty=0.6,
        coverage_penalty=0.1,
        max_length=12,
        with_alignment=True,
        no_repeat_ngram_size=size,
    )
    found = (search(m, source, lengths, options, HIGH_BYTES) for m in (fast, slow))
    pairs = zip(*found, strict=True)
    same = 0
    for (found, *_), (expected, *_) in pairs:
        # A number near a half may be rounded the other way, and lead another way from there.
        assert found.log_probability == pytest.approx(expected.log_probability, abs=2.0)
        if found.ids == expected.ids:
            same += 1
            assert found.score == pytest.approx(expected.score, abs=0.05)
            np.testing.assert_allclose(found.alignment, expected.alignment, atol=0.05)
    assert same >= 28


@pytest.mark.parametrize("beam", [1, 5])
@pytest.mark.usefixtures("single_thread")
def test_the_kernels_keep_the_least_length(beam):
    model, hyperparameters = build()
    with torch.no_grad():
        model.projection.bias[EOS] = 1e3  # the end is the best token at every step
    fast = CompressedModel(model, hyperparameters)
    assert fast.own_walk is not None
    source = torch.randint(4, 90, (3, 6), generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([6, 6, 6])
    for least in (0, 1, 5, 20):
        options = SearchSettings(beam_size=beam, min_length=least)
        for spelling in (Spelling(), HIGH_BYTES):
            for [best, *_] in search(fast, source, lengths, options, spelling):
                # A character that has begun is ended first.
                assert least <= len(best.ids) <= least + 2 * (spelling is HIGH_BYTES)
                assert best.finished
