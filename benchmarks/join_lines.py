"""Make a test set of long lines: join short pairs with a space until a length is reached.

    python benchmarks/join_lines.py dev.tsv test.tsv --words 100 150 --rounds 4 > joined.tsv

Input is TSV without a header, source and target. Each round shuffles all pairs (by --seed) and uses
each pair about once. Words are those of the source, as `longspan` counts them. Pairs that do not
fill a line at the end of a round are dropped.
"""

import argparse
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from longspan.training.lengths import count_words

Pair = tuple[str, str]


def read_pairs(paths: list[Path]) -> list[Pair]:
    pairs = []
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            columns = line.split("\t")
            if len(columns) != 2:
                sys.exit(
                    f"{path}:{number}: expected source TAB target, came {len(columns)} columns"
                )
            pairs.append((columns[0], columns[1]))
    return pairs


def join(pairs: list[Pair], least: int, most: int, generator: random.Random) -> Iterator[Pair]:
    """Return lines of `least` to `most` words; each line's length is drawn between the two."""
    grown: list[Pair] = []
    words, goal = 0, generator.randint(least, most)
    for pair in pairs:
        more = count_words(pair[0])
        if grown and words + more > goal:
            if words >= least:
                yield _one(grown)
            grown, words, goal = [], 0, generator.randint(least, most)
        grown.append(pair)
        words += more
    if least <= words <= most:
        yield _one(grown)


def _one(pairs: list[Pair]) -> Pair:
    sources, targets = zip(*pairs, strict=True)
    return " ".join(sources), " ".join(targets)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--words", nargs=2, type=int, default=(100, 150), metavar=("MIN", "MAX"))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    generator = random.Random(options.seed)
    pairs = read_pairs(options.files)
    for _ in range(options.rounds):
        generator.shuffle(pairs)
        for source, target in join(pairs, *options.words, generator):
            print(source, target, sep="\t")


if __name__ == "__main__":
    main()
