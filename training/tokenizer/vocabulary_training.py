"""Train vocabularies on a sample of the training split: SentencePiece, or whole words.

    python -m longspan.training.tokenizer.vocabulary_training MODEL TYPE SIZE SAMPLE PREFIX ...

trains one SentencePiece model. `train_tokenizer` starts such a process for each side, because the
trainer uses one core for most of its time and frees its memory only when the process ends.
"""

import io
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import sentencepiece

from longspan.training.errors import DataError
from longspan.training.tokenizer.settings import VocabularySettings
from longspan.training.tokenizer.tokenizer import (
    BOS,
    EOS,
    PAD,
    UNK,
    SentencePieceVocabulary,
    Tokenizer,
    WordVocabulary,
)
from longspan.training.tokenizer.vocabularies import SPECIAL_WORDS

__all__ = ["train_sentencepiece", "train_tokenizer"]

# The first pieces are four special ones and 256 bytes.
_BEFORE_TEXT = 260
# SentencePiece silently skips longer lines, so this is above the limit of cleaning.
_LONGEST_LINE = 1 << 24
# Share of the text whose characters must be pieces; rarer characters are spelt in bytes.
_COVERAGE = 0.9995
# Fixed, since another number of threads gives another model. Both sides run in parallel.
_THREADS = 1
# Measured on 100,000 Japanese sentences: the default of a million seeds and a factor of 0.75
# takes 5 times as long for 0.4% other token counts.
_SEEDS_PER_TOKEN = 10
_FEWEST_SEEDS = 50_000
_SHRINKING_FACTOR = 0.5


def train_tokenizer(
    samples: tuple[Path, Path],
    separators: tuple[str, str],
    settings: VocabularySettings,
    folder: Path,
) -> Tokenizer:
    """Train a tokenizer on two files with one sentence a line; scratch files go to `folder`.

    `separators` are those between two joined texts of each side: a side with a space gets the
    `prefix_space` of `SentencePieceVocabulary`. Without a size in `settings` it is that of a small
    corpus. Raises DataError when no model can be trained.
    """
    groups = [samples] if settings.joint else [(samples[0],), (samples[1],)]
    size = settings.tokens_for(0)
    if settings.type == "word":
        words = [_train_words(group, size) for group in groups]
        return Tokenizer(words[0], words[-1], settings.joint)
    spaced = tuple(separator == " " for separator in separators)
    flags = [spaced] if settings.joint else [(spaced[0],), (spaced[1],)]
    models = _train_models(groups, flags, settings.type, size, folder)
    source = SentencePieceVocabulary(models[0], prefix_space=spaced[0])
    target = SentencePieceVocabulary(models[-1], prefix_space=spaced[1])
    return Tokenizer(source, target, settings.joint)


def train_sentencepiece(
    paths: Sequence[Path], prefixes: Sequence[bool], kind: str, size: int
) -> bytes:
    """Train one SentencePiece model; the same lines give the same bytes.

    It has fewer tokens than `size` if the text has no more. If the text has more different
    characters than tokens, rare characters are spelt in bytes. Raises DataError when no model can
    be trained.
    """
    try:
        return _train(_sentences(paths, prefixes), kind, size)
    except _TooManyCharactersError:
        # Half of the pieces for single characters, and half for longer ones.
        common = _common_characters(_sentences(paths, prefixes), (size - _BEFORE_TEXT) // 2)
        return _train(_without_others(_sentences(paths, prefixes), common), kind, size)


class _TooManyCharactersError(DataError):
    """The text has more different characters than the vocabulary has tokens."""


def _train(sentences: Iterator[str], kind: str, size: int) -> bytes:
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=sentences,
            model_writer=model,
            model_type="unigram" if kind == "ngram" else kind,
            # With ngram, pieces may span several words.
            split_by_whitespace=kind != "ngram",
            vocab_size=size,
            hard_vocab_limit=False,
            character_coverage=_COVERAGE,
            byte_fallback=True,
            split_digits=True,
            # The text is not normalised, so that decoding returns it unchanged.
            normalization_rule_name="identity",
            remove_extra_whitespaces=False,
            add_dummy_prefix=False,
            max_sentence_length=_LONGEST_LINE,
            pad_id=PAD,
            unk_id=UNK,
            bos_id=BOS,
            eos_id=EOS,
            seed_sentencepiece_size=max(_FEWEST_SEEDS, _SEEDS_PER_TOKEN * size),
            shrinking_factor=_SHRINKING_FACTOR,
            num_threads=_THREADS,
            minloglevel=2,
        )
    except (RuntimeError, OSError, ValueError) as error:
        said = " ".join(str(error).split())
        kind_of_error = _TooManyCharactersError if "required_chars" in said else DataError
        raise kind_of_error(
            f"expected text to train a {kind} vocabulary of {size} tokens on, got from "
            f"SentencePiece: {said}; try another --vocabulary-size"
        ) from error
    return model.getvalue()


