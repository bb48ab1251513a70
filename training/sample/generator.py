"""A corpus of any size from the project's own grammar: short pairs to train on, every length
to test on.

Training, validation and test are streams of their own, so that the number of training pairs
changes neither of the others. No English or Japanese side of validation or test is in
another split. Documents are 5 to 20 consecutive sentences about the same people.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any

from longspan.training.buckets import BUCKETS, Bucket, bucket_of, count_words
from longspan.training.errors import DataError
from longspan.training.sample.dice import Dice, Weighted
from longspan.training.sample.grammar import GRAMMAR_VERSION, LONGEST, SHORTEST, Grammar, Sentence

__all__ = ["SampleCorpus", "SampleRow", "SampleSettings", "SampleStatistics"]

# A training sentence seen before is drawn again this often, then kept and counted.
_TRIES_FOR_NEW = 8
# Held-out sides drawn this often in a row: the wanted lengths hold too few sentences.
_TRIES_IN_VAIN = 10_000


@dataclass(frozen=True)
class SampleSettings:
    """What `longspan sample` is asked for.

    `pairs` training pairs of 3 to `max_words` English words; `validation` pairs in all and
    `test_per_bucket` test pairs in each bucket, both over all buckets up to 300 words.
    Raises DataError for what cannot be made.
    """

    pairs: int
    seed: int = 1
    max_words: int = 20
    validation: int = 500
    test_per_bucket: int = 100

    def __post_init__(self) -> None:
        _expect("--pairs", self.pairs, 1, None)
        _expect("--max-words", self.max_words, SHORTEST, LONGEST)
        _expect("--validation", self.validation, len(BUCKETS), None)
        _expect("--test-per-bucket", self.test_per_bucket, 1, None)

    def as_json(self) -> dict[str, int]:
        """What makes the sample what it is: equal values, equal bytes."""
        return {"grammar_version": GRAMMAR_VERSION, **asdict(self)}


def _expect(name: str, value: int, low: int, high: int | None) -> None:
    if value < low or (high is not None and value > high):
        allowed = f"from {low} to {high}" if high is not None else f"{low} or more"
        raise DataError(f"{name} must be {allowed}, not {value}: give another number")


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One line of a file; `document` is DOCUMENT#LINE."""

    document: str
    english: str
    japanese: str

    def line(self) -> str:
        """Tab-separated."""
        return f"{self.document}\t{self.english}\t{self.japanese}\n"


class SampleStatistics:
    """Counts of one split, gathered while it is written."""

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
        """With every bucket, those without pairs too."""
        return {
            "pairs": self.pairs,
            "documents": self.documents,
            "english_words": self.words,
            "japanese_characters": self.characters,
            "buckets": {bucket.name: self.buckets[bucket.name] for bucket in BUCKETS},
        }


class SampleCorpus:
    """The three splits as streams: take `test`, then `validation`, then `train`.

    Memory: eight-byte hashes of the sides, about 75 bytes of a Python set each, and nothing
    else that grows.
    """

    def __init__(self, settings: SampleSettings) -> None:
        self._settings = settings
        self._held_out: set[int] = set()
        self.repeated = 0

    def test(self) -> Iterator[SampleRow]:
        """`test_per_bucket` pairs a bucket."""
        count = self._settings.test_per_bucket
        yield from self._by_bucket("test", [bucket for bucket in BUCKETS for _ in range(count)])

    def validation(self) -> Iterator[SampleRow]:
        """The buckets take turns, so that their counts differ by one at most."""
        turns = [BUCKETS[i % len(BUCKETS)] for i in range(self._settings.validation)]
        yield from self._by_bucket("validation", turns)

    def train(self) -> Iterator[SampleRow]:
        """`pairs` short pairs; `repeated` counts those whose English came before."""
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
        for bucket in stream.dice.shuffled(buckets):
            stream.next_line(left)
            left -= 1
            yield stream.row(self._new_in_bucket(stream, bucket))

    def _new_in_bucket(self, stream: "_Stream", bucket: Bucket) -> Sentence:
        low, high = max(bucket.low, SHORTEST), bucket.high or LONGEST
        for _ in range(_TRIES_IN_VAIN):
            made = stream.sentence(stream.dice.integer(low, high))
            sides = _sides(made)
            fits = low <= count_words(made.english) <= high
            if fits and self._held_out.isdisjoint(sides):
                self._held_out.update(sides)
                return made
        raise DataError(
            f"the grammar has too few sentences of {bucket.name} words for that many validation "
            "and test pairs: ask for fewer with --validation or --test-per-bucket"
        )

    def _new_short(self, stream: "_Stream", lengths: Weighted[int], seen: set[int]) -> Sentence:
        repeats = 0
        for _ in range(_TRIES_IN_VAIN):
            made = stream.sentence(stream.dice.draw(lengths))
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
            f"the grammar has too few sentences of at most {self._settings.max_words} words that "
            "are not held out: raise --max-words or lower --validation and --test-per-bucket"
        )


class _Stream:
    """The sentences of one split, in documents."""

    def __init__(self, split: str, seed: int) -> None:
        self.dice = Dice(f"longspan sample {seed} {split} lengths")
        self._grammar = Grammar(f"longspan sample {seed} {split} grammar")
        self._split = split
        self._document = self._line = self._lines = 0

    def next_line(self, left: int) -> None:
        """Go on to the next line, in a new document where this one is full.

        `left` lines are still to come: the last document is never shorter than 5 lines where
        there are 5.
        """
        self._line += 1
        if self._line > self._lines:
            self._document += 1
            self._line = 1
            self._lines = self.dice.integer(5, 20)
            if left - self._lines < 5:
                self._lines = left if left <= 20 else left - 5
            self._grammar.new_document()

    def sentence(self, words: int) -> Sentence:
        """A sentence that may follow the lines before it."""
        return self._grammar.sentence(words, opening=self._line > 1)

    def row(self, sentence: Sentence) -> SampleRow:
        """The sentence at its place."""
        document = f"{self._split}-{self._document:07d}#{self._line}"
        return SampleRow(document, sentence.english, sentence.japanese)


def _sides(sentence: Sentence) -> tuple[int, int]:
    """Eight-byte hashes of both sides; two texts in a billion pairs would share one by chance."""
    return _hash(sentence.english), _hash(sentence.japanese)


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def _short_lengths(max_words: int) -> Weighted[int]:
    """Lengths of training sentences: most have 3 to 15 words, few reach a far maximum."""
    lengths = range(SHORTEST, max_words + 1)
    floor = 0.6 / max_words
    return Weighted(lengths, [max((n - 1) * math.exp(-n / 6), floor) for n in lengths])
