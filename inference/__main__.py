"""`python -m longspan.inference serve`: the command of the container of an endpoint.

The model is in the folder `model` of LONGSPAN_BASE (default: `/opt/ml`), as a model directory or as
`model.tar.gz`. Other settings are variables of the environment too; see `docs/serving.md`.
"""

import sys
from collections.abc import Sequence

__all__ = ["main"]

_USAGE = "usage: python -m longspan.inference serve"


def main(argv: Sequence[str]) -> int:
    """Run `serve` or `worker`; return the exit status, which is 2 for another command."""
    command, *rest = argv or [""]
    # Modules are imported for each command alone, because the server does without torch.
    if command == "serve" and not rest:
        from longspan.inference.server.serving import main as serve

        return serve()
    if command == "worker":
        from longspan.inference.workers.worker import main as work

        return work(rest)
    print(f"{_USAGE}\ngot: {' '.join(argv) or 'nothing'}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
