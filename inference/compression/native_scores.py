"""The score functions of attention by the kernels in C."""

from typing import Any, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray

from longspan.inference.compression.fast_attention import keys_for_search
from longspan.inference.compression.products import kernels
from longspan.inference.search.arrays import Floats, Integers

__all__ = ["Keys", "ScoreFunction", "Spans", "scores_of"]

# Start and number of each sentence's tokens, and the sentence of each row.
Spans = tuple[Integers, Integers, Integers]

# In float64 where the exponentials of `keys_for_search` would not fit a float32.
Keys = Floats | NDArray[np.float64]


class ScoreFunction(Protocol):
    """Query (rows, size) and keys (tokens, size) -> scores (rows, heads x longest)."""

    def keys(self, keys: Floats, /) -> Keys:
        """Return the keys as the scores need them; called once for each source."""
        ...

    def __call__(
        self, query: Floats, keys: Keys, spans: Spans, scores: Floats, heads: int, /
    ) -> None:
        """Write the scores of each row over the tokens of its sentence."""
        ...


def scores_of(attention_type: str, attention: Any) -> ScoreFunction:
    """Return the score function of `attention`, which is a `FastAdditive` for type additive."""
    found: ScoreFunction = _KINDS[attention_type](attention)
    return found


class _Dot:
    def __init__(self, attention: Any) -> None:
        self.factor = 1.0

    def keys(self, keys: Floats) -> Floats:
        return keys

    def __call__(self, query: Floats, keys: Keys, spans: Spans, scores: Floats, heads: int) -> None:
        kernels.dot(query, cast(Floats, keys), *spans, scores, heads, self.factor)


class _ScaledDot(_Dot):
    def __init__(self, attention: Any) -> None:
        self.factor = (attention.dimension // attention.heads) ** -0.5


class _Bilinear(_Dot):
    def __init__(self, attention: Any) -> None:
        super().__init__(attention)
        self.weight = attention.weight  # (heads, d, d)

    def __call__(self, query: Floats, keys: Keys, spans: Spans, scores: Floats, heads: int) -> None:
        # q W . k: the weights are applied to the query, so keys stay as they are. (rows, heads, 1,
        # d) @ (heads, d, d)
        by_head = torch.from_numpy(query).unflatten(1, (heads, 1, -1)) @ self.weight
        super().__call__(by_head.flatten(1).numpy(), keys, spans, scores, heads)


class _Additive:
    """Additive scores over the keys that `FastAdditive` prepared."""

    def __init__(self, attention: Any) -> None:
        self.v, self.bias = attention.v.flatten().numpy(), attention.bias.flatten().numpy()

    def keys(self, keys: Floats) -> Keys:
        found: Keys = keys_for_search(torch.from_numpy(keys)).numpy()
        return found

    def __call__(self, query: Floats, keys: Keys, spans: Spans, scores: Floats, heads: int) -> None:
        if keys.dtype == np.float32:
            held = cast(Floats, keys)
            kernels.additive(query, self.bias, self.v, held, *spans, scores, heads)
        else:
            self._score_plainly(query, keys, spans, scores.reshape(len(query), heads, -1))

    def _score_plainly(self, query: Floats, keys: Keys, spans: Spans, scores: Floats) -> None:
        """Compute as the kernel does, from keys that are not exponentials; scores by head."""
        start, length, owner = spans
        heads = scores.shape[1]
        for row, sentence in enumerate(owner):
            own = keys[start[sentence] : start[sentence] + length[sentence]]
            r = torch.sigmoid(torch.from_numpy(-2 * (query[row] + self.bias + own)))
            # (tokens, heads x d) -> (tokens, heads)
            by_head = (r.numpy() * self.v).reshape(len(own), heads, -1).sum(-1)
            scores[row, :, : len(own)] = by_head.T


_KINDS: dict[str, Any] = {
    "dot": _Dot,
    "scaled_dot": _ScaledDot,
    "bilinear": _Bilinear,
    "additive": _Additive,
}
