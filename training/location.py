"""Location: attention that knows how far source and target have been read.

Content alone cannot tell a phrase from the same phrase two clauses on, and a state that counts
does not count past the lengths it was trained on. Here each side measures its own progress: every
source token and every target position adds a little, predicted from its encoding, and the
attention prefers source tokens whose sum is near that of the target position:

    c_j = sum over k <= j of softplus(u . h_k)      progress of the source up to token j
    t_i = sum over k <= i of softplus(w . s_k)      progress of the target up to position i
    d   = (t_i - c_j - offset) / width
    score(i, j) = content(i, j) - strength * (sqrt(1 + d^2) - 1)

Location-relative attention adds up increments of the target alone (Graves 2013, "Generating
Sequences With Recurrent Neural Networks", section 5.1; Battenberg et al. 2020, "Location-Relative
Attention Mechanisms for Robust Long-Form Speech Synthesis"): its error grows with the length. A
sum on both sides need only count the same things (clauses, say) to stay in step, as increments of
the source alone do in Dong and Xu 2020, "CIF". Sums run in parallel over time, and the step of a
search carries one number a head.
"""

import math

import torch
from torch import Tensor, nn

__all__ = ["Location", "location_scores"]

# At first every token counts 1, and a width is so many tokens.
_WIDTH = 8.0
_STRENGTH = 2.0


def location_scores(
    reached: Tensor, places: Tensor, offset: Tensor, width: Tensor, strength: Tensor
) -> Tensor:
    """What distance takes off the score: at most 0, (batch, heads, target, source).

    reached (batch, target, heads), places (batch, source, heads); offset, width and strength
    (heads,), the last two positive. Quadratic near 0, linear far away, so that what lies far off
    still learns.
    """
    t = ((reached - offset) / width).transpose(1, 2)  # (batch, heads, target)
    c = (places / width).transpose(1, 2)  # (batch, heads, source)
    d = t[..., None] - c[:, :, None]
    scaled: Tensor = strength[:, None, None] * (1 - torch.sqrt(1 + d * d))
    return scaled


class Location(nn.Module):
    """The progress of both sides, one measure a head, and the scores it gives."""

    def __init__(self, query_size: int, memory_size: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.of_memory = nn.Linear(memory_size, heads)
        self.of_query = nn.Linear(query_size, heads)
        self.bias_offset = nn.Parameter(torch.zeros(heads))
        self.bias_width = nn.Parameter(torch.zeros(heads))  # logarithms, as strengths are
        self.bias_strength = nn.Parameter(torch.zeros(heads))

    def places(self, encoded: Tensor) -> Tensor:
        """encoded (batch, source, memory) -> (batch, source, heads), growing along the source."""
        return _increments(encoded, self.of_memory).cumsum(1)

    def reach(self, query: Tensor, before: Tensor) -> Tensor:
        """query (batch, target, query size), before (batch, heads) -> (batch, target, heads)."""
        return before[:, None] + _increments(query, self.of_query).cumsum(1)

    def forward(self, reached: Tensor, places: Tensor) -> Tensor:
        """(batch, heads, target, source), to be added to the scores."""
        width, strength = self.bias_width.exp() * _WIDTH, self.bias_strength.exp() * _STRENGTH
        return location_scores(reached, places, self.bias_offset, width, strength)


def _increments(x: Tensor, layer: nn.Linear) -> Tensor:
    """(batch, length, heads), 1 where the layer gives 0; never in half precision."""
    with torch.autocast(x.device.type, enabled=False):
        raw: Tensor = layer(x.to(layer.weight.dtype))
        return nn.functional.softplus(raw) / math.log(2)
