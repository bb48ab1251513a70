"""Length augmentation: long training examples that are joined from several pairs.

Joined pairs as extra training data help on long sentences (Kondo et al. 2021, "Sentence
Concatenation Approach to Data Augmentation for Neural Machine Translation"), because length behaves
as a domain (Varis and Bojar 2021, "Sequence Length is a Domain"). An example continues with the
pair that follows in the same document; where there is none, with a pair drawn at random.
"""

from dataclasses import dataclass

import numpy as np

from longspan.training.corpus.pair_corpus import IntArray

__all__ = [
    "JoinLimits",
    "JoinablePairs",
    "JoinedExamples",
    "draw_lengths",
    "join_examples",
    "successors",
]

# How often examples are drawn again for first pairs that leave no room for a second one.
_ROUNDS = 20


@dataclass(frozen=True)
class JoinedExamples:
    """Examples of two pairs or more; example i is `members[bounds[i]:bounds[i + 1]]`."""

    members: IntArray  # (members,): corpus indices, example after example
    bounds: IntArray  # (examples + 1,)
    source_lengths: IntArray  # (examples,): tokens with one EOS
    target_lengths: IntArray  # (examples,): tokens with one EOS

    def __len__(self) -> int:
        return len(self.source_lengths)


def successors(documents: IntArray, positions: IntArray) -> IntArray:
    """Return for each pair the next pair of its document, -1 at the end or if unknown: (pairs,)."""
    # By document, then position: the last key of `lexsort` comes first.
    order = np.lexsort((positions, documents))
    following = np.full(len(order), -1, dtype=np.int64)
    same = (documents[order[1:]] == documents[order[:-1]]) & (documents[order[:-1]] >= 0)
    following[order[:-1][same]] = order[1:][same]
    return following


@dataclass(frozen=True)
class JoinablePairs:
    """The pairs of a corpus as joining sees them."""

    eligible: IntArray  # (eligible,): corpus indices that examples are drawn from
    source_lengths: IntArray  # (pairs,): tokens with EOS
    target_lengths: IntArray  # (pairs,): tokens with EOS
    following: IntArray  # (pairs,): see `successors`


@dataclass(frozen=True)
class JoinLimits:
    """How long joined examples get."""

    source: int  # most source tokens
    target: int  # most target tokens
    distribution: str = "uniform"  # of source lengths, see `draw_lengths`


def join_examples(
    pairs: JoinablePairs, count: int, limits: JoinLimits, generator: np.random.Generator
) -> JoinedExamples:
    """Join pairs to `count` examples whose source lengths are drawn up to the limit.

    An example grows until it reaches its drawn length, and ends earlier where the next pair would
    pass a limit. Inner EOS tokens are dropped, so lengths add up less one for each join. Fewer
    than `count` examples come back where hardly any two pairs fit together.
    """
    grown = []
    missing = count
    for _ in range(_ROUNDS):
        if not missing or not len(pairs.eligible):
            break
        goals = draw_lengths(limits.distribution, missing, limits.source, generator)
        made = _grow(pairs, goals, limits, generator)
        grown.append(made)
        missing -= len(made)
    return _concatenate(grown)


def draw_lengths(kind: str, count: int, longest: int, generator: np.random.Generator) -> IntArray:
    """Draw source lengths for examples, from 2 to `longest` tokens: (count,).

    `uniform`: uniform over lengths. `log_uniform`: uniform over tokens, so that short examples are
    frequent (density 1 / length). `longest`: always the longest.
    """
    if kind == "longest":
        return np.full(count, longest)
    if kind == "log_uniform":
        # Uniform logarithms have density 1 / length; cut to integers, so the bound is one more.
        logarithms = generator.uniform(np.log(2), np.log(longest + 1), count)
        return np.minimum(np.exp(logarithms).astype(np.int64), longest)
    return generator.integers(2, longest + 1, count)


def _grow(
    pairs: JoinablePairs, goals: IntArray, limits: JoinLimits, generator: np.random.Generator
) -> JoinedExamples:
    """Grow one example for each goal, all of them by one pair a round."""
    count, eligible = len(goals), pairs.eligible
    current = eligible[generator.integers(0, len(eligible), count)]  # last pair of each example
    sources = pairs.source_lengths[current].astype(np.int64)
    targets = pairs.target_lengths[current].astype(np.int64)
    active = np.arange(count)  # examples that still grow
    members, owners = [current.copy()], [active]
    # Each round adds one pair to all examples that still grow:
    #
    #     round   example 0   1     2
    #     0       p3          p9    p1      first pairs, at random
    #     1       p4          p10   p2      those that follow in their documents
    #     2       p5          -     -       1 has its length, 2 would pass a limit
    while len(active):
        after = pairs.following[current[active]]
        drawn = eligible[generator.integers(0, len(eligible), len(active))]
        # The next pair of the document, or a random one at its end.
        after = np.where(after < 0, drawn, after)
        # The EOS between the two is dropped.
        source = sources[active] + pairs.source_lengths[after] - 1
        target = targets[active] + pairs.target_lengths[after] - 1
        fits = (source <= limits.source) & (target <= limits.target)
        active, after = active[fits], after[fits]
        sources[active], targets[active], current[active] = source[fits], target[fits], after
        members.append(after)
        owners.append(active)
        # An example that reached its goal, or met a limit above, grows no more.
        active = active[sources[active] < goals[active]]
    return _assemble(np.concatenate(members), np.concatenate(owners), sources, targets)


def _assemble(
    members: IntArray, owners: IntArray, sources: IntArray, targets: IntArray
) -> JoinedExamples:
    """Sort members from rounds to examples, and leave out examples of a single pair."""
    sizes = np.bincount(owners, minlength=len(sources))
    kept = sizes > 1
    # Stable: the members of an example stay in the order of the rounds.
    order = np.argsort(owners, kind="stable")
    members = members[order][kept[owners[order]]]
    bounds = np.concatenate([[0], np.cumsum(sizes[kept])])
    return JoinedExamples(members, bounds, sources[kept], targets[kept])


def _concatenate(parts: list[JoinedExamples]) -> JoinedExamples:
    nothing = np.zeros(0, dtype=np.int64)
    sizes = [np.diff(part.bounds) for part in parts]
    return JoinedExamples(
        np.concatenate([nothing, *(part.members for part in parts)]),
        np.concatenate([[0], np.cumsum(np.concatenate([nothing, *sizes]))]),
        np.concatenate([nothing, *(part.source_lengths for part in parts)]),
        np.concatenate([nothing, *(part.target_lengths for part in parts)]),
    )
