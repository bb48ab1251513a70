"""The limit of an output's length follows the training pairs."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from longspan.training.model.output_length import OFFSET, length_factor


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(1, 900)), min_size=1, max_size=300))
def test_nearly_every_training_pair_fits_and_the_mean_does_with_room(pairs):
    sources, targets = np.array(pairs, np.int32).T
    factor = length_factor(sources, targets)
    # Rounding takes at most half a hundredth of a token for each source token.
    fits = targets <= np.ceil((factor + 0.005) * sources) + OFFSET
    assert (~fits).sum() <= 0.01 * len(pairs) + 1
    # Rounded to two digits, which a float may be a little off.
    assert factor >= 1.5 * targets.sum() / sources.sum() - 0.0051


def test_a_few_pairs_that_are_no_translations_change_little():
    sources = np.full(1000, 20)
    targets = np.full(1000, 22)
    targets[:5] = 2000
    assert length_factor(sources, targets) < 25
    targets[:5] = 22
    assert length_factor(sources, targets) == 1.65
