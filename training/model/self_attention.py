"""Self-attention with relative positions, over a whole sequence or token by token.

Scores are scaled dot products in each head (Vaswani et al. 2017, equation 1 and section 3.2.2).
`rotary`: queries and keys are rotated by an angle that grows with their position, so that their
product depends on the distance alone (Su et al. 2021, "RoFormer"). `alibi`: the score falls in
proportion to the distance, at a rate of its own in each head, which extends to lengths that were
never trained on (Press et al. 2022, "Train Short, Test Long"). In an encoder the score falls
equally in both directions.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

__all__ = ["SelfAttention", "distance_bias", "rotate"]

_BASE = 10_000.0


def rotate(x: Tensor, first: int) -> Tensor:
    """Rotate x (..., length, d) by its positions, which begin at `first`.

    The pairs of a rotation are the elements i and i + d / 2.
    """
    length, d = x.shape[-2:]
    wide = torch.promote_types(x.dtype, torch.float32)
    exponents = torch.arange(0, d, 2, device=x.device, dtype=wide) / d
    positions = torch.arange(first, first + length, device=x.device, dtype=wide)
    angles = positions[:, None] * _BASE**-exponents  # (length, d / 2)
    cosine, sine = angles.cos(), angles.sin()
    # A pair (a, b) turned by its angle is (a cos - b sin, a sin + b cos).
    left, right = x.to(wide).chunk(2, dim=-1)
    turned = torch.cat([left * cosine - right * sine, left * sine + right * cosine], dim=-1)
    return turned.to(x.dtype)


def distance_bias(heads: int, length: int, first: int, device: torch.device) -> Tensor:
    """Return the biases of ALiBi: (heads, length, first + length).

    Queries have the positions `first` and after, keys all positions. In head h of H, with h from 1
    to H, each position of distance subtracts 2^(-8 h / H).
    """
    rates = 2.0 ** (-8.0 * torch.arange(1, heads + 1, device=device) / heads)
    queries = torch.arange(first, first + length, device=device)
    # (length, first + length)
    distance = (queries[:, None] - torch.arange(first + length, device=device)).abs()
    return -rates[:, None, None] * distance


class SelfAttention(nn.Module):
    """Multi-head self-attention of each position over the positions that the mask allows."""

    def __init__(self, units: int, heads: int, positions: str, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.size = units // heads
        self.rotary = positions == "rotary"
        self.dropout = dropout
        self.inputs = nn.Linear(units, 3 * units, bias=False)
        self.output = nn.Linear(units, units)

    def forward(
        self, x: Tensor, mask: Tensor, keys: Tensor, values: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Attend from x (batch, length, units) to itself and to `past` positions before it.

        keys and values (batch, heads, past, d) are those of the past positions. mask (batch or 1,
        1, length, past + length) is true where a position may attend. Returns the output (batch,
        length, units), and keys and values (batch, heads, past + length, d).
        """
        # (batch, length, 3 units) -> (batch, length, 3, heads, d)
        parts = self.inputs(x).unflatten(-1, (3, self.heads, self.size))
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # (batch, heads, length, d)
        past = keys.shape[2]
        if self.rotary:
            query, key = rotate(query, past), rotate(key, past)
        keys = torch.cat([keys.to(key.dtype), key], dim=2)
        values = torch.cat([values.to(value.dtype), value], dim=2)
        dropout = self.dropout if self.training else 0.0
        shown = self._bias(mask, x.shape[1], past).to(query.dtype)
        read = scaled_dot_product_attention(query, keys, values, attn_mask=shown, dropout_p=dropout)
        # (batch, heads, length, d) -> (batch, length, units)
        return self.output(read.transpose(1, 2).flatten(2)), keys, values

    def _bias(self, mask: Tensor, length: int, past: int) -> Tensor:
        hidden = torch.zeros(mask.shape, device=mask.device).masked_fill(~mask, -torch.inf)
        if self.rotary:
            return hidden
        return hidden + distance_bias(self.heads, length, past, mask.device)
