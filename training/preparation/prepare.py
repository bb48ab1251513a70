"""Prepare: clean, split and tokenise a corpus into token shards, tokenizer and manifest.

    input -> collect -> spool (text) --+-> sample -> tokenizer -> encode -> shards, manifest
                     -> keys --> splits

The input is read once. Clean pairs go to a spool on the disk, with 24 bytes of keys for each pair.
Duplicates and held-out pairs are found by the keys. The spool is then read twice, for the
tokenizer's sample and for the shards. Memory grows with the corpus by one byte a pair. The same
input and settings give the same bytes.
"""

import dataclasses
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from longspan.training.corpus.manifest import file_records, read_manifest, write_manifest
from longspan.training.errors import DataError
from longspan.training.files import atomic_directory
from longspan.training.lengths import LENGTH_RULE
from longspan.training.pairs.pairs import Pair, write_tsv
from longspan.training.preparation.cleaning import DUPLICATE, HELD_OUT
from longspan.training.preparation.collection import (
    Collection,
    Rejections,
    collect,
)
from longspan.training.preparation.dataset_splits import with_splits
from longspan.training.preparation.encoding import EncodedSplit, encode_split
from longspan.training.preparation.held_out import HeldOutSplit
from longspan.training.preparation.joining import separator_of
from longspan.training.preparation.parts import read_parts
from longspan.training.preparation.settings import PrepareSettings
from longspan.training.preparation.splits import (
    DUPLICATE_PAIR,
    SHARES_HELD_OUT,
    TEST,
    TRAIN,
    VALIDATION,
    Bytes,
    HeldOut,
    assign_splits,
    mix_hashes,
    pair_keys,
)
from longspan.training.preparation.spool import Spool
from longspan.training.tokenizer.tokenizer import Tokenizer
from longspan.training.tokenizer.vocabulary_training import train_tokenizer

__all__ = ["HELD_OUT_NAMES", "prepare", "prepare_into"]

HELD_OUT_NAMES = {VALIDATION: "validation", TEST: "test"}


def prepare(
    inputs: Sequence[str],
    directory: Path,
    settings: PrepareSettings,
    held_out: Mapping[int, str] | None = None,
    notify: Callable[[str], None] = lambda text: print(text, file=sys.stderr),
    *,
    parts: Path | None = None,
    tokenizer: Tokenizer | None = None,
) -> dict[str, Any]:
    """Write a prepared directory, in place of an older one, and return its manifest.

    `held_out` names files for VALIDATION and TEST; pairs are drawn for a split without a file.
    `parts` is a folder with the parts that several machines collected, instead of `inputs`.
    A `tokenizer`, such as that of a model to continue from, is used instead of training one.
    Raises DataError for unusable input and for an empty corpus, and OSError for example on a full
    disk. The directory is then as it was before.
    """
    with atomic_directory(directory) as scratch:
        return prepare_into(
            scratch, inputs, settings, held_out, notify, parts=parts, tokenizer=tokenizer
        )


def prepare_into(
    directory: Path,
    inputs: Sequence[str],
    settings: PrepareSettings,
    held_out: Mapping[int, str] | None = None,
    notify: Callable[[str], None] = lambda text: print(text, file=sys.stderr),
    *,
    parts: Path | None = None,
    tokenizer: Tokenizer | None = None,
) -> dict[str, Any]:
    """Prepare as `prepare` does, into an empty directory; an error leaves it incomplete."""
    inputs, held_out = with_splits(inputs, held_out or {})
    work = directory / ".work"
    work.mkdir()
    run = _Run(directory, work, settings, held_out, notify)
    run.collect(inputs, parts)
    run.assign_splits()
    run.sample()
    if tokenizer is None:
        run.train_tokenizer()
    else:
        run.use_tokenizer(tokenizer)
    run.encode()
    # Scratch files go before the manifest lists and hashes all files of the folder. The manifest is
    # written last: a folder without one is not complete.
    shutil.rmtree(work)
    write_manifest(directory, {**run.manifest(), "files": file_records(directory)})
    return read_manifest(directory)


