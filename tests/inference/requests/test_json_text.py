"""JSON written in pieces is what the library writes."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from longspan.inference.requests.responses import dump

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


@given(VALUES)
def test_any_value_is_written_as_the_library_does(value: object):
    assert dump(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def test_an_array_is_a_list_of_rows_with_four_digits():
    weights = np.array([[0.123456, 1.0], [0.00004, 2 / 3]], dtype=np.float32)
    assert dump({"alignment": weights}) == '{"alignment":[[0.1235,1.0],[0.0,0.6667]]}'
    assert dump([np.zeros((0, 3), np.float32), np.zeros((2, 0), np.float32)]) == "[[],[[],[]]]"
