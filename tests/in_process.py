"""A job's `main` in this process: what a process of its own would show, without loading torch."""

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Done:
    """The exit status of a job and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def call(main: Callable[[], int]) -> Done:
    output, errors = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        status = main()
    return Done(status, _written(output), _written(errors))


def _written(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
