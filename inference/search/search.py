"""Batched beam search over any model that has `encode`, `initial_state` and `step`.

Each sentence keeps `beam_size` live hypotheses, ranked by log-probability (they all have the
same length), and a pool of finished ones, ranked by the penalised score of Wu et al. 2016
(see `penalties`). A hypothesis finishes when EOS is among the sentence's best `beam_size`
continuations. A sentence is done as soon as

- its `n_best` best finished hypotheses score at least what any live one can still reach: its
  log-probability over the length penalty of the longest output allowed, with coverage penalty 0
  (log-probability only falls, the length penalty only grows); or
- `beam_size` finished hypotheses score at least what the best live one would score if it ended
  now. So beam 1 is exactly greedy search, and an early end that scores worse than what is live
  does not count: the ends of the sentences inside a long text do not cut it short; or
- its output reached the limit, which follows the source's length, or its best live hypothesis is
  in a loop (see `loops`). What is live then is returned with `finished=False`, after the finished
  hypotheses.

No hypothesis has bytes that are not UTF-8 (see `spelling`).

Sentences that are done leave the batch.
"""

from collections.abc import Sequence
from typing import Generic

import torch
from torch import Tensor

from longspan.inference.search.beams import Beams
from longspan.inference.search.greedy_beams import GreedyBeams
from longspan.inference.search.hypothesis import Hypothesis
from longspan.inference.search.settings import SearchSettings
from longspan.inference.search.spelling import Spelling
from longspan.inference.search.walk import MemoryT, SearchModel, StateT, start_walk
from longspan.training.corpus.batches import pad
from longspan.training.corpus.prepared import Prepared
from longspan.training.model.model import Model
from longspan.training.model.output_length import length_factor
from longspan.training.tokenizer.tokenizer import Tokenizer

__all__ = ["GreedySearch", "Hypothesis", "Search", "SearchSettings", "search"]


class Search(Generic[MemoryT, StateT]):
    """A search that its owner takes step by step, many of them in turn where it likes.

    `source` (batch, source) of `lengths` (batch,) tokens, PAD after; `spelling` is that of the
    target vocabulary. Model and batch are on one
    device; the caller has put the model into evaluation mode.

    Raises HyperparameterError if a coverage penalty is asked of a model without attention, and
    LongspanError if the model's output is not a number.
    """

    @torch.inference_mode()
    def __init__(
        self,
        model: SearchModel[MemoryT, StateT],
        source: Tensor,
        lengths: Tensor,
        settings: SearchSettings,
        spelling: Spelling,
    ) -> None:
        self._lengths: list[int] = lengths.tolist()
        kind = Beams if settings.beam_size > 1 else GreedyBeams
        self._beams: Beams | GreedyBeams = kind(
            source.cpu().numpy(), self._lengths, settings, spelling
        )
        self._walk = start_walk(model, source, lengths)

    @property
    def running(self) -> int:
        """Sentences that have not ended."""
        return len(self._beams.running)

    def places(self) -> list[int]:
        """The numbers of the running sentences."""
        return [int(number) for number in self._beams.running]

    @torch.inference_mode()
    def step(self) -> list[int]:
        """One more target token of every running sentence; the numbers of those that ended."""
        beams = self._beams
        before = len(beams.previous)
        chances, tokens, weights = self._walk.take(beams.previous, *beams.wanted)
        rows, ended = beams.advance(chances, tokens, weights)
        if rows is not None and len(rows):
            # While none ends or divides, row i stays with its sentence: beams may change places.
            self._walk.keep(rows, sources_too=bool(ended) or len(rows) != before)
        return ended

    def hypotheses(self, sentences: Sequence[int]) -> list[list[Hypothesis]]:
        """The `n_best` distinct ones of each of the `sentences`, which have ended (fewer where no
        more are possible): finished ones first, each kind by falling score."""
        return self._beams.hypotheses(sentences)

    def so_far(self, sentence: int) -> list[int]:
        """The tokens of the best live hypothesis of a running sentence; with beam 1 they stay."""
        return self._beams.so_far(sentence)

    def drop(self, sentence: int) -> None:
        """End it with the next step, whatever it has."""
        self._beams.limits[sentence] = 0


def search(
    model: SearchModel[MemoryT, StateT],
    source: Tensor,
    lengths: Tensor,
    settings: SearchSettings,
    spelling: Spelling,
) -> list[list[Hypothesis]]:
    """Translate a batch to its end: what `Search` takes, and `hypotheses` of each sentence."""
    if not len(source):
        return []
    going = Search(model, source, lengths, settings, spelling)
    while going.running:
        going.step()
    return going.hypotheses(range(len(source)))


class GreedySearch:
    """Greedy search with outputs of at most `max_length_factor` times the source's tokens, and some
    more; a `Decode` of training."""

    def __init__(self, tokenizer: Tokenizer, max_length_factor: float) -> None:
        self._spelling = Spelling.of(tokenizer)
        self._settings = SearchSettings(
            beam_size=1, length_penalty=0.0, max_length_factor=max_length_factor
        )

    @classmethod
    def of(cls, prepared: Prepared) -> "GreedySearch":
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
