"""What every service of the local cloud works with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from longspan.infra.local.control.clients import Clients
from longspan.infra.local.control.documents import Documents
from longspan.infra.local.control.threads import Threads
from longspan.infra.local.runtimes.runtime import Runtime

__all__ = ["Context"]


@dataclass(frozen=True)
class Context:
    """The state, the way to the other services, and the outside world.

    `workplace` is a folder for what jobs read and write; `now` gives seconds since 1970.
    """

    documents: Documents
    threads: Threads
    clients: Clients
    runtime: Runtime
    workplace: Path
    now: Callable[[], float]
