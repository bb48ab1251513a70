"""The stream of training batches, epoch after epoch, collated ahead by another thread."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from longspan.training.corpus.batches import Batch, EpochPlan, Example, collate, plan_epoch
from longspan.training.corpus.shards import PairCorpus
from longspan.training.corpus.subword_dropout import SubwordDropout
from longspan.training.errors import DataError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.distributed import World

__all__ = ["UpdateBatch", "feed"]

# Number of batches that the other thread collates ahead, in the order of the plan.
_AHEAD = 4

# (examples, epoch, batch) -> batch
_MakeBatch = Callable[[tuple[Example, ...], int, int], Batch]


@dataclass(frozen=True)
class UpdateBatch:
    """The batch of one update."""

    batch: Batch | None  # the share of this rank; None if it is empty
    tokens: int  # target tokens of all ranks, before subword dropout
    plan: EpochPlan  # of the epoch
    next_epoch: int  # where training continues after this batch
    next_batch: int


def feed(
    corpus: PairCorpus,
    hyperparameters: Hyperparameters,
    world: World,
    *,
    epoch: int = 0,
    batch: int = 0,
    dropout: SubwordDropout | None = None,
) -> Generator[UpdateBatch]:
    """Yield batches without end, beginning with batch `batch` of epoch `epoch`.

    `dropout` splits tokens at random, in another way in each epoch.

    Raises DataError when no pair is left to train on.
    """
    pool = ThreadPoolExecutor(1)

    def make(examples: tuple[Example, ...], *place: int) -> Batch:
        # By epoch, batch and rank, so that a resumed run splits the same tokens.
        seed = [hyperparameters.seed, *place, world.rank]
        return collate(corpus, examples, dropout, np.random.default_rng(seed) if dropout else None)

    try:
        while True:
            epoch_plan = plan_epoch(corpus, hyperparameters, epoch, world.rank, world.size)
            if not len(epoch_plan):
                raise DataError(_nothing_left(epoch_plan, hyperparameters))
            yield from _epoch(pool, make, epoch_plan, epoch, batch)
            epoch, batch = epoch + 1, 0
    finally:
        pool.shutdown(cancel_futures=True)


def _epoch(
    pool: ThreadPoolExecutor, make: _MakeBatch, epoch_plan: EpochPlan, epoch: int, first: int
) -> Iterator[UpdateBatch]:
    waiting: deque[Future[UpdateBatch]] = deque()
    for index in range(first, len(epoch_plan)):
        # Planned by number, so a resumed run gets the same batches without those before.
        waiting.append(pool.submit(_item, make, epoch_plan, epoch, index))
        if len(waiting) > _AHEAD:
            yield waiting.popleft().result()
    # The last batches of the epoch.
    while waiting:
        yield waiting.popleft().result()


def _item(make: _MakeBatch, epoch_plan: EpochPlan, epoch: int, index: int) -> UpdateBatch:
    examples = epoch_plan[index]
    batch = make(examples, epoch, index) if examples else None
    # Stored in a checkpoint after this batch's update: the place from which a run resumes.
    after = (epoch, index + 1) if index + 1 < len(epoch_plan) else (epoch + 1, 0)
    return UpdateBatch(batch, int(epoch_plan.tokens[index]), epoch_plan, *after)


def _nothing_left(epoch_plan: EpochPlan, hyperparameters: Hyperparameters) -> str:
    if not epoch_plan.left_out:
        return "training data: expected pairs, got none; prepare a corpus that has some"
    return (
        f"training data: expected pairs of at most "
        f"max_seq_len_source={hyperparameters.max_seq_len_source} and "
        f"max_seq_len_target={hyperparameters.max_seq_len_target} tokens, got "
        f"{epoch_plan.left_out} that are longer; raise these limits"
    )
