"""Greedy search's one hypothesis a sentence: what `Beams` does with beam 1, in a fraction of its
time. It ends where the end token is the best one, since no other can score more then."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from longspan.inference.candidates import best_tokens
from longspan.inference.hypotheses import Integers
from longspan.inference.hypothesis import Hypothesis
from longspan.inference.penalties import coverage_penalty, length_penalty
from longspan.inference.settings import SearchSettings
from longspan.inference.watched_attention import read_attention
from longspan.training.errors import LongspanError
from longspan.training.tokenizer import BOS, EOS, PAD

__all__ = ["GreedyBeams"]


class GreedyBeams:
    """The hypotheses of sentences with `limits` (sentence,), for the time of one search."""

    def __init__(self, limits: Integers, settings: SearchSettings, device: torch.device) -> None:
        self.settings = settings
        self.limits: list[int] = limits.tolist()
        self.running = list(range(len(limits)))  # sentence numbers
        self.previous = torch.full((len(limits),), BOS, device=device)
        self._ids: list[list[int]] = [[] for _ in self.running]
        self._sums = [0.0] * len(limits)
        self._scores = [0.0] * len(limits)
        self._finished = [False] * len(limits)
        self._coverage: Tensor | None = None  # (running, 1, source)
        self._attention: list[list[Tensor]] = [[] for _ in self.running]  # (source,) a step
        self._length = 0

    def advance(
        self, logits: Tensor, weights: Tensor | None, mask: Tensor
    ) -> tuple[Tensor | None, list[int]]:
        """As `Beams.advance`."""
        attention = read_attention(weights, self.settings, 1, is_first=self._length == 0)
        best, tokens = self._choose(logits)
        self._length += 1
        self._watch(attention)
        ended, left = [], []
        for place, (token, chance) in enumerate(zip(tokens.tolist(), best.tolist(), strict=True)):
            sentence = self.running[place]
            if chance != chance:
                raise LongspanError(
                    f"the model's output at target token {self._length} is not a number (NaN): its "
                    "weights are broken or overflow; train it again or use precision=fp32"
                )
            self._sums[sentence] += chance
            if token != EOS:
                self._ids[sentence].append(token)
            if token == EOS or self._length >= self.limits[sentence]:
                self._finished[sentence] = token == EOS
                self._scores[sentence] = self._score(sentence, place, mask)
                ended.append(sentence)
            else:
                left.append(place)
        return self._leave(tokens, ended, left), ended

    def hypotheses(
        self, sentences: Sequence[int], source_lengths: list[int]
    ) -> list[list[Hypothesis]]:
        """The one of each of the `sentences`, which have ended."""
        return [
            [
                Hypothesis(
                    ids=self._ids[sentence],
                    score=self._scores[sentence],
                    log_probability=self._sums[sentence],
                    finished=self._finished[sentence],
                    alignment=self._alignment(sentence, source_lengths[sentence]),
                )
            ]
            for sentence in sentences
        ]

    def so_far(self, sentence: int) -> list[int]:
        """The tokens of a running sentence."""
        return list(self._ids[sentence])

    def _choose(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """The best possible token of each row, and the logarithm of its probability: (running,)."""
        too_short = self._length < self.settings.min_length
        chances, tokens = best_tokens(logits, 1, (PAD, BOS, EOS) if too_short else (PAD, BOS))
        return chances[:, 0], tokens[:, 0]

    def _watch(self, attention: Tensor | None) -> None:
        if attention is None:
            return
        if self.settings.coverage_penalty > 0:
            self._coverage = attention if self._coverage is None else self._coverage + attention
        if self.settings.with_alignment:
            for place, sentence in enumerate(self.running):
                self._attention[sentence].append(attention[place, 0])

    def _score(self, sentence: int, place: int, mask: Tensor) -> float:
        score = self._sums[sentence] / length_penalty(
            float(self._length), self.settings.length_penalty
        )
        if self._coverage is None:
            return score
        beta = self.settings.coverage_penalty
        return score + float(coverage_penalty(self._coverage[place, 0], mask[place], beta))

    def _leave(self, tokens: Tensor, ended: list[int], left: list[int]) -> Tensor | None:
        """Drop the sentences that ended; the rows to go on with, None when that is all."""
        self.previous = tokens
        if not ended:
            return None
        rows = torch.tensor(left, dtype=torch.long, device=tokens.device)
        self.running = [self.running[place] for place in left]
        self.previous = tokens[rows]
        if self._coverage is not None:
            self._coverage = self._coverage[rows]
        return rows

    def _alignment(self, sentence: int, source_length: int) -> NDArray[np.float32] | None:
        if not self.settings.with_alignment or not (steps := self._attention[sentence]):
            return None
        rows = steps[: len(self._ids[sentence])]
        if not rows:
            return np.zeros((0, source_length), dtype=np.float32)
        matrix: NDArray[np.float32] = torch.stack(rows)[:, :source_length].float().cpu().numpy()
        return matrix
