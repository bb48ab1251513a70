"""Sections `data` and `preparation`: the pairs, and how they are prepared."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from longspan.pipelines.config.section import ConfigSection
from longspan.training.errors import DataError
from longspan.training.languages import language_code
from longspan.training.mistakes import Mistake
from longspan.training.pairs.columns import Columns
from longspan.training.preparation.settings import (
    CleaningRules,
    PairFormat,
    PrepareSettings,
    SplitSettings,
)
from longspan.training.sample.generator import SampleSettings
from longspan.training.tokenizer.settings import VocabularySettings, VocabularyType
from longspan.training.values import field_of

__all__ = ["ColumnsSection", "DataSection", "PreparationSection", "SampleSection"]

_S3 = "s3://"
# Values that CreateModelPackage allows in CustomerMetadataProperties.
_LINEAGE = re.compile(r"[\w .:/=+\-@]{1,256}")


def _as_list(value: object) -> object:
    """Return a list of one file for a string."""
    return [value] if isinstance(value, str) else value


Files = Annotated[list[str], BeforeValidator(_as_list), Field(min_length=1)]


class SampleSection(ConfigSection):
    """A corpus generated from the project's own grammar, as by `longspan sample`."""

    pairs: int = field_of(SampleSettings, "pairs")
    seed: int = field_of(SampleSettings, "seed")
    max_words: int = field_of(SampleSettings, "max_words")
    validation: int = field_of(SampleSettings, "validation")
    test_per_bucket: int = field_of(SampleSettings, "test_per_bucket")


class ColumnsSection(ConfigSection):
    """Columns of TSV, CSV, JSON, Parquet or Arrow: names, or numbers from 1."""

    source: str | int | None = field_of(Columns, "source")
    target: str | int | None = field_of(Columns, "target")
    document: str | int | None = field_of(Columns, "document")


class DataSection(ConfigSection):
    """The pairs: generated (`sample`), or read from your files (`pairs`)."""

    sample: SampleSection | None = Field(
        None,
        description="generate a corpus; leave it out if you give pairs",
        examples=[{"pairs": 20_000}],
    )
    pairs: Files | None = Field(
        None,
        description="files of aligned pairs, or one s3:// prefix; docs/data.md lists formats",
        examples=[["train.tsv"]],
    )
    validation: Files | None = Field(
        None,
        description="held-out pairs to tune on; left out: drawn from pairs",
        examples=[["validation.tsv"]],
    )
    test: Files | None = Field(
        None,
        description="held-out pairs to test on; left out: drawn from pairs",
        examples=[["test.tsv"]],
    )
    format: PairFormat | None = field_of(PrepareSettings, "format")
    header: Literal["auto", "yes", "no"] = field_of(Columns, "header")
    columns: ColumnsSection = Field(
        default_factory=lambda: ColumnsSection(),
        description="columns of TSV, CSV, JSON, Parquet, Arrow",
    )
    source_language: str = field_of(Columns, "source_language")
    target_language: str = field_of(Columns, "target_language")

    def mistakes(self) -> Iterator[Mistake]:
        """Yield unknown languages, none or two sources of pairs, s3:// prefixes among files."""
        for name in ("source_language", "target_language"):
            try:
                language_code(getattr(self, name))
            except ValueError as error:
                yield Mistake((name,), str(error))
        if self.sample is None and self.pairs is None:
            yield Mistake(
                (),
                "expected pairs (your files) or sample (a generated corpus), got neither; "
                "for example sample: {pairs: 20000}",
            )
        if self.sample is not None:
            for name in ("pairs", "validation", "test"):
                if getattr(self, name) is not None:
                    yield Mistake(
                        (name,), "sample generates these pairs too; leave out one of the two"
                    )
        for name in ("pairs", "validation", "test"):
            files: list[str] = getattr(self, name) or []
            if len(files) > 1 and any(file.startswith(_S3) for file in files):
                yield Mistake(
                    (name,),
                    "expected local files, or one s3:// prefix of all files, "
                    f"got {len(files)} entries with s3:// among them",
                )
            for number, file in enumerate(files):
                if file.startswith(_S3) and "/" not in file[len(_S3) :].strip("/"):
                    yield Mistake(
                        (name, number), f"expected s3://BUCKET/PREFIX, got {file}; add a prefix"
                    )
                elif file.startswith(_S3) and not _LINEAGE.fullmatch(file):
                    yield Mistake(
                        (name, number),
                        "expected at most 256 letters, digits, spaces and _.:/=+-@, because the "
                        f"model registry stores it, got {file}",
                    )


class PreparationSection(ConfigSection):
    """Options of `longspan prepare`: cleaning, splits, vocabulary."""

    min_characters: int = field_of(CleaningRules, "min_characters")
    max_characters: int = field_of(CleaningRules, "max_characters")
    min_words: int = field_of(CleaningRules, "min_words")
    max_words: int = field_of(CleaningRules, "max_words")
    max_ratio: float = field_of(CleaningRules, "max_ratio")
    nfkc: bool = field_of(CleaningRules, "nfkc")
    validation_size: int | None = field_of(SplitSettings, "validation_size")
    test_size: int | None = field_of(SplitSettings, "test_size")
    split_by: Literal["document", "pair"] = field_of(SplitSettings, "split_by")
    joined: bool = field_of(PrepareSettings, "joined")
    seed: int = field_of(SplitSettings, "seed")
    vocabulary_size: int | None = field_of(VocabularySettings, "size")
    vocabulary_type: VocabularyType = field_of(VocabularySettings, "type")
    joint: bool = field_of(VocabularySettings, "joint")
    tokenizer_pairs: int = field_of(PrepareSettings, "tokenizer_pairs")
    instance_count: int = Field(
        1,
        ge=1,
        le=100,
        description="above 1: this many machines read and clean pairs in a step Collect before",
    )
    instance_type: str = Field("ml.m5.2xlarge", description="machine of the Prepare step")
    volume_gb: int = Field(30, ge=1, le=16_384, description="disk of the Prepare step, in GB")
    max_runtime_minutes: int = Field(
        120, ge=1, le=12_960, description="the Prepare step fails after this"
    )

    def mistakes(self) -> Iterator[Mistake]:
        """Yield lower limits above upper ones, and a vocabulary that is too small for its type."""
        for kind in ("characters", "words"):
            low, high = getattr(self, f"min_{kind}"), getattr(self, f"max_{kind}")
            if low > high:
                yield Mistake((f"min_{kind}",), f"expected at most max_{kind}={high}, got {low}")
        try:
            VocabularySettings(type=self.vocabulary_type, size=self.vocabulary_size)
        except DataError as error:
            yield Mistake(("vocabulary_size",), str(error))
