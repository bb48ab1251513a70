"""The recurrent encoder: a bidirectional layer, then unidirectional ones.

The layers are those of Wu et al. 2016, section 3.2, the first one that of Schuster and Paliwal
1997. A residual connection adds the input of a layer to its output (section 3.1).
"""

import torch
from torch import Tensor, nn

from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.recurrence import Recurrence, reverse_by_length

__all__ = ["RecurrentEncoder"]


class RecurrentEncoder(nn.Module):
    """Source embeddings -> a vector of `rnn_num_hidden` for each token and for all."""

    def __init__(self, hyperparameters: Hyperparameters) -> None:
        super().__init__()
        h = hyperparameters
        units = h.rnn_num_hidden
        self.forwards = Recurrence(h.rnn_cell_type, h.num_embed_source, units // 2)
        self.backwards = Recurrence(h.rnn_cell_type, h.num_embed_source, units // 2)
        self.upper = nn.ModuleList(
            Recurrence(h.rnn_cell_type, units, units) for _ in range(1, h.num_layers_encoder)
        )
        self.first_residual = (
            h.rnn_first_residual_layer if h.rnn_residual_connections else h.num_layers_encoder + 1
        )
        self.dropout = nn.Dropout(h.rnn_dropout)

    def forward(self, embedded: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """embedded (batch, source, embedding) -> (batch, source, units) and last (batch, units).

        `last` joins the forward state after the last token and the backward state after the first
        token. With upper layers it is the state of the top layer after the last token.
        """
        ahead, _, _ = self.forwards(embedded)
        back, _, _ = self.backwards(reverse_by_length(embedded, lengths))
        back = reverse_by_length(back, lengths)
        # Two halves of (batch, source, units / 2), forward and backward
        encoded = torch.cat([ahead, back], dim=-1)
        last = torch.cat([_at(ahead, lengths - 1), back[:, 0]], dim=-1)
        for number, layer in enumerate(self.upper, start=2):
            outputs, _, _ = layer(self.dropout(encoded))
            encoded = outputs + encoded if number >= self.first_residual else outputs
            last = _at(encoded, lengths - 1)
        return self.dropout(encoded), last


def _at(x: Tensor, position: Tensor) -> Tensor:
    """Select one position of each row: x (batch, time, units) -> (batch, units)."""
    return x.gather(1, position[:, None, None].expand(-1, 1, x.shape[-1])).squeeze(1)
