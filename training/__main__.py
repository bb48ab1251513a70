"""`python -m longspan.training train`: what the container runs for a training job."""

import sys
from collections.abc import Sequence

__all__ = ["main"]

_USAGE = "usage: python -m longspan.training train"


def main(argv: Sequence[str]) -> int:
    """Run the named job; 2 for a name that is none."""
    if list(argv) != ["train"]:
        print(f"{_USAGE}\ngot: {' '.join(argv) or 'nothing'}", file=sys.stderr)
        return 2
    from longspan.training import train_job

    return train_job.main()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
