"""The image's health check: 0 when the container's `serve` answers `/ping`, or when it is a job."""

import os
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

__all__ = ["healthy", "main"]

_FIRST_PROCESS = Path("/proc/1/cmdline")
_SECONDS = 2.0  # as long as SageMaker waits


def healthy(command: bytes, environment: Mapping[str, str]) -> bool:
    """Of the container whose first process is `command`, its arguments ended by zero bytes."""
    if b"serve" not in command.split(b"\0"):
        return True
    port = environment.get("SAGEMAKER_BIND_TO_PORT") or "8080"
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=_SECONDS) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def main() -> int:
    """The exit status that Docker expects: 0 healthy, 1 not."""
    return 0 if healthy(_FIRST_PROCESS.read_bytes(), os.environ) else 1


if __name__ == "__main__":
    sys.exit(main())
