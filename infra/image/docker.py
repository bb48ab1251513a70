"""The `docker` command, with its error messages as ImageError."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from longspan.infra.errors import ImageError

__all__ = ["Docker"]


@dataclass(frozen=True)
class Docker:
    """The docker command; `environment` is added to this process's environment."""

    program: str = "docker"
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, text: str | None = None, source: Path | None = None) -> str:
        """Run docker with `text` or the file `source` as input; return its output.

        Raises ImageError.
        """
        done = self._start(arguments, text=text, source=source)
        if done.returncode != 0:
            raise ImageError(f"docker {arguments[0]}: {_last_line(done.stderr)}")
        return done.stdout.strip()

    def show(self, *arguments: str) -> None:
        """Run docker with its output on this process's output. Raises ImageError."""
        done = self._start(arguments, show=True)
        if done.returncode != 0:
            raise ImageError(
                f"docker {arguments[0]}: expected exit status 0, got {done.returncode}; see its "
                "messages above"
            )

    def _start(
        self,
        arguments: Sequence[str],
        *,
        text: str | None = None,
        source: Path | None = None,
        show: bool = False,
    ) -> "subprocess.CompletedProcess[str]":
        command = [self.program, *arguments]
        environment = {**os.environ, **self.environment}
        try:
            if source is not None:
                with source.open("rb") as file:
                    return subprocess.run(
                        command, stdin=file, capture_output=True, text=True, env=environment
                    )
            return subprocess.run(
                command, input=text, capture_output=not show, text=True, env=environment
            )
        except FileNotFoundError:
            raise ImageError(
                f"expected {self.program} on the PATH, got none: install Docker"
            ) from None


def _last_line(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "failed without a message"
