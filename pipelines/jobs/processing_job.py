"""Options, exit status and exit message of processing jobs.

SageMaker shows the file `output/message` as the job's ExitMessage, and counts every exit status
other than 0 as a failure.
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

_STOPPED = 128 + signal.SIGTERM  # the exit status that shells give for a signal


class OptionParser(argparse.ArgumentParser):
    """A parser that raises OptionError, where argparse would print its usage and exit."""

    def error(self, message: str) -> NoReturn:
        """Raise OptionError."""
        raise OptionError(f"{message}; --help lists the options")


def run_processing(work: Callable[[ContainerPaths], None], environment: Mapping[str, str]) -> int:
    """Do the work of a processing job and return its exit status.

    The status is 0 on success, 1 on failure and 143 after SIGTERM or Ctrl-C. The reason of a
    failure goes to standard error and to `output/message` as one line; an unexpected error also
    prints its traceback.
    """
    paths = ContainerPaths.from_environment(environment)
    try:
        with terminated_as_interrupted():
            paths.message.unlink(missing_ok=True)
            work(paths)
        return 0
    except KeyboardInterrupt:
        # The signal may have prevented a cleanup.
        shutil.rmtree(paths.scratch, ignore_errors=True)
        return _end(paths, "stopped by a signal before the job was done", _STOPPED)
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
