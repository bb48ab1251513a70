"""Vocabulary settings: which kind of vocabulary, and how many tokens. Imports no SentencePiece."""

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


class VocabularySettings(Settings):
    """The kind of vocabulary and how many tokens each side has. Raises DataError."""

    refusal: ClassVar[type[Exception]] = DataError

    type: VocabularyType = Field(
        "unigram",
        description="SentencePiece unigram or BPE, ngram (unigram whose tokens may span words), or "
        "the words of text that is tokenised already",
    )
    size: int = Field(8000, ge=_FEWEST_WORDS, le=10**6, description="tokens of each side")
    joint: bool = Field(False, description="one vocabulary for both sides")

    @model_validator(mode="after")
    def _check_size(self) -> "VocabularySettings":
        if self.type != "word" and self.size < _FEWEST_PIECES:
            raise DataError(
                f"expected a vocabulary size from {_FEWEST_PIECES} to 1000000 for the type "
                f"{self.type}, got {self.size}; give a larger one"
            )
        return self
