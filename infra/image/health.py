"""The image's health check: healthy when `serve` answers `/ping`, and always in a job."""

import os
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

__all__ = ["healthy", "main"]

_FIRST_PROCESS = Path("/proc/1/cmdline")
_SECONDS = 2.0  # SageMaker's own limit for /ping


def healthy(command: bytes, environment: Mapping[str, str]) -> bool:
    """Return whether a container is healthy; `command` is the cmdline of its first process."""
    if b"serve" not in command.split(b"\0"):
        return True
    port = environment.get("SAGEMAKER_BIND_TO_PORT") or "8080"
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=_SECONDS) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def main() -> int:
    """Return the exit status for Docker: 0 healthy, 1 unhealthy."""
    return 0 if healthy(_FIRST_PROCESS.read_bytes(), os.environ) else 1


if __name__ == "__main__":
    sys.exit(main())
