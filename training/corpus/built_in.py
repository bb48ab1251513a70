"""Data of the built-in seq2seq algorithm: three channels converted to a prepared folder.

Channels `train` and `validation` hold RecordIO-protobuf files of token ids, `vocab` holds
`vocab.src.json` and `vocab.trg.json`
(https://docs.aws.amazon.com/sagemaker/latest/dg/seq-2-seq.html#s2s-inputoutput). The converted
folder is one as `longspan prepare` writes it. The records have no EOS, which is added here.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from longspan.training.corpus import recordio
from longspan.training.corpus.shards import ShardWriter
from longspan.training.errors import DataError
from longspan.training.progress import progress
from longspan.training.tokenizer.tokenizer import Tokenizer
from longspan.training.tokenizer.vocabularies import BOS, EOS, PAD, SPECIAL_WORDS, WordVocabulary

__all__ = ["CHANNELS", "VOCABULARIES", "Converted", "convert", "read_tokenizer"]

CHANNELS = ("train", "validation", "vocab")
VOCABULARIES = ("vocab.src.json", "vocab.trg.json")


@dataclass(frozen=True)
class Converted:
    """Counts of one converted channel."""

    pairs: int  # written
    left_out: dict[str, int] = field(default_factory=dict)  # reason -> pairs
    trimmed: dict[str, int] = field(default_factory=dict)  # reason -> sides of pairs

    def __str__(self) -> str:
        notes = [f"{count:,} left out: {why}" for why, count in sorted(self.left_out.items())]
        notes += [f"{count:,} sides: {what}" for what, count in sorted(self.trimmed.items())]
        return "; ".join([f"{self.pairs:,} pairs", *notes])


def read_tokenizer(channel: Path) -> Tokenizer:
    """Read the word vocabularies of the `vocab` channel.

    Raises DataError when a file is missing, is not a JSON object from word to id, or gives the ids
    0 to 3 to other words than the algorithm's four special ones.
    """
    source, target = (_read_words(channel / name) for name in VOCABULARIES)
    return Tokenizer(WordVocabulary(source), WordVocabulary(target), joint=source == target)


def convert(train: Path, validation: Path, vocab: Path, out: Path) -> dict[str, Converted]:
    """Write the three channels as a prepared folder: `tokenizer/`, `train/`, `validation/`.

    Records are converted as a stream, so memory does not grow with them. Pairs with an empty side
    are left out and counted. Raises DataError naming file and byte for a damaged record, and for
    an id that is not in its vocabulary.
    """
    tokenizer = read_tokenizer(vocab)
    tokenizer.save(out / "tokenizer")
    return {
        name: _convert_channel(name, channel, tokenizer, out / name)
        for name, channel in (("train", train), ("validation", validation))
    }


def _convert_channel(name: str, channel: Path, tokenizer: Tokenizer, out: Path) -> Converted:
    sizes = (len(tokenizer.source), len(tokenizer.target))
    left_out: Counter[str] = Counter()
    trimmed: Counter[str] = Counter()
    files = _files(name, channel)
    records = progress(_records(files), unit="pairs", label=f"reading channel {name}")
    with ShardWriter(out, vocabulary_size=max(sizes), tokenizer=tokenizer.fingerprint) as writer:
        for record in records:
            source = _clean(record.source, sizes[0], VOCABULARIES[0], record.origin, trimmed)
            target = _clean(record.target, sizes[1], VOCABULARIES[1], record.origin, trimmed)
            if len(source) and len(target):
                writer.add([*source.tolist(), EOS], [*target.tolist(), EOS])
            else:
                left_out["empty side"] += 1
    if not len(writer):
        raise DataError(
            f"channel {name}: expected sentence pairs, got {sum(left_out.values())} records "
            f"with an empty side in {len(files)} files; check how they were written"
        )
    return Converted(len(writer), dict(left_out), dict(trimmed))


def _records(files: list[Path]) -> Iterator[recordio.RecordPair]:
    for path in files:
        yield from recordio.read_records(path)


def _files(name: str, channel: Path) -> list[Path]:
    # Sorted, so that the order of pairs does not depend on the file system.
    files = sorted(
        path for path in channel.rglob("*") if path.is_file() and not path.name.startswith(".")
    )
    if not files:
        raise DataError(
            f"channel {name}: expected RecordIO-protobuf files, got none ({channel}); check the "
            "channel's S3 prefix"
        )
    return files


def _clean(
    ids: recordio.Ids, size: int, vocabulary: str, origin: str, trimmed: Counter[str]
) -> recordio.Ids:
    """Remove padding and sentence marks, which some writers put around the words of a side."""
    wrong = ids[(ids < 0) | (ids >= size)]
    if len(wrong):
        raise DataError(
            f"{origin}: expected ids from 0 to {size - 1} as in {vocabulary}, got {wrong[0]}; "
            "were the records written with another vocabulary?"
        )
    bare = np.trim_zeros(ids, "b")  # PAD is 0
    if len(bare) < len(ids):
        trimmed["padding at the end taken off"] += 1
    if len(bare) and bare[-1] == EOS:
        bare = bare[:-1]
        trimmed["sentence end taken off, as it is added again"] += 1
    if len(bare) and bare[0] == BOS:
        bare = bare[1:]
        trimmed["sentence start taken off, as it is added again"] += 1
    inner = bare[np.isin(bare, (PAD, BOS, EOS))]
    if len(inner):
        raise DataError(
            f"{origin}: expected words between BOS and EOS, got id {inner[0]} "
            f"({SPECIAL_WORDS[inner[0]]}) among them; write one sentence pair per record"
        )
    return bare


def _read_words(path: Path) -> dict[str, int]:
    try:
        words = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        there = ", ".join(sorted(p.name for p in path.parent.glob("*"))) or "no files"
        raise DataError(
            f"channel vocab: expected {' and '.join(VOCABULARIES)}, got {there} "
            f"({path.name}: {error.strerror}); add the missing file"
        ) from None
    except ValueError as error:
        raise DataError(f"{path}: expected JSON, got something else: {error}") from None
    if not isinstance(words, dict) or not all(type(i) is int for i in words.values()):
        raise DataError(f"{path}: expected a JSON object from word to integer id")
    for number, word in enumerate(SPECIAL_WORDS):
        if words.get(word) != number:
            found = words.get(word, "no such word")
            raise DataError(f"{path}: expected {word} to have id {number}, got {found}")
    missing = set(range(len(words))) - set(words.values())
    if missing:
        raise DataError(
            f"{path}: expected {len(words)} words with the ids 0 to {len(words) - 1}, "
            f"got none with id {min(missing)}"
        )
    return words
