"""A corpus of any size from a grammar: short pairs for training, all lengths for testing.

Training, validation and test pairs are independent streams, so that the number of training pairs
does not change the other two. No English or Japanese side of validation or test is in another
split. A document has 5 to 20 sentences about the same people.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, ClassVar

from pydantic import Field

from longspan.training.buckets import BUCKETS, Bucket, bucket_of
from longspan.training.errors import DataError
from longspan.training.lengths import count_words
from longspan.training.sample.grammar import GRAMMAR_VERSION, LONGEST, SHORTEST, Grammar, Sentence
from longspan.training.sample.random_choices import RandomChoices, Weighted
from longspan.training.values import Settings

__all__ = ["SampleCorpus", "SampleRow", "SampleSettings", "SampleStatistics"]

# How often a training sentence is drawn again if it was drawn before; then it is repeated.
_TRIES_FOR_NEW = 8
# After so many held-out sentences in a row, the wanted lengths have too few sentences.
_TRIES_IN_VAIN = 10_000


class SampleSettings(Settings):
    """The size of a sample. Raises DataError for values out of their bounds.

    `longspan sample` and the config's section `data.sample` take defaults, bounds and descriptions
    from here. Validation and test pairs have lengths of all buckets, up to 300 words.
    """

    refusal: ClassVar[type[Exception]] = DataError

    pairs: int = Field(20_000, ge=1, description="training pairs to generate")
    seed: int = Field(1, ge=0, lt=2**31, description="seed of the corpus")
    max_words: int = Field(
        20, ge=SHORTEST, le=LONGEST, description="longest training sentence, in English words"
    )
    validation: int = Field(
        500, ge=len(BUCKETS), description="validation pairs, spread over the length buckets"
    )
    test_per_bucket: int = Field(100, ge=1, description="test pairs of each length bucket")

    def as_json(self) -> dict[str, int]:
        """Return the values that the sample depends on; equal values give equal bytes."""
        return {"grammar_version": GRAMMAR_VERSION, **self.model_dump()}


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One pair of a sample."""

    document: str  # DOCUMENT#LINE
    english: str
    japanese: str

    def line(self) -> str:
        """Return the line of the pair in a TSV file."""
        return f"{self.document}\t{self.english}\t{self.japanese}\n"


class SampleStatistics:
    """Counts of one split, which grow while it is written."""

    def __init__(self) -> None:
        self.pairs = self.words = self.characters = 0
        self.documents: int = 0
        self.buckets: Counter[str] = Counter()

    def add(self, row: SampleRow) -> None:
        """Count one pair."""
        words = count_words(row.english)
        self.pairs += 1
        self.words += words
        self.characters += len(row.japanese)
        self.documents += row.document.endswith("#1")
        self.buckets[bucket_of(words).name] += 1

    def as_json(self) -> dict[str, Any]:
        """Return the counts, with all buckets, also empty ones."""
        return {
            "pairs": self.pairs,
            "documents": self.documents,
            "english_words": self.words,
            "japanese_characters": self.characters,
            "buckets": {bucket.name: self.buckets[bucket.name] for bucket in BUCKETS},
        }


