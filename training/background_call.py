"""A function call in another process, so that two cores work at once.

with BackgroundCall(function, argument) as other:
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

__all__ = ["BackgroundCall"]

_ResultT = TypeVar("_ResultT")


class BackgroundCall(Generic[_ResultT]):
    """A call that runs in a process of its own until the end of the block.

    The function is defined at the top of a module. Its arguments and its result can be pickled.
    """

    def __init__(
        self, function: Callable[..., _ResultT], *arguments: Any, threads: int = 1
    ) -> None:
        """Start the process; `threads` is the number of threads of numeric libraries."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "longspan.training.background_call"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        )
        assert self._process.stdin is not None
        with self._process.stdin as pipe:
            pipe.write(pickle.dumps((function, arguments)))

    def result(self) -> _ResultT:
        """Wait for the function's result.

        Raises the LongspanError or OSError that the function raised, and LongspanError when the
        process ended without a result.
        """
        assert self._process.stdout is not None
        answer = self._process.stdout.read()
        status = self._process.wait()
        if not answer:
            killed = "; out of memory?" if status == -signal.SIGKILL else "; see its output above"
            raise LongspanError(
                f"expected a result of another process, got its end with status {status}{killed}"
            )
        error, found = pickle.loads(answer)
        if error is not None:
            raise error
        result: _ResultT = found
        return result

    def __enter__(self) -> "BackgroundCall[_ResultT]":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def main() -> None:
    """Make the call that standard input describes, and write its result to standard output."""
    # Ctrl-C in a terminal reaches both processes. The one that waits then ends this one.
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
    """Return standard output for the result, and redirect all printed text to standard error."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return output


if __name__ == "__main__":
    main()
