"""JSON documents as somebody edits them by hand: each value in turn becomes another one."""

import copy
import functools
import operator
from collections.abc import Iterator
from typing import Any

__all__ = ["altered", "places"]


def places(value: Any, *above: Any) -> Iterator[tuple[Any, ...]]:
    """The way to every value below; of lists to the first alone."""
    items = value.items() if isinstance(value, dict) else enumerate(value[:1])
    for name, one in items:
        yield (*above, name)
        if isinstance(one, dict | list):
            yield from places(one, *above, name)


def altered(document: Any, way: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at its end; without any for `...`."""
    *above, last = way
    copied = copy.deepcopy(document)
    holder = functools.reduce(operator.getitem, above, copied)
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return copied
