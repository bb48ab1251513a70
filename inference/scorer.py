"""Scorer: the log-probability of given translations, by teacher forcing.

What search says of a hypothesis must be what the model says of it when it is read as a whole;
the tests hold the one against the other.
"""

from typing import Protocol, TypeVar

import torch
from torch import Tensor

from longspan.training.corpus.batches import Batch

__all__ = ["score"]

# Positions whose logits over the whole vocabulary are in memory at a time.
_POSITIONS = 2048


class DecodedOutput(Protocol):
    """A target read whole."""

    @property
    def output(self) -> Tensor:
        """(batch, target, output size)."""
        ...


MemoryT = TypeVar("MemoryT")


class TeacherForcing(Protocol[MemoryT]):
    """What the scorer asks of a model; `training.model.Model` is one."""

    def encode(self, source: Tensor, lengths: Tensor, /) -> MemoryT:
        """Read token ids (batch, source)."""
        ...

    def decode(self, target_input: Tensor, memory: MemoryT, /) -> DecodedOutput:
        """Read a whole target (batch, target), BOS first."""
        ...

    def project(self, output: Tensor, /) -> Tensor:
        """Logits (..., vocabulary) of outputs (..., output size)."""
        ...


@torch.inference_mode()
def score(model: TeacherForcing[MemoryT], batch: Batch) -> Tensor:
    """log P(target | source) of each pair, EOS included, PAD not: (batch,) float64.

    The logits are made and thrown away some positions at a time, so a target of thousands of
    tokens needs little memory.
    """
    memory = model.encode(batch.source, batch.source_lengths)
    output = model.decode(batch.target_input, memory).output  # (batch, target, size)
    positions = torch.arange(output.shape[1], device=output.device)
    real = positions[None] < batch.target_lengths[:, None]  # (batch, target)
    total = torch.zeros(len(output), dtype=torch.float64, device=output.device)
    width = max(1, _POSITIONS // max(1, len(output)))
    for start in range(0, output.shape[1], width):
        part = slice(start, start + width)
        logits = model.project(output[:, part])  # (batch, part, vocabulary)
        chosen = logits.gather(-1, batch.target_output[:, part, None]).squeeze(-1)
        chance = chosen.double() - logits.logsumexp(dim=-1).double()
        total += chance.masked_fill(~real[:, part], 0.0).sum(dim=1)
    return total
