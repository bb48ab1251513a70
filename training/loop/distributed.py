"""Data parallel training over processes, without a wrapper around the model.

Every rank computes its share of a global batch; gradients of sums are added up, so the result
is that of one process on the whole batch. Start with `torchrun`; the environment is read in
`World.from_environment` alone, which only composition roots call.
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
    """This process among all: `rank` of `size`, `local_rank` on its machine.

    Each method gives its result at once when there is only one process.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "World":
        """From torchrun's RANK, WORLD_SIZE and LOCAL_RANK; one process without them."""
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
        try:
            rank, size, local = (
                int(environment.get(name, default))
                for name, default in zip(names, "010", strict=True)
            )
        except ValueError:
            given = ", ".join(f"{name}={environment.get(name)}" for name in names)
            raise LongspanError(f"expected integers from torchrun, got {given}") from None
        return cls(rank, size, local)

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and lines."""
        return self.rank == 0

    def add_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replace each gradient by its sum over ranks, in one message; none counts as 0."""
        if self.size == 1:
            return
        held = [p for p in parameters if p.requires_grad]
        for parameter in held:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [p.grad for p in held if p.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(flat)
        sizes = [gradient.numel() for gradient in gradients]
        for gradient, total in zip(gradients, flat.split(sizes), strict=True):
            gradient.copy_(total.view_as(gradient))

    def add(self, values: Tensor) -> Tensor:
        """The sum of `values` over ranks."""
        if self.size > 1:
            values = values.clone()
            dist.all_reduce(values)
        return values

    def any(self, flag: bool) -> bool:
        """Whether any rank says so; a message between CPUs, so no GPU waits."""
        return flag if self.size == 1 else bool(self.add(torch.tensor([int(flag)])).item())

    def first(self, value: float) -> float:
        """The first rank's value, so that clocks cannot disagree."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64)
        dist.broadcast(shared, 0)
        return float(shared.item())

    def broadcast(self, content: bytes | None) -> bytes | None:
        """The first rank's bytes, or None, on every rank."""
        if self.size == 1:
            return content
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
        """Interleave what the ranks made of the slices `[rank::size]` of one sequence."""
        if self.size == 1:
            return list(rows)
        shares: list[list[Any]] = [[] for _ in range(self.size)]
        dist.all_gather_object(shares, list(rows))
        total = sum(map(len, shares))
        return [shares[index % self.size][index // self.size] for index in range(total)]


@contextmanager
def process_group(world: World, device: torch.device) -> Iterator[None]:
    """Connect the ranks while inside: gloo between CPUs, and nccl between GPUs.

    Afterwards the group is gone and its threads have ended. One that lives on into the end of the
    interpreter may drop a tensor there, which takes the interpreter's lock, which ends the thread
    in the middle of C++, which aborts the process: a worker whose work was done and saved.
    """
    if world.size == 1:
        yield
        return
    # Its functions have the group of the moment as a default argument, and so keep it for ever
    # where they are loaded within, as the first step of an optimizer does.
    import_module("torch.distributed.nn.functional")
    # torchrun sets the master's address, from which this call reads it.
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()