def _sentences(paths: Sequence[Path], prefixes: Sequence[bool]) -> Iterator[str]:
    for path, prefix in zip(paths, prefixes, strict=True):
        with path.open(encoding="utf-8", newline="\n") as file:
            for line in file:
                yield (" " if prefix else "") + line.rstrip("\n")


def _common_characters(sentences: Iterator[str], count: int) -> frozenset[str]:
    counts: Counter[str] = Counter()
    for sentence in sentences:
        counts.update(sentence)
    # Equal counts by the character, so that the same text gives the same model.
    return frozenset(sorted(counts, key=lambda c: (-counts[c], c))[:count])


def _without_others(sentences: Iterator[str], common: frozenset[str]) -> Iterator[str]:
    """Yield the parts of sentences between characters that are not common."""
    for sentence in sentences:
        parts = "".join(c if c in common else "\n" for c in sentence).split("\n")
        yield from (part for part in parts if part)


def _train_models(
    groups: Sequence[Sequence[Path]],
    flags: Sequence[Sequence[bool]],
    kind: str,
    size: int,
    folder: Path,
) -> list[bytes]:
    outputs = [folder / f"vocabulary.{number}" for number in range(len(groups))]
    processes: list[subprocess.Popen[str]] = []
    try:
        for group, flag, output in zip(groups, flags, outputs, strict=True):
            command = [sys.executable, "-m", "longspan.training.tokenizer.vocabulary_training"]
            command += [str(output), kind, str(size)]
            for path, prefix in zip(group, flag, strict=True):
                command += [str(path), str(int(prefix))]
            # All are started before the first one is waited for.
            processes.append(
                subprocess.Popen(
                    command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
                )
            )
        for process in processes:
            _, complaint = process.communicate()
            if process.returncode:
                raise DataError(_last_line(complaint, process.returncode))
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.communicate()
    models = [output.read_bytes() for output in outputs]
    for output in outputs:
        output.unlink()
    return models


def _last_line(complaint: str, code: int) -> str:
    lines = [line for line in complaint.splitlines() if line.strip()]
    # `main` returns 1 with its message; any other status is a crash or a signal.
    if code == 1 and lines:
        return lines[-1]
    return (
        f"expected a trained vocabulary, its process ended with status {code}; if memory ran out, "
        "give a smaller --tokenizer-pairs"
    )


def _train_words(paths: Sequence[Path], size: int) -> WordVocabulary:
    counts: Counter[str] = Counter()
    for path in paths:
        with path.open(encoding="utf-8", newline="\n") as file:
            for line in file:
                counts.update(line.split())
    for special in SPECIAL_WORDS:
        counts.pop(special, None)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    return WordVocabulary([*SPECIAL_WORDS, *ranked[: size - len(SPECIAL_WORDS)]])


def main(arguments: Sequence[str]) -> int:
    """Train one model; the command of the process that `train_tokenizer` starts."""
    output, kind, size, *sources = arguments
    paths = [Path(path) for path in sources[::2]]
    prefixes = [flag == "1" for flag in sources[1::2]]
    try:
        Path(output).write_bytes(train_sentencepiece(paths, prefixes, kind, int(size)))
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
