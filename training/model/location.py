"""Location: attention scores by how far source and target have been read.

By content alone, attention cannot tell a phrase from the same phrase two clauses later, and a
recurrent state does not count past the lengths it was trained on. Here each side measures its own
progress. Every source token and every target position adds an amount that is predicted from its
encoding, and attention prefers source tokens whose sum is near that of the target position
(`progress`):

    c_j = sum over k <= j of softplus(u . h_k)      progress of the source up to token j
    t_i = sum over k <= i of softplus(w . s_k)      progress of the target up to position i
    score(i, j) = content(i, j) + near(t_i - c_j)
    near(d) = strength * (1 - sqrt(1 + ((d - offset) / width)^2))

Location-relative attention adds up increments of the target alone (Graves 2013, "Generating
Sequences With Recurrent Neural Networks", section 5.1; Battenberg et al. 2020, "Location-Relative
Attention Mechanisms for Robust Long-Form Speech Synthesis"). With sums on both sides it is enough
that both count the same things, for example clauses. Increments of the source alone are in Dong
and Xu 2020, "CIF".

The error of the difference of two sums grows with the square root of the length. `tracking`
corrects it. A first pass with a wider window finds the place m_i where attention would be. The
distance to it, averaged over the positions before, corrects the sum for the second pass:

    m_i = sum over j of softmax_j(content(i, j) + wider_near(t_i - c_j)) c_j
    o_i = (1 - rate) o_(i-1) + rate (m_(i-1) - t_(i-1)),  o_0 = 0
    score(i, j) = content(i, j) + near(t_i + o_i - c_j)

All positions are computed in parallel. Between steps of a search, one or two numbers for each head
are passed on. A step of a search reads a long source through a window around the place that the
target has reached, so its time does not grow with the source.
"""

import math

import torch
from torch import Tensor, nn

__all__ = ["Location", "near", "running_mean"]

# Initial values. Every token adds 1 at first, and widths are in the same unit.
_WIDTH, _WIDER = 8.0, 24.0
_STRENGTH = 2.0
_RATE = 0.1
# Source tokens on each side of the place reached that a step reads.
_WINDOW = 512


def near(
    reached: Tensor, places: Tensor, offset: Tensor, width: Tensor, strength: Tensor
) -> Tensor:
    """Return the part of the score that depends on distance: (batch, heads, target, source), <= 0.

    reached (batch, target, heads), places (batch, source, heads); offset, width and strength
    (heads,), the last two positive. The function is quadratic near 0 and linear far away, so that
    its gradient does not vanish there.
    """
    t = ((reached - offset) / width).transpose(1, 2)  # (batch, heads, target)
    c = (places / width).transpose(1, 2)  # (batch, heads, source)
    d = t[..., None] - c[:, :, None]
    scaled: Tensor = strength[:, None, None] * (1 - torch.sqrt(1 + d * d))
    return scaled


def running_mean(x: Tensor, rate: Tensor, before: Tensor) -> Tensor:
    """y_i = (1 - rate) y_(i-1) + rate x_i with y_(-1) = before: (batch, time, heads).

    x (batch, time, heads), rate (heads,), before (batch, heads). It takes log2(time) steps, each
    of which doubles the number of positions in a sum (Hillis and Steele 1986).
    """
    decay = 1 - rate
    # Invariant: y_i is the weighted sum of the last `reach` inputs, and of `before` if in reach.
    first = rate * x[:, :1] + decay * before[:, None]
    y = torch.cat([first, rate * x[:, 1:]], dim=1)
    reach = 1
    while reach < y.shape[1]:
        y = torch.cat([y[:, :reach], y[:, reach:] + decay**reach * y[:, :-reach]], dim=1)
        reach *= 2
    return y


