"""Batched beam search over any `SearchModel`.

Each sentence has `beam_size` live hypotheses, all of the same length and ranked by log-probability,
and a pool of finished ones, ranked by the penalised score of Wu et al. 2016 (see `penalties`). A
hypothesis finishes when EOS is among the sentence's best `beam_size` continuations. A sentence is
done as soon as one of these holds:

- Its `n_best` best finished hypotheses score at least what any live one can still reach. That is
  the live one's log-probability over the length penalty of the longest output allowed, with
  coverage penalty 0: log-probability only falls, and the length penalty only grows.
- `beam_size` finished hypotheses score at least what the best live one would score if it ended
  now. So beam 1 is exactly greedy search. An early end that scores worse than the live hypotheses
  does not count, and a sentence end inside a long text does not cut the text short.
- Its output reached the limit, which follows from the source's length, or its best live hypothesis
  is in a loop (see `loops`). The live hypotheses are then returned with `finished=False`, after the
  finished ones.

Sentences that are done leave the batch. Every hypothesis is valid UTF-8 (see `spelling`).
"""

from collections.abc import Sequence
from typing import Generic

import torch
from torch import Tensor

from longspan.inference.search.beams import Beams
from longspan.inference.search.given import GivenTargets
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
    """A search that its owner runs step by step, so that several searches can take turns.

    `source` (batch, source) holds token ids of `lengths` (batch,), with PAD after them. `spelling`
    is that of the target vocabulary. With `targets`, token ids without EOS, nothing is searched:
    the hypotheses are these targets, scored. Model and batch are on one device, and the model is in
    evaluation mode.

    Raises HyperparameterError for a coverage penalty with a model without attention, and
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
        targets: Sequence[Sequence[int]] | None = None,
    ) -> None:
        self._lengths: list[int] = lengths.tolist()
        self._beams: Beams | GreedyBeams | GivenTargets
        if targets is not None:
            self._beams = GivenTargets(targets, self._lengths, settings)
        else:
            kind = Beams if settings.beam_size > 1 else GreedyBeams
            self._beams = kind(source.cpu().numpy(), self._lengths, settings, spelling)
        self._walk = start_walk(model, source, lengths)

    @property
    def running(self) -> int:
        """Number of sentences that have not ended."""
        return len(self._beams.running)

    def places(self) -> list[int]:
        """Return the numbers of the running sentences."""
        return [int(number) for number in self._beams.running]

    @torch.inference_mode()
    def step(self) -> list[int]:
        """Add a token to every running sentence; return the numbers of the sentences that ended."""
        beams = self._beams
        before = len(beams.previous)
        chances, tokens, weights = self._walk.take(beams.previous, *beams.wanted)
        rows, ended = beams.advance(chances, tokens, weights)
        if rows is not None and len(rows):
            # While no sentence ends and no row divides, row i belongs to the same sentence as
            # before, and what the model computed of the sources stays where it is.
            self._walk.keep(rows, sources_too=bool(ended) or len(rows) != before)
        return ended

    def hypotheses(self, sentences: Sequence[int]) -> list[list[Hypothesis]]:
        """Return the `n_best` distinct hypotheses of each of these ended `sentences`.

        Finished ones come first, each kind by falling score. There are fewer where no more are
        possible.
        """
        return self._beams.hypotheses(sentences)

    def so_far(self, sentence: int) -> list[int]:
        """Return the tokens of the best live hypothesis of a running sentence.

        With beam 1 the final translation begins with them.
        """
        return self._beams.so_far(sentence)

    def drop(self, sentence: int) -> None:
        """End a sentence with the next step, with the tokens that it has then."""
        self._beams.limits[sentence] = 0


def search(
    model: SearchModel[MemoryT, StateT],
    source: Tensor,
    lengths: Tensor,
    settings: SearchSettings,
    spelling: Spelling,
    targets: Sequence[Sequence[int]] | None = None,
) -> list[list[Hypothesis]]:
    """Search a batch to its end; return the hypotheses of each sentence. Arguments: `Search`."""
    if not len(source):
        return []
    going = Search(model, source, lengths, settings, spelling, targets)
    while going.running:
        going.step()
    return going.hypotheses(range(len(source)))


class GreedySearch:
    """Greedy search for validation during training, a `Decode` of the training loop.

    An output has at most `max_length_factor` times the source's tokens, plus the offset of
    `SearchSettings`.
    """

    def __init__(self, tokenizer: Tokenizer, max_length_factor: float) -> None:
        self._spelling = Spelling.of(tokenizer)
        self._settings = SearchSettings(
            beam_size=1, length_penalty=0.0, max_length_factor=max_length_factor
        )

    @classmethod
    def of(cls, prepared: Prepared) -> "GreedySearch":
        """Build the search with an output limit that suits these training pairs."""
        train = prepared.train
        return cls(prepared.tokenizer, length_factor(train.source_lengths, train.target_lengths))

    def __call__(self, model: Model, sources: list[list[int]], /) -> list[list[int]]:
        """Translate each source (ids with EOS); return ids without BOS and EOS.

        The model must be in evaluation mode.
        """
        source, lengths = map(torch.from_numpy, pad(sources))
        device = model.projection.weight.device
        found = search(model, source.to(device), lengths.to(device), self._settings, self._spelling)
        return [hypotheses[0].ids for hypotheses in found]
