"""How well a model finds clauses that a translation leaves out or says twice, by length.

    python benchmarks/omissions.py MODEL test.tsv --words 20 50 100 150 --lines 40

Joins short pairs of TEST to lines of so many source words. In one copy of each line it deletes the
reference of one pair, in another it repeats one. The model examines these targets, which it did
not write. The score of a pair is the mean over its tokens. The area under the ROC curve is the
probability that a pair that was deleted (repeated) scores more than one that was not. `found`
and `false` are the shares of the two kinds beyond the threshold of an account. For comparison,
`attention` is the area under the curve of plain coverage: attention over the whole line, summed.

Text is TSV: source and target, or with a header that names them. Times are CPU-seconds of a line,
beside those of greedy search.
"""

import argparse
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from longspan.inference import Translator
from longspan.inference.accounting.examination import Question, answer_all, examine_text
from longspan.inference.accounting.repair import DUPLICATED, OMITTED
from longspan.inference.accounting.units import Unit
from longspan.inference.search.settings import SearchSettings
from longspan.training import read_pairs
from longspan.training.lengths import count_words
from longspan.training.tokenizer.tokenizer import EOS, Tokenizer

LONGEST_PAIR = 16  # source words
SHORTEST_PAIR = 3

Ids = list[int]


@dataclass(frozen=True)
class Pair:
    """A short pair as token ids without EOS, with its source words."""

    words: int
    source: Ids
    target: Ids


@dataclass(frozen=True)
class Case:
    """A line of several pairs. Pair `chosen` is deleted or repeated in its target."""

    sources: list[Ids]
    targets: list[Ids]
    chosen: int
    is_deleted: bool

    @property
    def source(self) -> tuple[int, ...]:
        return _flat(self.sources)

    @property
    def changed(self) -> list[Ids]:
        """The pairs' targets, without the chosen one or with it twice."""
        before, after = self.targets[: self.chosen], self.targets[self.chosen + 1 :]
        middle = [] if self.is_deleted else [self.targets[self.chosen]] * 2
        return [*before, *middle, *after]

    @property
    def target(self) -> tuple[int, ...]:
        return _flat(self.changed)


@dataclass
class Sample:
    """Scores of pairs that were changed, and of pairs that were not."""

    changed: list[float]
    whole: list[float]

    def add(
        self, scores: Sequence[float], parts: Sequence[Ids], changed: int, skipped: int
    ) -> None:
        """Add the mean of the tokens' scores of each part but `skipped`."""
        for number, (start, stop) in enumerate(_spans(parts)):
            if number != skipped:
                kind = self.changed if number == changed else self.whole
                kind.append(float(np.mean(scores[start:stop])))

    @property
    def area(self) -> float:
        """Area under the ROC curve (Mann and Whitney 1947): ties count half."""
        changed, whole = np.array(self.changed)[:, None], np.array(self.whole)
        return float(((changed > whole) + 0.5 * (changed == whole)).mean())

    def beyond(self, threshold: float) -> str:
        """Shares of changed and whole pairs with at least this score."""
        shares = (np.mean(np.array(kind) >= threshold) for kind in (self.changed, self.whole))
        return " | ".join(f"{share:.1%}" for share in shares)


def main() -> int:
    """Print a table with a row for each length; return 0."""
    arguments = _arguments()
    torch.set_num_threads(arguments.threads)
    translator = Translator.open(arguments.model, arguments.device, beam_size=1)
    pairs = list(_pairs(arguments.test, translator.tokenizer))
    generator = random.Random(arguments.seed)
    print(
        "| words | lines | omissions | found | false | attention | duplications | found | false "
        "| CPU s a line | greedy search |"
    )
    print("|---:|" + "---:|" * 10)
    for words in arguments.words:
        lines = [_line(pairs, words, generator) for _ in range(arguments.lines)]
        several = [line for line in lines if len(line) > 1]
        print(_row(translator, words, several, generator), flush=True)
    return 0


def _row(
    translator: Translator,
    words: int,
    lines: Sequence[Sequence[Pair]],
    generator: random.Random,
) -> str:
    omissions, duplications, attention = (Sample([], []) for _ in range(3))
    cases = [
        Case(
            [one.source for one in line],
            [one.target for one in line],
            generator.randrange(len(line)),
            deleted,
        )
        for line in lines
        for deleted in (True, False)
    ]
    tokenizer = translator.tokenizer
    started = time.process_time()
    found = answer_all(
        [
            examine_text(tokenizer, tokenizer.source.decode(case.source), case.source, case.target)
            for case in cases
        ],
        translator.answer,
    )
    used = time.process_time() - started
    for case, scores in zip(cases, found, strict=True):
        if case.is_deleted:
            tokens = _by_token(scores.omission, scores.source_units)
            omissions.add(tokens, case.sources, case.chosen, -1)
        else:
            tokens = _by_token(scores.duplication, scores.target_units)
            duplications.add(tokens, case.changed, case.chosen + 1, case.chosen)
    deleted = [case for case in cases if case.is_deleted]
    for case, coverage in zip(deleted, _coverage(translator, deleted), strict=True):
        attention.add((-coverage).tolist(), case.sources, case.chosen, -1)
    started = time.process_time()
    translator.translate_ids([[*case.source, EOS] for case in deleted])
    search = time.process_time() - started
    cells = [
        str(words), str(len(lines)), f"{omissions.area:.3f}", omissions.beyond(OMITTED),
        f"{attention.area:.3f}", f"{duplications.area:.3f}", duplications.beyond(DUPLICATED),
        f"{used / len(cases):.3f}", f"{search / len(deleted):.3f}",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _coverage(translator: Translator, cases: Sequence[Case]) -> Iterator[np.ndarray]:
    """Yield the attention that each source token gets from the whole target."""
    settings = SearchSettings(beam_size=1, with_alignment=True)
    questions = [Question((*case.source, EOS), case.target, settings) for case in cases]
    for case, answer in zip(cases, translator.answer(questions), strict=True):
        weights = answer.alignment
        yield np.zeros(len(case.source)) if weights is None else weights.sum(axis=0)[:-1]


def _by_token(scores: Sequence[float], units: Sequence[Unit]) -> list[float]:
    return [score for score, (a, b) in zip(scores, units, strict=True) for _ in range(a, b)]


def _line(pairs: Sequence[Pair], words: int, generator: random.Random) -> list[Pair]:
    """Return pairs drawn until they have so many source words."""
    line: list[Pair] = []
    while sum(one.words for one in line) < words:
        line.append(generator.choice(pairs))
    return line


def _spans(parts: Sequence[Ids]) -> list[Unit]:
    stops = np.cumsum([len(part) for part in parts]).tolist()
    return [(stop - len(part), stop) for part, stop in zip(parts, stops, strict=True)]


def _flat(parts: Sequence[Ids]) -> tuple[int, ...]:
    return tuple(token for part in parts for token in part)


def _pairs(path: Path, tokenizer: Tokenizer) -> Iterator[Pair]:
    for pair in read_pairs([str(path)]):
        words = count_words(pair.source)
        if SHORTEST_PAIR <= words <= LONGEST_PAIR:
            source = tokenizer.source.encode(pair.source)
            yield Pair(words, source, tokenizer.target.encode(pair.target))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="model directory")
    parser.add_argument("test", type=Path, help="short pairs")
    parser.add_argument("--words", type=int, nargs="+", default=[20, 50, 100, 150], metavar="N")
    parser.add_argument("--lines", type=int, default=40, metavar="N", help="lines of each length")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