class Location(nn.Module):
    """The progress of source and target, measured by each head, and the scores that follow.

    `carried` is the number of values that a sentence passes from step to step: the progress of
    each head, and with `tracking` its correction.
    """

    def __init__(self, query_size: int, memory_size: int, heads: int, kind: str) -> None:
        super().__init__()
        self.heads = heads
        self.tracks = kind == "tracking"
        self.carried = 2 * heads if self.tracks else heads
        self.of_memory = nn.Linear(memory_size, heads)
        self.of_query = nn.Linear(query_size, heads)
        self.bias_offset = nn.Parameter(torch.zeros(heads))
        self.bias_width = nn.Parameter(torch.zeros(heads))  # logarithms, as strengths are
        self.bias_strength = nn.Parameter(torch.zeros(heads))
        if self.tracks:
            self.bias_wider = nn.Parameter(torch.zeros(heads))
            self.bias_wider_strength = nn.Parameter(torch.zeros(heads))
            self.bias_rate = nn.Parameter(torch.zeros(heads))

    def places(self, encoded: Tensor) -> Tensor:
        """encoded (batch, source, memory) -> progress at each source token (batch, source, heads).

        It grows along the source.
        """
        return _increments(encoded, self.of_memory).cumsum(1)

    def forward(
        self, scores: Tensor, query: Tensor, before: Tensor, places: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Add the part of distance to the scores, and return the values for the next position.

        scores (batch, heads, target, source), query (batch, target, query size), before (batch,
        carried), places (batch, source, heads), mask (batch, source) true at real tokens. Returns
        scores of the same shape, and (batch, carried).
        """
        progress = before[:, : self.heads]
        # (batch, target, heads): progress at each target position
        reached = progress[:, None] + _increments(query, self.of_query).cumsum(1)
        if not self.tracks:
            return scores + self._near(reached, places), reached[:, -1]
        correction = before[:, None, self.heads :]  # (batch, 1, heads)
        error = self._mean_place(scores, reached, places, mask) - reached + self.bias_offset
        rate = torch.sigmoid(self.bias_rate + math.log(_RATE / (1 - _RATE)))
        corrections = torch.cat([correction, running_mean(error, rate, correction[:, 0])], dim=1)
        # The correction of a position is that after the position before it.
        located = scores + self._near(reached + corrections[:, :-1], places)
        return located, torch.cat([reached[:, -1], corrections[:, -1]], dim=-1)

    def window(self, before: Tensor, places: Tensor, lengths: Tensor) -> slice | None:
        """Return the source tokens that the next step reads; None for all of them.

        before (batch, carried), places (batch, source, heads), lengths (batch,). The window holds
        the places of all heads and sentences, and real tokens of each sentence.
        """
        source = places.shape[1]
        if source <= 2 * _WINDOW:
            return None
        reached = before[:, : self.heads]
        if self.tracks:
            reached = reached + before[:, self.heads :]
        # Places grow along the source: (batch, heads, 1) in (batch, heads, source)
        found = torch.searchsorted(places.transpose(1, 2).contiguous(), reached[..., None])
        first, last = min(int(found.min()), int(lengths.min())), int(found.max())
        return slice(max(0, first - _WINDOW), min(source, last + _WINDOW))

    def _mean_place(self, scores: Tensor, reached: Tensor, places: Tensor, mask: Tensor) -> Tensor:
        """Return the mean place of attention in the wider window: (batch, target, heads)."""
        width, strength = self.bias_wider.exp() * _WIDER, self.bias_wider_strength.exp()
        wider = scores + near(reached, places, self.bias_offset, width, strength * _STRENGTH)
        weights = wider.masked_fill(~mask[:, None, None, :], -math.inf).softmax(-1)
        # Sums reach into the hundreds, where bfloat16 has no fractions.
        with torch.autocast(places.device.type, enabled=False):
            # (batch, heads, target, source) @ (batch, heads, source, 1)
            seen = weights.to(places.dtype) @ places.transpose(1, 2)[..., None]
            return seen.squeeze(-1).transpose(1, 2)

    def _near(self, reached: Tensor, places: Tensor) -> Tensor:
        width, strength = self.bias_width.exp() * _WIDTH, self.bias_strength.exp() * _STRENGTH
        return near(reached, places, self.bias_offset, width, strength)


def _increments(x: Tensor, layer: nn.Linear) -> Tensor:
    """Return increments (batch, length, heads), 1 where the layer gives 0; in full precision."""
    with torch.autocast(x.device.type, enabled=False):
        raw: Tensor = layer(x.to(layer.weight.dtype))
        return nn.functional.softplus(raw) / math.log(2)
