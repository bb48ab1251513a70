"""Importance of hyperparameters whose effect is known."""

import numpy as np

from longspan.inference.evaluation.importance import LEAST_JOBS, importances


def jobs(count=60):
    dice = np.random.default_rng(1)
    return [
        {"kind": str(dice.choice(["a", "b"])), "size": float(dice.random()), "same": "1",
         "idle": str(dice.choice(["x", "y", "z"]))}
        for _ in range(count)
    ]  # fmt: skip


def test_what_decides_explains_all_and_what_does_nothing_explains_nothing():
    given = jobs()
    found = dict(importances(given, [1.0 if job["kind"] == "a" else 0.0 for job in given]))
    assert found["kind"] == 1
    assert found["idle"] < 0.1
    assert found["size"] < 0.1
    assert "same" not in found


def test_numbers_count_by_their_order():
    given = jobs()
    found = importances(given, [job["size"] for job in given])
    assert found[0][0] == "size"
    assert found[0][1] > 0.8


def test_shares_are_between_0_and_1_and_sorted():
    given = jobs(LEAST_JOBS)
    shares = [share for _, share in importances(given, [float(i % 3) for i in range(LEAST_JOBS)])]
    assert shares == sorted(shares, reverse=True)
    assert all(0 <= share <= 1 for share in shares)


def test_few_jobs_and_jobs_that_are_all_alike_say_nothing():
    assert importances(jobs(LEAST_JOBS - 1), [1.0] * (LEAST_JOBS - 1)) == []
    assert all(share == 0 for _, share in importances(jobs(), [2.0] * 60))
