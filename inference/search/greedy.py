"""Greedy search for validation during training."""

import torch

from longspan.inference.search.search import SearchSettings, search
from longspan.inference.search.spelling import Spelling
from longspan.training.corpus.batches import pad
from longspan.training.corpus.prepared import Prepared
from longspan.training.model.model import Model
from longspan.training.model.output_length import length_factor
from longspan.training.tokenizer.tokenizer import Tokenizer

__all__ = ["Greedy"]


class Greedy:
    """Greedy search with outputs of at most `max_length_factor` times the source's tokens, and some
    more; a `Decode` of training."""

    def __init__(self, tokenizer: Tokenizer, max_length_factor: float) -> None:
        self._spelling = Spelling.of(tokenizer)
        self._settings = SearchSettings(
            beam_size=1, length_penalty=0.0, max_length_factor=max_length_factor
        )

    @classmethod
    def of(cls, prepared: Prepared) -> "Greedy":
        """The search that suits these training pairs."""
        train = prepared.train
        return cls(prepared.tokenizer, length_factor(train.source_lengths, train.target_lengths))

    def __call__(self, model: Model, sources: list[list[int]], /) -> list[list[int]]:
        """The greedy translation of each source (ids with EOS): ids without BOS and EOS.

        The model must be in evaluation mode.
        """
        source, lengths = map(torch.from_numpy, pad(sources))
        device = model.projection.weight.device
        found = search(model, source.to(device), lengths.to(device), self._settings, self._spelling)
        return [hypotheses[0].ids for hypotheses in found]
