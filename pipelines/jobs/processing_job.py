"""What every processing job shares: its options, its end, and the reason that it leaves.

SageMaker shows what a job wrote to `output/message` as the job's ExitMessage, and counts an exit
status other than 0 as a failure.
"""

import argparse
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import NoReturn

from longspan.training.container.paths import ContainerPaths
from longspan.training.errors import LongspanError, OptionError, explain_os_error
from longspan.training.stop import terminated_as_interrupted

__all__ = ["OptionParser", "run_processing"]

_STOPPED = 128 + signal.SIGTERM  # as a shell has it for a process that a signal ended


class OptionParser(argparse.ArgumentParser):
    """Raises OptionError where argparse would print its usage and end the process."""

    def error(self, message: str) -> NoReturn:
        """Raise OptionError."""
        raise OptionError(f"{message}; --help lists the options")


def run_processing(work: Callable[[ContainerPaths], None], environment: Mapping[str, str]) -> int:
    """Do the work of a processing job; the exit status.

    0 when it is done, 1 for every failure, whose reason goes to standard error and to
    `output/message` as one line (with a traceback before it, when nobody foresaw it), 143 when
    SIGTERM or Ctrl-C stopped it.
    """
    paths = ContainerPaths.from_environment(environment)
    try:
        with terminated_as_interrupted():
            paths.message.unlink(missing_ok=True)
            work(paths)
        return 0
    except KeyboardInterrupt:
        shutil.rmtree(paths.scratch, ignore_errors=True)  # it may have come before any cleanup
        return _end(paths, "stopped by a signal before its end", _STOPPED)
    except LongspanError as error:
        return _end(paths, f"error: {error}", 1)
    except OSError as error:
        return _end(paths, f"error: {explain_os_error(error)}", 1)
    except Exception as error:
        traceback.print_exc()
        return _end(paths, f"error: {type(error).__name__}: {error}", 1)


def _end(paths: ContainerPaths, reason: str, status: int) -> int:
    line = " ".join(reason.split())
    print(f"longspan: {line}", file=sys.stderr, flush=True)
    paths.write_message(line.removeprefix("error: "))
    return status
