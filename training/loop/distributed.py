"""Data-parallel training over processes, without a wrapper around the model.

    global batch: examples 0 1 2 3 4 5 6 7
    rank 0 of 2:           0   2   4   6      -> gradient of its sum --+
    rank 1 of 2:             1   3   5   7    -> gradient of its sum --+--> sum on all ranks

Every rank computes its share of a global batch. Gradients of sums are added up, so the result is
that of one process on the whole batch. Processes are started with `torchrun`, whose environment
only `World.from_environment` reads.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from longspan.training.errors import LongspanError

__all__ = ["World", "process_group"]


@dataclass(frozen=True)
class World:
    """This process among all that train together.

    With one process each method returns at once.
    """

    rank: int = 0  # number of this process
    size: int = 1  # number of processes
    local_rank: int = 0  # number of this process on its machine

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "World":
        """Read RANK, WORLD_SIZE and LOCAL_RANK of torchrun; without them there is one process.

        Raises LongspanError for values that are not integers.
        """
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
        try:
            rank, size, local = (
                int(environment.get(name, default))
                for name, default in zip(names, "010", strict=True)
            )
        except ValueError:
            given = ", ".join(f"{name}={environment.get(name)}" for name in names)
            raise LongspanError(
                f"expected integers from torchrun, got {given}; unset these variables, or start "
                "with torchrun"
            ) from None
        return cls(rank, size, local)

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes files and log lines."""
        return self.rank == 0

    def add_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replace each gradient by its sum over ranks, in one message.

        A missing gradient counts as 0.
        """
        if self.size == 1:
            return
        held = [p for p in parameters if p.requires_grad]
        for parameter in held:
            # A rank without a share of the batch has none, but its message must be as long.
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [p.grad for p in held if p.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(flat)
        sizes = [gradient.numel() for gradient in gradients]
        for gradient, total in zip(gradients, flat.split(sizes), strict=True):
            gradient.copy_(total.view_as(gradient))

    def add(self, values: Tensor) -> Tensor:
        """Return the sum of `values` over ranks."""
        if self.size > 1:
            values = values.clone()
            dist.all_reduce(values)
        return values

    def any(self, flag: bool) -> bool:
        """Return whether `flag` is true on any rank, by a message between CPUs."""
        return flag if self.size == 1 else bool(self.add(torch.tensor([int(flag)])).item())

    def first(self, value: float) -> float:
        """Return the value of the first rank, so that all ranks decide by one clock."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64)
        dist.broadcast(shared, 0)
        return float(shared.item())

    def broadcast(self, content: bytes | None) -> bytes | None:
        """Return the content of the first rank, bytes or None, on every rank."""
        if self.size == 1:
            return content
        # The other ranks learn first how much room to make; -1 stands for None.
        size = int(self.first(-1.0 if content is None else float(len(content))))
        if size < 0:
            return None
        if self.is_first and content:
            buffer = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        else:
            buffer = torch.empty(size, dtype=torch.uint8)
        if size:
            dist.broadcast(buffer, 0)
        return buffer.numpy().tobytes()

    def gather(self, rows: Sequence[Any]) -> list[Any]:
        """Interleave the results of all ranks for their slices `[rank::size]` of one sequence."""
        if self.size == 1:
            return list(rows)
        shares: list[list[Any]] = [[] for _ in range(self.size)]
        dist.all_gather_object(shares, list(rows))
        total = sum(map(len, shares))
        # Row i of the sequence was row i // size of rank i % size.
        return [shares[index % self.size][index // self.size] for index in range(total)]


@contextmanager
def process_group(world: World, device: torch.device) -> Iterator[None]:
    """Connect the ranks within the block: by gloo between CPUs, and by nccl between GPUs.

    After the block the threads of the group have ended. A thread that outlives the interpreter may
    free a tensor, which needs the interpreter's lock. The thread is then ended in the middle of
    C++ code, and the process aborts although its work is done and saved.
    """
    if world.size == 1:
        yield
        return
    # Functions of this module have the current group as a default argument. Imported within the
    # block, as by the first step of an optimizer, they would keep the group alive for ever.
    import_module("torch.distributed.nn.functional")
    # torchrun sets the master's address, from which this call reads it.
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()
