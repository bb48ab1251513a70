"""Joined pairs: several neighbours as one long pair, so that long sentences can be measured.

Kondo et al. 2021 (arXiv:2104.08478) train on such pairs; here they make a validation or test
set long where its corpus is short. They are labelled as joined wherever they are.
"""

from collections.abc import Iterable, Sequence

from longspan.training.buckets import BUCKETS, count_words
from longspan.training.pairs.pairs import Pair

__all__ = ["LONG_WORDS", "WANTED_LONG", "join_pairs", "joined_pairs", "separator_of"]

LONG_WORDS = BUCKETS[-1].low
WANTED_LONG = 100
# Lengths to grow to, in turn, so that not all joined pairs are just over the bound.
_TARGET_WORDS = (LONG_WORDS, 110, 120, 135, 150)
_SHORT_TEXT = 10


def separator_of(texts: Iterable[str]) -> str:
    """What goes between two texts of this language: a space, or nothing as in Japanese.

    Nothing when fewer than half of the texts of ten characters and more hold a space;
    Japanese that was split into words ahead has spaces, and gets one.
    """
    spaced = total = 0
    for text in texts:
        if len(text) >= _SHORT_TEXT:
            total += 1
            spaced += " " in text.strip()
    return " " if 2 * spaced >= total else ""


def join_pairs(pairs: Sequence[Pair], separators: tuple[str, str]) -> Pair:
    """One pair of several, marked as joined; it stands where the first one stood."""
    first = pairs[0]
    same = all(pair.document == first.document for pair in pairs)
    return Pair(
        separators[0].join(pair.source for pair in pairs),
        separators[1].join(pair.target for pair in pairs),
        first.document if same else None,
        first.position if same else None,
        first.origin,
        joined=True,
    )


def joined_pairs(
    pairs: Sequence[Pair], wanted: int, separators: tuple[str, str]
) -> tuple[list[Pair], dict[str, int]]:
    """Up to `wanted` pairs of over 100 source words, and how many are from where.

    Neighbours of one document come first; where these are too few, pairs follow that run
    across documents in the order of the file. Windows overlap only when they must.
    """
    plain = [pair for pair in pairs if not pair.joined]
    documents: dict[str, list[Pair]] = {}
    for pair in plain:
        if pair.document is not None:
            documents.setdefault(pair.document, []).append(pair)
    runs = [sorted(run, key=_position) for run in documents.values()]
    inside = _windows(runs, wanted)
    across = _windows([plain], wanted - len(inside))
    joined = [join_pairs(window, separators) for window in (*inside, *across)]
    return joined, {"same_document": len(inside), "across_documents": len(across)}


def _position(pair: Pair) -> int:
    return -1 if pair.position is None else pair.position


def _windows(runs: Sequence[Sequence[Pair]], wanted: int) -> list[Sequence[Pair]]:
    """Slices of the runs with over 100 source words, at most `wanted`."""
    found: list[Sequence[Pair]] = []
    seen: set[tuple[int, int]] = set()
    offset = 0
    longest = max((len(run) for run in runs), default=0)
    # Each further round starts its windows one pair later: new windows, most in new places.
    while len(found) < wanted and offset < longest:
        for number, run in enumerate(runs):
            start = offset
            while start < len(run) and len(found) < wanted:
                end = _end(run, start, _TARGET_WORDS[len(found) % len(_TARGET_WORDS)])
                if end is None:
                    break
                # A pair that is long by itself is there already.
                if end - start > 1 and (number, start) not in seen:
                    seen.add((number, start))
                    found.append(run[start:end])
                start = end
        offset += 1
    return found


def _end(run: Sequence[Pair], start: int, words: int) -> int | None:
    """Where the window ends: `words` words or, at the end of the run, over 100; else None."""
    total = 0
    for end in range(start, len(run)):
        total += count_words(run[end].source)
        if total >= words:
            return end + 1
    return len(run) if total >= LONG_WORDS else None