class _Run:
    """One run; its public methods are called in their order."""

    def __init__(
        self,
        directory: Path,
        work: Path,
        settings: PrepareSettings,
        held_out: dict[int, str],
        notify: Callable[[str], None],
    ) -> None:
        self._directory, self._work, self._settings = directory, work, settings
        self._held_out_files, self._notify = held_out, notify
        self._held_out = {split: HeldOutSplit() for split in HELD_OUT_NAMES}
        self._encoded: dict[str, EncodedSplit] = {}
        self._sampled = 0
        self._given_tokenizer = False

    def collect(self, inputs: Sequence[str], parts: Path | None) -> None:
        """Read the input and the held-out files into spools."""
        settings = self._settings
        with Rejections(self._directory / "rejected.tsv", self._notify) as rejections:
            for split, path in self._held_out_files.items():
                spool = Spool(self._work, HELD_OUT_NAMES[split])
                # The format of each held-out file is found on its own.
                rules = settings.collecting.replace(format=None)
                given = collect([path], rules, spool, rejections, whole=True)
                self._require_pairs(given, path)
                if given.removals.total:
                    self._notify(f"{path}: left out {given.removals.summary()}")
                self._held_out[split] = HeldOutSplit(given)
            self._corpus = self._collect_corpus(inputs, parts, rejections)
        self._require_pairs(self._corpus, str(parts) if parts else ", ".join(inputs))

    def _collect_corpus(
        self, inputs: Sequence[str], parts: Path | None, rejections: Rejections
    ) -> Collection:
        settings = self._settings
        rules = settings.collecting
        if parts is None:
            return collect(inputs, rules, Spool(self._work), rejections)
        found = read_parts(parts, rules)
        for path in found.rejected:
            rejections.copy(path)
        return found

    def assign_splits(self) -> None:
        """Assign each pair to a split, or mark it for removal."""
        settings = self._settings.splits
        given = {
            # All pairs of a given file: zeros are TRAIN.
            split: HeldOut.of(found.spool, settings, np.zeros(len(found.spool), np.uint8), TRAIN)
            for split, found in ((s, h.given) for s, h in self._held_out.items())
            if found is not None
        }
        validation = self._held_out[VALIDATION].given
        if validation is not None and TEST in given:
            chunks = validation.spool.key_chunks()
            shared = sum(int(given[TEST].shares(keys).sum()) for _, keys in chunks)
            if shared:
                self._notify(
                    f"{shared:,} validation pairs share a source, target or document with the test"
                )
        # Test first, so that it does not depend on the size of validation, and validation cannot
        # share with it.
        draw = [split for split in (TEST, VALIDATION) if split not in given]
        self._assigned: Bytes = assign_splits(
            self._corpus.spool, self._work, settings, given.values(), draw
        )
        self._train_pairs = int(np.count_nonzero(self._assigned == TRAIN))

    def sample(self) -> None:
        """Take the held-out pairs and the tokenizer's sample, and count removed pairs."""
        taken = {DUPLICATE_PAIR: DUPLICATE, SHARES_HELD_OUT: HELD_OUT}
        paths = self._sample_paths()
        with (
            paths[0].open("w", encoding="utf-8", newline="\n") as sources,
            paths[1].open("w", encoding="utf-8", newline="\n") as targets,
        ):
            # One pass over the text serves three purposes; only held-out pairs stay in memory.
            for pair, (assignment, sampled) in zip(
                self._corpus.spool.pairs(), self._assigned_and_sampled(), strict=True
            ):
                if sampled:
                    sources.write(pair.source + "\n")
                    targets.write(pair.target + "\n")
                    self._sampled += 1
                elif assignment in taken:
                    self._corpus.removals.add_pair(taken[assignment], pair)
                elif assignment in self._held_out:
                    self._held_out[assignment].draw(pair)
        if not self._train_pairs:
            raise DataError(self._nothing_left(self._corpus, "the input"))
        source, target = (_separator(path) for path in paths)
        self._separators = (source, target)

    def train_tokenizer(self) -> None:
        """Train the tokenizer on the sample and save it."""
        vocabulary = self._settings.vocabulary
        wanted = vocabulary.tokens_for(self._train_pairs)
        self._notify(
            f"training {vocabulary.type} vocabularies of {wanted:,} tokens on "
            f"{self._sampled:,} of {self._train_pairs:,} training pairs"
        )
        self._tokenizer = train_tokenizer(
            self._sample_paths(),
            self._separators,
            vocabulary.replace(size=wanted),
            self._work,
        )
        for side, size in (
            ("source", len(self._tokenizer.source)),
            ("target", len(self._tokenizer.target)),
        ):
            if size != wanted:
                self._notify(
                    f"the {side} vocabulary has {size:,} tokens instead of {wanted:,}: "
                    "the training text has no more"
                )
        self._tokenizer.save(self._directory / "tokenizer")

    def use_tokenizer(self, tokenizer: Tokenizer) -> None:
        """Save a tokenizer that was trained before, and join texts as it does."""
        self._notify(
            f"using a given tokenizer of {len(tokenizer.source):,} and {len(tokenizer.target):,} "
            "tokens"
        )
        self._tokenizer, self._given_tokenizer, self._sampled = tokenizer, True, 0
        source, target = (
            " " if side.settings.get("prefix_space", True) else ""
            for side in (tokenizer.source, tokenizer.target)
        )
        self._separators = (source, target)
        tokenizer.save(self._directory / "tokenizer")

    def encode(self) -> None:
        """Write the shards of each split, and the text of held-out splits."""
        assigned = self._assigned_and_sampled()
        training = (
            pair
            for pair, (assignment, _) in zip(self._corpus.spool.pairs(), assigned, strict=True)
            if assignment == TRAIN
        )
        self._encode("train", training, self._train_pairs)
        for split, name in HELD_OUT_NAMES.items():
            held_out = self._held_out[split]
            if self._settings.joined:
                held_out.join(self._separators)
            write_tsv(self._directory / f"{name}.tsv", held_out.pairs(), joined=True)
            self._encode(name, held_out.pairs(), None)

    def manifest(self) -> dict[str, Any]:
        """Return the manifest without the hashes of the files."""
        return {
            "inputs": [dataclasses.asdict(record) for record in self._corpus.inputs],
            "settings": self._settings.to_json(),
            "pairs": {
                "read": self._corpus.read,
                "removed": self._corpus.removals.total,
                **{name: split.lengths.pairs for name, split in self._encoded.items()},
            },
            "removed": self._corpus.removals.to_json(),
            "held_out": {
                name: self._held_out[split].to_json() for split, name in HELD_OUT_NAMES.items()
            },
            "length": LENGTH_RULE,
            "join_separator": dict(zip(("source", "target"), self._separators, strict=True)),
            "tokenizer": {
                "fingerprint": self._tokenizer.fingerprint,
                "given": self._given_tokenizer,
                "source_size": len(self._tokenizer.source),
                "target_size": len(self._tokenizer.target),
                "sample_pairs": self._sampled,
            },
            "splits": {name: split.to_json() for name, split in self._encoded.items()},
        }

    def _encode(self, name: str, pairs: Iterator[Pair], total: int | None) -> None:
        folder = self._directory / name
        self._encoded[name] = encode_split(pairs, folder, self._tokenizer, total)

    def _assigned_and_sampled(self) -> Iterator[tuple[int, bool]]:
        """Yield the assignment of each pair, and whether it is in the tokenizer's sample.

        Pairs are sampled by their hashes, so the sample has about the wanted size.
        """
        wanted = self._settings.tokenizer_pairs
        # Hashes are uniform, so a share of them below a bound is about that share of pairs.
        share = min(1.0, wanted / max(1, self._train_pairs))
        bound = np.uint64(min(2**64 - 1, int(share * 2**64)))
        for start, keys in self._corpus.spool.key_chunks():
            assigned = self._assigned[start : start + len(keys)]
            low = mix_hashes(pair_keys(keys), self._settings.splits.seed) <= bound
            yield from zip(assigned.tolist(), ((assigned == TRAIN) & low).tolist(), strict=True)

    def _sample_paths(self) -> tuple[Path, Path]:
        return self._work / "sample.source", self._work / "sample.target"

    def _require_pairs(self, collected: Collection, name: str) -> None:
        if not len(collected.spool):
            raise DataError(self._nothing_left(collected, name))

    @staticmethod
    def _nothing_left(collected: Collection, name: str) -> str:
        if not collected.read:
            return f"{name}: expected pairs, got an empty input; give other files"
        examples = (e for of_rule in collected.removals.examples.values() for e in of_rule)
        first = next(examples, {"origin": name})["origin"]
        return (
            f"{name}: expected pairs to train on, but all {collected.read:,} were removed "
            f"({collected.removals.summary()}; first: {first}); check columns and cleaning options"
        )


def _separator(path: Path) -> str:
    with path.open(encoding="utf-8", newline="\n") as lines:
        return separator_of(line.rstrip("\n") for line in lines)
