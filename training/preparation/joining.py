"""Joined pairs: several neighbours as one long pair, so that long sentences can be measured.

Kondo et al. 2021 (arXiv:2104.08478) train on such pairs. Here they add long pairs to a validation
or test set whose own pairs are short. A joined pair is marked as such in every file.
"""

from collections.abc import Iterable, Sequence

from longspan.training.buckets import BUCKETS
from longspan.training.lengths import count_words, is_unspaced, text_length
from longspan.training.pairs.pairs import Pair

__all__ = ["LONG_WORDS", "WANTED_LONG", "join_pairs", "joined_pairs", "separator_of"]

LONG_WORDS = BUCKETS[-1].low
WANTED_LONG = 100
# Words that joined pairs grow to, in turn, so that not all are just over the bound.
_TARGET_WORDS = (LONG_WORDS, 110, 120, 135, 150)
# A window that has grown to so many words without being long has words that merge when joined.
_MOST_WORDS = 300
_SHORT_TEXT = 10


def separator_of(texts: Iterable[str]) -> str:
    """Return the separator between two texts of a language: a space, or nothing as in Japanese.

    It is nothing if more than half of the texts of ten characters and more are in a script without
    spaces and hold none. Japanese that was split into words before has spaces.
    """
    spaced = total = 0
    for text in texts:
        if len(text) >= _SHORT_TEXT:
            total += 1
            spaced += " " in text.strip() or not is_unspaced(text)
    return " " if 2 * spaced >= total else ""


def join_pairs(pairs: Sequence[Pair], separators: tuple[str, str]) -> Pair:
    """Join several pairs to one, marked as joined, at the place of the first one."""
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
    """Join up to `wanted` pairs of over 100 source words; return them and counts by their origin.

    Neighbours of one document are joined first. Where these are too few, windows of neighbours in
    the file follow, across documents. Windows overlap only if there are too few without overlap.
    """
    plain = [pair for pair in pairs if not pair.joined]
    documents: dict[str, list[Pair]] = {}
    for pair in plain:
        if pair.document is not None:
            documents.setdefault(pair.document, []).append(pair)
    runs = [sorted(run, key=_position) for run in documents.values()]
    # Pairs of one document continue each other, as in a real long sentence.
    inside = _windows(runs, wanted, separators[0])
    across = _windows([plain], wanted - len(inside), separators[0])
    joined = [join_pairs(window, separators) for window in (*inside, *across)]
    return joined, {"same_document": len(inside), "across_documents": len(across)}


def _position(pair: Pair) -> int:
    return -1 if pair.position is None else pair.position


def _windows(runs: Sequence[Sequence[Pair]], wanted: int, separator: str) -> list[Sequence[Pair]]:
    """Return at most `wanted` slices of the runs with over 100 source words.

    round 1:  |--window--|--window--|--window--|
    round 2:  .|--window--|--window--|            one pair later, if there are too few
    """
    found: list[Sequence[Pair]] = []
    seen: set[tuple[int, int]] = set()
    offset = 0
    longest = max((len(run) for run in runs), default=0)
    lengths = [[text_length(pair.source) for pair in run] for run in runs] if wanted else []
    while len(found) < wanted and offset < longest:
        for number, run in enumerate(runs):
            start = offset
            while start < len(run) and len(found) < wanted:
                goal = _TARGET_WORDS[len(found) % len(_TARGET_WORDS)]
                end = _end(run, lengths[number], start, goal, separator)
                if end is None:
                    break
                # A single pair that is long counts already.
                if end - start > 1 and (number, start) not in seen:
                    seen.add((number, start))
                    found.append(run[start:end])
                start = end
        offset += 1
    return found


def _end(
    run: Sequence[Pair], lengths: Sequence[float], start: int, words: int, separator: str
) -> int | None:
    """Return the end of a window of `words` words; of over 100 at the end of a run; else None."""
    total = 0.0
    for end in range(start, len(run)):
        total += lengths[end]
        if total >= words and _is_long(run[start : end + 1], separator):
            return end + 1
        if total >= _MOST_WORDS:
            return None
    return len(run) if total >= LONG_WORDS and _is_long(run[start:], separator) else None


def _is_long(pairs: Sequence[Pair], separator: str) -> bool:
    """Return whether the joined source has over 100 words: without a space, words may merge."""
    return count_words(separator.join(pair.source for pair in pairs)) >= LONG_WORDS
