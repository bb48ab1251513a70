"""Dependencies that every service of the local cloud gets."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from longspan.infra.local.control.clients import Clients
from longspan.infra.local.control.documents import Documents, Key
from longspan.infra.local.control.threads import Threads
from longspan.infra.local.runtimes.runtime import Runtime

__all__ = ["Context"]


@dataclass(frozen=True)
class Context:
    """State, threads, clients of the other services, and the outside world.

    `workplace` is the folder in which jobs run; `now` returns seconds since 1970.
    """

    documents: Documents
    threads: Threads
    clients: Clients
    runtime: Runtime
    workplace: Path
    now: Callable[[], float]

    def new_folder(self, key: Key) -> Path:
        """Return a path below `workplace` for the work on a document, which no other work has.

        A deleted job may still clear its folder when another one has its name.
        """
        return self.workplace / key.kind / key.region / f"{key.name}-{secrets.token_hex(4)}"
