"""Greedy search for validation during training."""

import torch

from longspan.inference.search import SearchSettings, search
from longspan.training.batches import pad
from longspan.training.model import Model

__all__ = ["greedy"]


def greedy(model: Model, sources: list[list[int]]) -> list[list[int]]:
    """The greedy translation of each source (ids with EOS): ids without BOS and EOS.

    The model must be in evaluation mode.
    """
    source, lengths = map(torch.from_numpy, pad(sources))
    device = model.projection.weight.device
    settings = SearchSettings(beam_size=1, length_penalty=0.0)
    found = search(model, source.to(device), lengths.to(device), settings)
    return [hypotheses[0].ids for hypotheses in found]