class SampleCorpus:
    """The three splits as streams: read `test`, then `validation`, then `train`.

    Memory grows by an eight-byte hash for each side, about 75 bytes in a Python set.
    """

    def __init__(self, settings: SampleSettings) -> None:
        self._settings = settings
        self._held_out: set[int] = set()
        self.repeated = 0

    def test(self) -> Iterator[SampleRow]:
        """Yield `test_per_bucket` pairs of each bucket."""
        count = self._settings.test_per_bucket
        yield from self._by_bucket("test", [bucket for bucket in BUCKETS for _ in range(count)])

    def validation(self) -> Iterator[SampleRow]:
        """Yield pairs of all buckets in turn, so that their counts differ by one at most."""
        turns = [BUCKETS[i % len(BUCKETS)] for i in range(self._settings.validation)]
        yield from self._by_bucket("validation", turns)

    def train(self) -> Iterator[SampleRow]:
        """Yield `pairs` short pairs; `repeated` counts those whose English was drawn before."""
        settings = self._settings
        stream = _Stream("train", settings.seed)
        lengths = _short_lengths(settings.max_words)
        seen: set[int] = set()
        for number in range(settings.pairs):
            stream.next_line(settings.pairs - number)
            yield stream.row(self._new_short(stream, lengths, seen))

    def _by_bucket(self, split: str, buckets: list[Bucket]) -> Iterator[SampleRow]:
        stream = _Stream(split, self._settings.seed)
        left = len(buckets)
        for bucket in stream.random.shuffled(buckets):
            stream.next_line(left)
            left -= 1
            yield stream.row(self._new_in_bucket(stream, bucket))

    def _new_in_bucket(self, stream: "_Stream", bucket: Bucket) -> Sentence:
        low, high = max(bucket.low, SHORTEST), bucket.high or LONGEST
        for _ in range(_TRIES_IN_VAIN):
            made = stream.sentence(stream.random.integer(low, high))
            sides = _sides(made)
            fits = low <= count_words(made.english) <= high
            if fits and self._held_out.isdisjoint(sides):
                self._held_out.update(sides)
                return made
        raise DataError(
            f"expected more sentences of {bucket.name} words than the grammar has; "
            "ask for fewer pairs with --validation or --test-per-bucket"
        )

    def _new_short(self, stream: "_Stream", lengths: Weighted[int], seen: set[int]) -> Sentence:
        repeats = 0
        for _ in range(_TRIES_IN_VAIN):
            made = stream.sentence(stream.random.draw(lengths))
            sides = _sides(made)
            too_long = count_words(made.english) > self._settings.max_words
            if too_long or not self._held_out.isdisjoint(sides):
                continue
            if sides[0] not in seen:
                seen.add(sides[0])
                return made
            repeats += 1
            if repeats == _TRIES_FOR_NEW:
                self.repeated += 1
                return made
        raise DataError(
            f"expected sentences of at most {self._settings.max_words} words that are not held "
            "out, got too few; raise --max-words, or lower --validation and --test-per-bucket"
        )


class _Stream:
    """The sentences of one split, in documents."""

    def __init__(self, split: str, seed: int) -> None:
        # Seeded by the name of the split: the number of pairs of one changes nothing in another.
        self.random = RandomChoices(f"longspan sample {seed} {split} lengths")
        self._grammar = Grammar(f"longspan sample {seed} {split} grammar")
        self._split = split
        self._document = self._line = self._lines = 0

    def next_line(self, left: int) -> None:
        """Start the next line, in a new document if this one is full.

        `left` is the number of lines to come, this one included. The last document has at least 5
        lines, unless there are fewer in all.
        """
        self._line += 1
        if self._line > self._lines:
            self._document += 1
            self._line = 1
            self._lines = self.random.integer(5, 20)
            # Too few lines would be left for another document: this one takes them, or leaves five.
            if left - self._lines < 5:
                self._lines = left if left <= 20 else left - 5
            self._grammar.new_document()

    def sentence(self, words: int) -> Sentence:
        """Return a sentence of about `words` words that may follow the lines before it."""
        return self._grammar.sentence(words, opening=self._line > 1)

    def row(self, sentence: Sentence) -> SampleRow:
        """Return the sentence as the current line."""
        document = f"{self._split}-{self._document:07d}#{self._line}"
        return SampleRow(document, sentence.english, sentence.japanese)


def _sides(sentence: Sentence) -> tuple[int, int]:
    """Return eight-byte hashes of both sides; in a billion pairs two may be equal by chance."""
    return _hash(sentence.english), _hash(sentence.japanese)


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def _short_lengths(max_words: int) -> Weighted[int]:
    """Weight lengths of training sentences: most have 3 to 15 words, few are much longer."""
    lengths = range(SHORTEST, max_words + 1)
    # Without the floor long sentences would hardly ever be drawn: the exponential falls far
    # below it.
    floor = 0.6 / max_words
    return Weighted(lengths, [max((n - 1) * math.exp(-n / 6), floor) for n in lengths])
