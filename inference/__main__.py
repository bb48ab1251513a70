"""`python -m longspan.inference serve`: what the container runs for an endpoint.

The model is in `model` below the folder that LONGSPAN_BASE names (else `/opt/ml`), as a model
directory or as `model.tar.gz`; other settings are variables too, see `docs/serving.md`.
"""

import sys
from collections.abc import Sequence

__all__ = ["main"]

_USAGE = "usage: python -m longspan.inference serve"


def main(argv: Sequence[str]) -> int:
    """Serve until SIGTERM; 2 for another command."""
    command, *rest = argv or [""]
    # Each one's modules are loaded for it alone: the server needs no torch.
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
