"""Batches: the plan of an epoch, and padded tensors of its examples.

    pairs that fit + joined examples -> ordered by length -> cut into batches -> shuffled
                                        [5 5 6 6 | 7 8 8 | 9 ...]   batches of similar length

The plan of an epoch is a few arrays of corpus indices and offsets, the same for the same seed and
epoch, so that 50 million pairs are planned in seconds.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from longspan.training.corpus.augmentation import (
    JoinablePairs,
    JoinedExamples,
    JoinLimits,
    join_examples,
    successors,
)
from longspan.training.corpus.batch_order import batch_starts, order_examples
from longspan.training.corpus.pair_corpus import IntArray, PairCorpus
from longspan.training.corpus.subword_dropout import SubwordDropout, split_tokens
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.tokenizer.tokenizer import BOS, PAD

__all__ = ["Batch", "EpochPlan", "Example", "collate", "pad", "plan_epoch"]
Example = tuple[int, ...]


@dataclass(frozen=True)
class Batch:
    """Token ids of a batch, int64, with PAD after each sentence."""

    source: torch.Tensor  # (batch, source), ends with EOS
    source_lengths: torch.Tensor  # (batch,), without PAD
    target_input: torch.Tensor  # (batch, target), begins with BOS
    target_output: torch.Tensor  # (batch, target), ends with EOS
    target_lengths: torch.Tensor  # (batch,), without PAD

    @property
    def tokens(self) -> int:
        """Number of target tokens that are not padding."""
        return int(self.target_lengths.sum())

    def to(self, device: torch.device | str) -> "Batch":
        """Copy the batch to another device."""
        moved = {
            field.name: getattr(self, field.name).to(device, non_blocking=True)
            for field in dataclasses.fields(self)
        }
        return Batch(**moved)


@dataclass(frozen=True)
class EpochPlan:
    """The batches of an epoch for one of `world_size` ranks; `plan[i]` is a tuple of examples.

    The plans of all ranks have the same number of batches. Rank r takes the examples r,
    r + world_size, ... of each global batch, which may be none. The loss is normalised by the
    target tokens of the global batch on every rank.
    """

    members: IntArray  # corpus indices, example after example
    bounds: IntArray | None  # example i is members[bounds[i]:bounds[i + 1]]; None: one pair each
    starts: IntArray  # (batches,): first example of each global batch, in the order of the epoch
    ends: IntArray  # (batches,): example after the last of each global batch
    tokens: IntArray  # (batches,): target tokens of each global batch
    padded_tokens: int  # target tokens of all batches, with padding
    left_out: int  # pairs that are too long
    joined: int  # joined examples
    wanted: int = 0  # joined examples that were asked for
    rank: int = 0
    world_size: int = 1

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int) -> tuple[Example, ...]:
        chosen = slice(self.starts[index] + self.rank, self.ends[index], self.world_size)
        if self.bounds is None:
            return tuple((member,) for member in self.members[chosen].tolist())
        firsts, lasts = self.bounds[:-1][chosen], self.bounds[1:][chosen]
        pairs = zip(firsts.tolist(), lasts.tolist(), strict=True)
        return tuple(tuple(self.members[first:last].tolist()) for first, last in pairs)

    def __iter__(self) -> Iterator[tuple[Example, ...]]:
        return (self[index] for index in range(len(self)))

    @property
    def examples(self) -> int:
        """Number of examples of all ranks, joined ones included."""
        return int((self.ends - self.starts).sum())

    def summary(self, hyperparameters: Hyperparameters) -> str:
        """Return one line on the examples of the epoch, and on pairs left out and why."""
        tokens = int(self.tokens.sum())
        padding = 1 - tokens / self.padded_tokens if self.padded_tokens else 0.0
        joined = f", {self.joined} of them joined" if self.wanted else ""
        if self.joined < self.wanted:
            limit = hyperparameters.length_augmentation_max
            joined += (
                f" (of {self.wanted} asked for: few pairs fit length_augmentation_max={limit})"
            )
        if hyperparameters.length_augmentation and hyperparameters.length_curriculum:
            epochs = hyperparameters.length_curriculum
            joined += f" (more and longer joined ones until length_curriculum={epochs:g} epochs)"
        out = (
            f"; {self.left_out} pairs left out: longer than "
            f"max_seq_len_source={hyperparameters.max_seq_len_source} or "
            f"max_seq_len_target={hyperparameters.max_seq_len_target} tokens"
        )
        return (
            f"{self.examples} examples{joined}, {len(self)} batches, {tokens} target tokens, "
            f"{padding:.1%} padding{out if self.left_out else ''}"
        )


def plan_epoch(
    corpus: PairCorpus,
    hyperparameters: Hyperparameters,
    epoch: int,
    rank: int = 0,
    world_size: int = 1,
) -> EpochPlan:
    """Plan the batches of `epoch`, shuffled by (seed, epoch); see `EpochPlan`.

    Pairs longer than `max_seq_len_source` or `max_seq_len_target` are left out and counted. For a
    share p of joined examples, p / (1 - p) are added for each pair. In the first
    `length_curriculum` epochs this share and the longest length grow from 0. A batch holds
    `batch_size` examples, or at most `token_budget` padded target tokens and twice as many padded
    source tokens. A larger example is a batch of its own.
    """
    # The same numbers on every rank: all plan the whole epoch, without messages.
    generator = np.random.default_rng([hyperparameters.seed, epoch])
    sources, targets = corpus.source_lengths, corpus.target_lengths
    eligible = np.flatnonzero(
        (sources <= hyperparameters.max_seq_len_source)
        & (targets <= hyperparameters.max_seq_len_target)
    )
    left_out = len(corpus) - len(eligible)
    members: IntArray = eligible.astype(np.int32 if len(corpus) < 2**31 else np.int64)
    if left_out:
        sources, targets = sources[eligible], targets[eligible]
    bounds = None
    joined = wanted = 0
    # Of n pairs and m joined examples, m / (n + m) is the share asked for.
    share = hyperparameters.length_augmentation * (grown := _grown(hyperparameters, epoch))
    if share and len(eligible):
        wanted = round(len(eligible) * share / (1 - share))
        extra = _augment(corpus, hyperparameters, eligible, wanted, grown, generator)
        joined = len(extra)
        # A plain pair is an example of one member; joined examples come behind all of them.
        bounds = np.concatenate([np.arange(len(members)), extra.bounds + len(members)])
        members = np.concatenate([members, extra.members])
        sources = np.concatenate([sources, extra.source_lengths])
        targets = np.concatenate([targets, extra.target_lengths])

    # From here on, example numbers instead of corpus indices.
    order = order_examples(sources, targets, hyperparameters, generator)
    sources, targets = sources[order], targets[order]
    starts = batch_starts(sources, targets, hyperparameters)
    ends = np.append(starts[1:], len(order))
    # Per batch: real target tokens, and the longest target, to which all are padded.
    tokens = np.add.reduceat(targets, starts, dtype=np.int64) if len(starts) else starts
    longest = np.maximum.reduceat(targets, starts) if len(starts) else starts
    shuffled = generator.permutation(len(starts))
    if bounds is None:
        members = members[order]
    else:
        members, bounds = _reorder(members, bounds, order)
    return EpochPlan(
        members,
        bounds,
        starts[shuffled],
        ends[shuffled],
        tokens[shuffled],
        int((longest.astype(np.int64) * (ends - starts)).sum()),
        left_out,
        joined,
        wanted,
        rank,
        world_size,
    )


def collate(
    corpus: PairCorpus,
    examples: Sequence[Example],
    dropout: SubwordDropout | None = None,
    generator: np.random.Generator | None = None,
) -> Batch:
    """Make the padded batch of some examples; a joined example has only its last EOS.

    `generator` draws the tokens that `dropout` splits.
    """
    sources = [_tokens(corpus.source, example) for example in examples]
    targets = [_tokens(corpus.target, example) for example in examples]
    if dropout is not None and generator is not None:
        sources = [split_tokens(s, dropout.source, dropout.rate, generator) for s in sources]
        targets = [split_tokens(t, dropout.target, dropout.rate, generator) for t in targets]
    source, source_lengths = pad(sources)
    output, target_lengths = pad(targets)
    # The input is the output shifted by one: BOS a b from a b EOS.
    shifted = np.full_like(output, PAD)
    shifted[:, 0] = BOS
    inner = np.arange(1, output.shape[1]) < target_lengths[:, None]  # (batch, target - 1)
    shifted[:, 1:][inner] = output[:, :-1][inner]
    return Batch(*map(torch.from_numpy, (source, source_lengths, shifted, output, target_lengths)))


def pad(rows: Sequence[IntArray | Sequence[int]]) -> tuple[IntArray, IntArray]:
    """Pad rows of token ids to one int64 array (batch, longest); return it and lengths (batch,)."""
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    padded = np.full((len(rows), int(lengths.max(initial=0))), PAD, dtype=np.int64)
    if len(rows):
        # The mask is filled row by row, in the order of the tokens. (batch, longest) <- (tokens,)
        padded[np.arange(padded.shape[1]) < lengths[:, None]] = np.concatenate(rows)
    return padded, lengths


def _grown(hyperparameters: Hyperparameters, epoch: int) -> float:
    """Return how much of the length curriculum is over at `epoch`, 0 to 1."""
    epochs = hyperparameters.length_curriculum
    return min(1.0, epoch / epochs) if epochs else 1.0


def _augment(
    corpus: PairCorpus,
    hyperparameters: Hyperparameters,
    eligible: IntArray,
    count: int,
    grown: float,
    generator: np.random.Generator,
) -> JoinedExamples:
    """Join `count` examples, with the part `grown` (0 to 1) of the longest length."""
    longest = min(hyperparameters.length_augmentation_max, hyperparameters.max_seq_len_source)
    pairs = JoinablePairs(
        eligible,
        corpus.source_lengths,
        corpus.target_lengths,
        successors(corpus.documents, corpus.positions),
    )
    limits = JoinLimits(
        max(2, round(grown * longest)),
        hyperparameters.max_seq_len_target,
        hyperparameters.length_augmentation_lengths,
    )
    return join_examples(pairs, count, limits, generator)


def _reorder(members: IntArray, bounds: IntArray, order: IntArray) -> tuple[IntArray, IntArray]:
    """Return `members` and `bounds` with the examples in another order."""
    sizes = np.diff(bounds)[order]
    ordered = np.concatenate([[0], np.cumsum(sizes)])
    # Position of each member in its example.
    offsets = np.arange(ordered[-1]) - np.repeat(ordered[:-1], sizes)
    return members[np.repeat(bounds[:-1][order], sizes) + offsets], ordered


def _tokens(read: Callable[[int], IntArray], example: Example) -> IntArray:
    if len(example) == 1:
        return read(example[0])
    parts = [read(index)[:-1] for index in example[:-1]]
    return np.concatenate([*parts, read(example[-1])])
