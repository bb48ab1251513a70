"""Subword dropout: training tokens that are split at random into the shorter ones they are made of.

    ▁trans lation  ->  ▁tr ans lation  ->  ▁t r ans lation

BPE-dropout (Provilkov et al. 2020) leaves out merges while it encodes text. Here merges are undone
in encoded text, which needs no text and no tokenizer. A model that sees a word in many pieces
learns what the pieces mean, so a small corpus goes further.
"""

from dataclasses import dataclass

import numpy as np

from longspan.training.corpus.pair_corpus import IntArray
from longspan.training.tokenizer.tokenizer import Tokenizer

__all__ = ["SubwordDropout", "split_tokens"]


@dataclass(frozen=True)
class SubwordDropout:
    """Subword dropout of both sides of a corpus."""

    source: IntArray  # the two tokens that each token is made of: (tokens, 2), -1 if of none
    target: IntArray
    rate: float  # chance that a token is split, 0 to 1

    @classmethod
    def of(cls, tokenizer: Tokenizer, rate: float) -> "SubwordDropout | None":
        """Return the dropout for a tokenizer, or None for a rate of 0."""
        if not rate:
            return None
        source, target = (np.array(side.halves()) for side in (tokenizer.source, tokenizer.target))
        return cls(source, target, rate)


def split_tokens(
    tokens: IntArray, halves: IntArray, rate: float, generator: np.random.Generator
) -> IntArray:
    """Return token ids, each split with chance `rate`, and its halves again.

    Tokens without halves stay, so the tokens spell the same text as before.
    """
    # Tokens that have not been looked at yet; the halves of a split token are looked at again.
    fresh = np.ones(len(tokens), dtype=bool)
    while fresh.any():
        split = fresh & (halves[tokens, 0] >= 0)
        split[split] = generator.random(int(split.sum())) < rate
        firsts = np.flatnonzero(split)
        firsts += np.arange(len(firsts))  # in the new sequence
        fresh = np.repeat(split, 1 + split)
        pairs = halves[tokens[split]]
        tokens = np.repeat(tokens, 1 + split)
        tokens[firsts], tokens[firsts + 1] = pairs[:, 0], pairs[:, 1]
    return tokens
