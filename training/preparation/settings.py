"""Settings of preparing: the one home of their defaults, bounds and descriptions.

`longspan prepare`, the container's jobs and the config's section `preparation` take them from here.
"""

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from longspan.training.errors import DataError
from longspan.training.pairs.columns import Columns
from longspan.training.tokenizer.settings import VocabularySettings
from longspan.training.values import Settings

__all__ = ["CleaningRules", "CollectSettings", "PairFormat", "PrepareSettings", "SplitSettings"]

PairFormat = Literal["tsv", "csv", "parallel", "jsonl", "parquet", "arrow", "tmx", "xliff", "po"]

_DRAWN = "pairs to hold out; left out: 2,000, at most 1%"


class CleaningRules(Settings):
    """Limits for the lengths of a pair, which hold for both sides. Raises DataError.

    The longer side may have `max_ratio` times the characters of the shorter one, plus ten.
    """

    refusal: ClassVar[type[Exception]] = DataError

    min_characters: int = Field(1, ge=0, description="fewest characters of each side")
    max_characters: int = Field(20_000, ge=1, description="most characters of each side")
    min_words: int = Field(1, ge=0, description="fewest words of each side")
    max_words: int = Field(3_000, ge=1, description="most words of each side")
    max_ratio: float = Field(
        9.0, ge=1, description="most characters of the longer side per one of the shorter"
    )
    nfkc: bool = Field(False, description="normalise both sides to Unicode NFKC")

    @model_validator(mode="after")
    def _check_order(self) -> "CleaningRules":
        if self.min_characters > self.max_characters or self.min_words > self.max_words:
            raise DataError(
                "expected a smallest length below the largest, got "
                f"{self.min_characters} to {self.max_characters} characters and "
                f"{self.min_words} to {self.max_words} words; change one of them"
            )
        return self


class SplitSettings(Settings):
    """How held-out splits are drawn; a size of None is 2,000, or 1% of a smaller corpus."""

    refusal: ClassVar[type[Exception]] = DataError

    validation_size: int | None = Field(None, ge=0, lt=2**31, description=_DRAWN, examples=[2000])
    test_size: int | None = Field(None, ge=0, lt=2**31, description=_DRAWN, examples=[2000])
    split_by: Literal["document", "pair"] = Field(
        "document", description="hold out whole documents where they are known, or single pairs"
    )
    seed: int = Field(1, ge=0, lt=2**31, description="seed of held-out pairs")

    @property
    def by_document(self) -> bool:
        """Whether whole documents are held out."""
        return self.split_by == "document"


class CollectSettings(Settings):
    """How input files are read and cleaned."""

    refusal: ClassVar[type[Exception]] = DataError

    columns: Columns
    format: PairFormat | None
    cleaning: CleaningRules

    def to_json(self) -> dict[str, Any]:
        """Return nested plain values, as they are read again."""
        return self.model_dump()


class PrepareSettings(Settings):
    """All settings that the bytes of the output depend on. Raises DataError."""

    refusal: ClassVar[type[Exception]] = DataError

    columns: Columns = Field(default_factory=lambda: Columns())
    format: PairFormat | None = Field(
        None,
        description="format of the files; left out: found from names and first bytes",
        examples=["tsv"],
    )
    cleaning: CleaningRules = Field(default_factory=lambda: CleaningRules())
    splits: SplitSettings = Field(default_factory=lambda: SplitSettings())
    vocabulary: VocabularySettings = Field(default_factory=lambda: VocabularySettings())
    tokenizer_pairs: int = Field(
        200_000, ge=1, lt=2**31, description="training pairs to train vocabularies on"
    )
    joined: bool = Field(
        True, description="add joined pairs where fewer than 100 pairs have over 100 words"
    )

    @property
    def collecting(self) -> CollectSettings:
        """How the files are read and cleaned."""
        return CollectSettings(columns=self.columns, format=self.format, cleaning=self.cleaning)

    def to_json(self) -> dict[str, Any]:
        """Return nested plain values, as the manifest has them."""
        values = self.model_dump()
        # The manifest's own name, so that a directory that is up to date stays so.
        del values["splits"]["split_by"]
        values["splits"]["by_document"] = self.splits.by_document
        return values
