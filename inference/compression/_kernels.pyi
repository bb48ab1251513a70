"""Kernels in C (kernels/) for CPUs with AVX512-VNNI; the module is missing where none was built.

Arrays are float32 or int64, and rows have no gaps within. The arrays out, hidden, next_cell,
scores, context, chances and tokens are written. Wrong shapes and indices raise ValueError.
"""

from typing import final

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float32]
_Integers = NDArray[np.int64]

INTERFACE: int

@final
class Layer:
    """A packed linear layer (a capsule)."""

def supported() -> bool:
    """Return whether this CPU has the instructions.

    Without them the module has no other function.
    """

def pack(integers: NDArray[np.int8], scale: _Floats, bias: _Floats, bounded: bool, /) -> Layer:
    """Pack a layer: integers (outputs, inputs), scale and bias (outputs,).

    An output is its sum of products times its scale, plus its bias. With `bounded`, inputs lie
    between -1 and 1.
    """

def linear(layer: Layer, x: _Floats, out: _Floats, /) -> None:
    """x (rows, inputs) -> out (rows, outputs)."""

def recur(
    layer: Layer,
    gates: _Floats,
    start: _Integers,
    length: _Integers,
    out: _Floats,
    backwards: bool,
    /,
) -> None:
    """Run an LSTM over sentences: gates (tokens, 4 x units) -> out (tokens, units).

    A sentence's tokens lie at its start. start and length are (sentences,), the longest first.
    """

def lstm(
    table: _Floats,
    tokens: _Integers,
    recurrent: _Floats,
    order: _Integers,
    cell: _Floats,
    hidden: _Floats,
    next_cell: _Floats,
    /,
) -> None:
    """Run one position of an LSTM: -> hidden and next_cell (rows, units).

    Row i has the gates table[tokens[i]] + recurrent[order[i]] and goes on from cell[order[i]].
    """

def additive(
    query: _Floats,
    bias: _Floats,
    v: _Floats,
    keys: _Floats,
    start: _Integers,
    length: _Integers,
    owner: _Integers,
    scores: _Floats,
    heads: int,
    /,
) -> None:
    """Additive scores as `FastAdditive` has them: query (rows, size), keys (tokens, size) -> scores
    (rows, heads x longest).

    Row i attends to the tokens of sentence owner[i]. Scores beyond the sentence stay as they are.
    """

def dot(
    query: _Floats,
    keys: _Floats,
    start: _Integers,
    length: _Integers,
    owner: _Integers,
    scores: _Floats,
    heads: int,
    factor: float,
    /,
) -> None:
    """Scores factor x query . key, in the layout of `additive`."""

def read(
    scores: _Floats,
    values: _Floats,
    start: _Integers,
    length: _Integers,
    owner: _Integers,
    context: _Floats,
    heads: int,
    /,
) -> None:
    """Read values (tokens, size) -> context (rows, size).

    Scores are overwritten with weights, which are 0 beyond the sentence.
    """

def tanh_sum(x: _Floats, y: _Floats, /) -> None:
    """Overwrite x with tanh(x + y)."""

def best(
    layer: Layer,
    x: _Floats,
    table: _Floats,
    kinds: _Integers,
    chances: _Floats,
    tokens: _Integers,
    /,
) -> None:
    """Find the best outputs of each row: log-probabilities and tokens, (rows, count), best first.

    The layer's outputs are logits. Line kinds[row] of table (kinds, tokens + 1), 0 or -inf, is
    added to a row's logits; its last column holds for all outputs of higher numbers. Forbidden
    outputs keep their share of the probability.
    """
