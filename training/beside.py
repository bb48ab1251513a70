"""A function's call in a process beside this one, so that two cores work.

with Beside(function, argument) as other:
    mine = ...
    theirs = other.result()
"""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, Generic, TypeVar

from longspan.training.errors import LongspanError

__all__ = ["Beside"]

_ResultT = TypeVar("_ResultT")


class Beside(Generic[_ResultT]):
    """One call; whatever ends the block ends its process too.

    The function is one of a module's, and what it takes and returns can be pickled.
    """

    def __init__(
        self, function: Callable[..., _ResultT], *arguments: Any, threads: int = 1
    ) -> None:
        """Begin; `threads` are those of numeric libraries."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "longspan.training.beside"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        )
        assert self._process.stdin is not None
        with self._process.stdin as pipe:
            pipe.write(pickle.dumps((function, arguments)))

    def result(self) -> _ResultT:
        """Wait for what the function returns.

        Raises the LongspanError or OSError that it raised, and LongspanError when its process
        ended without a result.
        """
        assert self._process.stdout is not None
        answer = self._process.stdout.read()
        status = self._process.wait()
        if not answer:
            killed = ": out of memory?" if status == -signal.SIGKILL else "; its reason is above"
            raise LongspanError(
                f"expected a result of the process beside this one, it ended with status {status}"
                f"{killed}"
            )
        error, found = pickle.loads(answer)
        if error is not None:
            raise error
        result: _ResultT = found
        return result

    def __enter__(self) -> "Beside[_ResultT]":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def main() -> None:
    """Make the call that standard input describes; its result goes to standard output."""
    # A terminal's Ctrl-C is for the process that waits: it ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with _claim_output() as output:
        function, arguments = pickle.loads(sys.stdin.buffer.read())
        answer: tuple[Exception | None, Any]
        try:
            answer = (None, function(*arguments))
        except (LongspanError, OSError) as error:
            answer = (error, None)
        output.write(pickle.dumps(answer))


def _claim_output() -> BinaryIO:
    """Standard output for the result alone; what is printed goes to standard error."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return output


if __name__ == "__main__":
    main()
