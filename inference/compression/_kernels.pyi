"""Kernels in C (kernels/) for CPUs with AVX512-VNNI; the module is missing where none was built.

Arrays are float32 and int64, rows without gaps within; what is called out, hidden, next_cell,
scores, context, chances and tokens is written. Wrong shapes and indices raise ValueError.
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
    """Whether this CPU has the instructions; without them the module has nothing else."""

def pack(integers: NDArray[np.int8], scale: _Floats, bias: _Floats, bounded: bool, /) -> Layer:
    """integers (outputs, inputs); an output is its sum times its scale, plus its bias. With
    `bounded` inputs lie between -1 and 1."""

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
    """An LSTM over sentences, longest first, whose tokens lie at start (sentences,) among gates
    (tokens, 4 x units) -> out (tokens, units)."""

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
    """One position: row i has the gates table[tokens[i]] + recurrent[order[i]], and goes on from
    cell[order[i]] -> hidden and next_cell (rows, units)."""

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
    """As `FastAdditive`: query (rows, size), keys (tokens, size), row i's sentence owner[i] ->
    scores (rows, heads x longest), untouched beyond the sentence."""

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
    """As `additive`, of factor x query . key."""

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
    """scores become weights, 0 beyond the sentence; values (tokens, size) give the context (rows,
    size)."""

def tanh_sum(x: _Floats, y: _Floats, /) -> None:
    """x becomes tanh(x + y)."""

def best(
    layer: Layer,
    x: _Floats,
    table: _Floats,
    kinds: _Integers,
    chances: _Floats,
    tokens: _Integers,
    /,
) -> None:
    """Of the layer's outputs as logits: the best of each row, (rows, count), best first, and the
    logarithms of their probabilities. To a row's logits comes the line kinds[row] of table (kinds,
    tokens + 1), 0 or -inf, its last column for all outputs from there on; what is barred so keeps
    its share."""
