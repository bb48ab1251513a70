"""Bootstrap and significance against plain loops, and on cases with a known answer."""

import numpy as np
import pytest

from longspan.inference.evaluation.bootstrap import compare, interval
from longspan.training.scores import bleu_of


def mean(sums):
    """A score whose sampling distribution is known: column 0 over column 1."""
    return sums[..., 0] / sums[..., 1]


def measured(values):
    return np.stack([np.asarray(values, dtype=float), np.ones(len(values))], axis=1)


def test_the_interval_of_a_mean_is_the_normal_one():
    values = np.random.default_rng(5).normal(10, 2, size=900)
    found = interval(measured(values), mean, resamples=4000)
    error = values.std() / np.sqrt(len(values))
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_resampling_is_what_a_plain_loop_does():
    counts = np.random.default_rng(0).integers(1, 9, size=(7, 10)).astype(float)
    counts[:, 2:6] = np.minimum(counts[:, 2:6], counts[:, 6:])
    generator = np.random.default_rng(3)
    scores = []
    for _ in range(200):
        drawn = generator.integers(7, size=7)
        scores.append(float(bleu_of(sum(counts[i] for i in drawn))))
    found = interval(counts, bleu_of, resamples=200, seed=3)
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(scores, [2.5, 97.5])))


def test_blocks_do_not_change_the_result(monkeypatch):
    counts = measured(np.arange(50))
    whole = interval(counts, mean), compare(counts, counts * [1.1, 1], mean)
    monkeypatch.setattr("longspan.inference.evaluation.bootstrap._WEIGHTS_AT_A_TIME", 120)
    parts = interval(counts, mean), compare(counts, counts * [1.1, 1], mean)
    assert whole == parts


def test_equal_outputs_do_not_differ():
    counts = measured(np.random.default_rng(1).normal(size=40))
    same = compare(counts, counts.copy(), mean)
    assert (same.difference, same.interval.low, same.interval.high) == (0, 0, 0)
    assert same.p_value == 1


def test_a_clear_gain_is_significant_and_its_reverse_as_much():
    generator = np.random.default_rng(2)
    base = generator.normal(size=200)
    better = measured(base + 0.5 + generator.normal(0, 0.2, size=200))
    up, down = compare(better, measured(base), mean), compare(measured(base), better, mean)
    assert up.p_value == pytest.approx(1 / 1001)
    assert up.interval.low > 0
    assert down.difference == pytest.approx(-up.difference)
    assert down.p_value == up.p_value


def test_noise_is_called_significant_as_rarely_as_promised():
    generator = np.random.default_rng(4)
    values = [
        compare(
            measured(generator.normal(size=30)),
            measured(generator.normal(size=30)),
            mean,
            resamples=200,
            seed=trial,
        ).p_value
        for trial in range(200)
    ]
    assert sum(p <= 0.05 for p in values) <= 20  # 10 expected
    assert 0.4 < np.mean(values) < 0.6


def test_one_segment_proves_nothing():
    assert compare(measured([1.0]), measured([0.0]), mean).p_value == 1
