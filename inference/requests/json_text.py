"""JSON text: values written piece by piece, which leaves other threads their turn.

One call to the library holds the interpreter until the whole value is written, and that takes
seconds where it is an alignment of millions of cells.
"""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["dump"]

_DIGITS = 4  # of an attention weight, enough to draw it


def dump(value: Any) -> str:
    """`value` as compact JSON; an array of two dimensions is a list of rows, rounded."""
    return "".join(_pieces(value))


def _pieces(value: Any) -> Iterator[str]:
    if _is_array(value):
        yield from _between("[]", ([_flat(row)] for row in _rows(value)))
    elif isinstance(value, dict) and not _is_flat(value.values()):
        members = ([_flat(name), ":", *_pieces(one)] for name, one in value.items())
        yield from _between("{}", members)
    elif isinstance(value, list) and not _is_flat(value):
        yield from _between("[]", (_pieces(one) for one in value))
    else:
        yield _flat(value)


def _between(marks: str, members: Iterable[Iterable[str]]) -> Iterator[str]:
    before = marks[0]
    for member in members:
        yield before
        yield from member
        before = ","
    yield marks[1] if before == "," else marks


def _rows(matrix: "NDArray[np.float32]") -> Iterator[list[float]]:
    for row in matrix:
        # In double precision, or the digits after the last one would show.
        yield row.astype("f8").round(_DIGITS).tolist()


def _is_array(value: Any) -> bool:
    """Tell without numpy, which is not imported before a request asks for an alignment."""
    return hasattr(value, "dtype")


def _is_flat(values: Iterable[Any]) -> bool:
    return not any(isinstance(value, dict | list) or _is_array(value) for value in values)


def _flat(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
