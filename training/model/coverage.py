"""Coverage: a record of which source tokens have been translated already.

`loss` punishes attention that returns to the same token (See et al. 2017). `recurrent` gives each
source token a vector that the attention reads and updates (Tu et al. 2016).
"""

import torch
from torch import Tensor, nn

__all__ = ["RecurrentCoverage", "coverage_loss"]


def coverage_loss(weights: Tensor, target_mask: Tensor) -> Tensor:
    """Sum min(a_ti, c_ti) over source tokens i and real target tokens t, for each sentence.

    a are the weights averaged over heads, c_t is the sum of a before t (See et al. 2017, equations
    10 and 12). weights (batch, heads, target, source), target_mask (batch, target) true at real
    tokens. Returns (batch,), not in nats.
    """
    mean = weights.mean(1)  # (batch, target, source)
    before = mean.cumsum(1) - mean
    return (torch.minimum(mean, before).sum(-1) * target_mask).sum(1)


class RecurrentCoverage(nn.Module):
    """A gated unit for each source token: C_j <- GRU(C_j, [a_j, h_j, s]) (Tu et al. 2016, eq. 7-9).

    a_j are the attention weights of source token j (one for each head), h_j its encoding, s the
    query. The attention then scores against keys that are shifted by a projection of C_j. In
    additive attention this is the paper's v . tanh(W s + U h_j + V C_j).
    """

    def __init__(
        self, dimension: int, heads: int, memory_size: int, query_size: int, key_dimension: int
    ) -> None:
        super().__init__()
        self.dimension = dimension
        self.of_weights = nn.Linear(heads, 3 * dimension)
        self.of_memory = nn.Linear(memory_size, 3 * dimension, bias=False)
        self.of_query = nn.Linear(query_size, 3 * dimension, bias=False)
        self.gates = nn.Linear(dimension, 2 * dimension, bias=False)
        self.candidate = nn.Linear(dimension, dimension, bias=False)
        self.to_keys = nn.Linear(dimension, key_dimension, bias=False)

    def shift(self, keys: Tensor, coverage: Tensor) -> Tensor:
        """Shift keys (batch, heads, source, d) by coverage (batch, source, dimension)."""
        # (batch, source, heads x d) -> (batch, heads, source, d)
        offset = self.to_keys(coverage).unflatten(-1, (keys.shape[1], -1)).transpose(1, 2)
        return keys + offset

    def forward(self, coverage: Tensor, weights: Tensor, memory: Tensor, query: Tensor) -> Tensor:
        """Return the coverage (batch, source, dimension) after one target position.

        weights (batch, heads, 1, source), memory (batch, source, 3 x dimension), which is the
        output of `of_memory`, query (batch, 1, query size).
        """
        # The weights as (batch, source, heads); the query (batch, 1, ..) is added to every token.
        inputs = self.of_weights(weights.squeeze(2).transpose(1, 2)) + memory + self.of_query(query)
        update, reset, fresh = inputs.split(self.dimension, dim=-1)
        of_update, of_reset = self.gates(coverage).split(self.dimension, dim=-1)
        # Gates z (how much changes) and r (how much of the old value the candidate reads).
        z, r = torch.sigmoid(update + of_update), torch.sigmoid(reset + of_reset)
        new = torch.tanh(fresh + self.candidate(r * coverage))
        return (1 - z) * coverage + z * new
