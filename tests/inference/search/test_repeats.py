"""What a hypothesis must not say next, against plain loops."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from longspan.inference.search.repeats import Repeats

VOCABULARY = 4


def forbidden(ids, size):
    """Tokens that would end an n-gram which `ids` has."""
    if not size:
        return set()
    grams = {tuple(ids[i : i + size]) for i in range(len(ids) - size + 1)}
    last = tuple(ids[len(ids) - size + 1 :]) if size > 1 else ()
    return {token for token in range(VOCABULARY) if (*last, token) in grams}


@given(
    st.integers(0, 4),
    st.lists(st.tuples(st.permutations([0, 1, 2]), st.tuples(*[st.integers(0, 3)] * 3))),
)
def test_bars_what_would_come_twice(size, steps):
    repeats, rows = Repeats(3, size), [[], [], []]
    for order, tokens in steps:
        rows = [[*rows[parent], token] for parent, token in zip(order, tokens, strict=True)]
        repeats.grow(np.array(order), np.array(tokens))
    chances = np.full((3, VOCABULARY), -1.0, np.float32)
    candidates = np.tile(np.arange(VOCABULARY), (3, 1))
    wanted = [forbidden(ids, size) if len(ids) >= size else set() for ids in rows]
    assert repeats.most == max(map(len, wanted))
    found = repeats.bar(chances, candidates)
    for row, tokens in enumerate(wanted):
        barred = {token for token in range(VOCABULARY) if found[row, token] == -np.inf}
        # Where all is barred, nothing is.
        assert barred == (tokens if len(tokens) < VOCABULARY else set())
    assert (chances == -1).all()
