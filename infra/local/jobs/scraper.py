"""Search for metrics in the log of a job by its regular expressions, beside the job.

https://docs.aws.amazon.com/sagemaker/latest/dg/define-train-metrics.html
"""

import json
import logging
import re
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeAlias

from longspan.infra.local.control.api import ValidationError
from longspan.infra.local.jobs import scraper_process

__all__ = ["Scraper", "check_patterns"]

Values: TypeAlias = list[tuple[str, float]]  # names and values, in the order of the log

# Isolated and without site-packages, which takes half of the time to start.
_PROGRAM = (sys.executable, "-I", "-S", scraper_process.__file__)
_SECONDS_TO_END = 60.0
_TICK = 0.1


def check_patterns(definitions: Sequence[Mapping[str, str]]) -> None:
    """Check the regular expressions of metrics. Raises ValidationError for an invalid one."""
    for definition in definitions:
        name, pattern = definition["Name"], definition["Regex"]
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValidationError(
                f"Invalid regex {pattern} of the metric {name}: {error}. Please provide a valid "
                "one."
            ) from None


class Scraper:
    """Search for metrics; a process does the work, which starts with the first lines."""

    def __init__(self, definitions: Sequence[Mapping[str, str]]) -> None:
        self._names = [definition["Name"] for definition in definitions]
        self._patterns = [definition["Regex"] for definition in definitions]
        self._process: subprocess.Popen[str] | None = None
        self._closed = False
        self._lock = threading.Lock()  # for the start and the end of the process
        self._worker = ThreadPoolExecutor(1, "scraper")
        self._pending: deque[Future[Values]] = deque()

    def feed(self, lines: Sequence[str]) -> None:
        """Search lines in the background."""
        if lines and self._patterns:
            self._pending.append(self._worker.submit(self._search, lines))

    def found(self) -> Values:
        """Return the values that were found since the last call, without waiting."""
        values: Values = []
        while self._pending and self._pending[0].done():
            values += self._pending.popleft().result()
        return values

    def finish(self, closing: threading.Event) -> Values:
        """Return the rest of the values, and end the process; do not wait once `closing` is set."""
        deadline = time.monotonic() + _SECONDS_TO_END
        while not all(one.done() for one in self._pending):
            if closing.is_set() or time.monotonic() > deadline:
                break
            wait(self._pending, _TICK)
        values = self.found()
        if self._pending:
            _log("the metrics of the last lines are left out: the search took too long")
        self.close()
        return values

    def close(self) -> None:
        """End the process, also in the middle of a search."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.kill()
        # The thread gets no answer any more, so it ends.
        self._worker.shutdown(cancel_futures=True)
        if self._process is not None:
            self._process.communicate()

    def _search(self, lines: Sequence[str]) -> Values:
        """Return the values in lines; none when the process was ended."""
        process = self._start()
        if process is None or not _tell(process, lines):
            return []
        assert process.stdout is not None
        answer = process.stdout.readline()
        if not answer:
            return []
        found = json.loads(answer)
        for number in found["slow"]:
            _log(
                f"the regular expression of the metric {self._names[number]} took too long "
                f"on a line, which is left out: {self._patterns[number]}"
            )
        return [(self._names[number], value) for number, value in found["values"]]

    def _start(self) -> "subprocess.Popen[str] | None":
        """Return the process, which starts with the first call; None when it was ended."""
        with self._lock:
            if self._process is None and not self._closed:
                self._process = subprocess.Popen(
                    _PROGRAM,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    encoding="utf-8",
                    start_new_session=True,  # Ctrl-C reaches the cloud alone
                )
                _tell(self._process, self._patterns)
            return self._process


def _tell(process: "subprocess.Popen[str]", texts: Sequence[str]) -> bool:
    """Send texts; return whether the process still reads."""
    assert process.stdin is not None
    try:
        process.stdin.write(f"{json.dumps(list(texts))}\n")
        process.stdin.flush()
    except OSError:
        return False
    return True


def _log(message: str) -> None:
    logging.getLogger(__name__).warning(message)
