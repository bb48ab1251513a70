"""Vocabulary settings: which kind of vocabulary, and how many tokens. Imports no SentencePiece."""

import math
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from longspan.training.errors import DataError
from longspan.training.values import Settings

__all__ = ["VocabularySettings", "VocabularyType"]

# `unigram`: Kudo 2018, "Subword Regularization"; `bpe`: Sennrich et al. 2016, "Neural Machine
# Translation of Rare Words with Subword Units"; `ngram` is `unigram` whose tokens may span words:
# a common phrase is one token.
VocabularyType = Literal["unigram", "bpe", "ngram", "word"]

# The four special tokens and a word.
_FEWEST_WORDS = 5
# Four special tokens and 256 bytes come before the first piece of text.
_FEWEST_PIECES = 300
# Up to a number of training pairs, so many tokens: each token must be frequent enough to be learned
# (Gowda and May 2020, "Finding the Optimal Vocabulary Size for Neural Machine Translation").
_SIZES = ((100_000, 4_000), (1_000_000, 8_000), (math.inf, 16_000))


class VocabularySettings(Settings):
    """The kind of vocabulary and how many tokens each side has. Raises DataError."""

    refusal: ClassVar[type[Exception]] = DataError

    type: VocabularyType = Field(
        "unigram",
        description="SentencePiece unigram or BPE, ngram (unigram whose tokens may span words), or "
        "the words of text that is tokenised already",
    )
    size: int | None = Field(
        None,
        ge=_FEWEST_WORDS,
        le=10**6,
        description="tokens of each side; left out: by the number of training pairs",
        examples=[8000],
    )
    joint: bool = Field(False, description="one vocabulary for both sides")

    @model_validator(mode="after")
    def _check_size(self) -> "VocabularySettings":
        if self.type != "word" and self.size is not None and self.size < _FEWEST_PIECES:
            raise DataError(
                f"expected a vocabulary size from {_FEWEST_PIECES} to 1000000 for the type "
                f"{self.type}, got {self.size}; give a larger one"
            )
        return self

    def tokens_for(self, pairs: int) -> int:
        """Return the size that was given, else the one that suits so many training pairs."""
        if self.size is not None:
            return self.size
        size = next(size for most, size in _SIZES if pairs <= most)
        return 2 * size if self.type == "ngram" else size  # phrases beside words
