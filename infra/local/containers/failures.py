"""Failures of jobs and of serving, and the reasons that Describe operations show for them.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingJob.html
"""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from botocore.exceptions import ClientError

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.control.api import ApiError
from longspan.infra.local.control.documents import Key

__all__ = [
    "LONGEST_REASON",
    "CloudClosed",
    "JobFailure",
    "ServingClosed",
    "ServingFailure",
    "algorithm_error",
    "conclude",
    "shorten",
]

LONGEST_REASON = 1024  # FailureReason, ExitMessage
_KILLED = 137  # 128 + SIGKILL, which the kernel also sends when memory runs out


class JobFailure(Exception):
    """The job failed; the text is its FailureReason."""


class CloudClosed(Exception):
    """The local cloud ended before the job."""

    def __init__(self) -> None:
        super().__init__(
            "InternalServerError: the local cloud ended while the job ran. Start it again: a "
            "pipeline's execution can be retried."
        )


class ServingFailure(Exception):
    """A model cannot be served; the text is the FailureReason."""


class ServingClosed(Exception):
    """The local cloud ended, or the model was deleted, before the model served."""


def algorithm_error(reasons: Iterable[Path], status: int) -> str:
    """Return the FailureReason of a container: the text of its reason file, and its status."""
    found = next((text for path in reasons if (text := _read(path))), "")
    if not found and status == _KILLED:
        found = (
            "the container was killed, for lack of memory or from outside. Please use an instance "
            "type with more memory, or reduce the size of job data processed on an instance."
        )
    # 900 characters leave room for the words around them within LONGEST_REASON.
    return f"AlgorithmError: {shorten(found or 'see the log for more', 900)}, exit code: {status}"


def shorten(text: str, most: int = LONGEST_REASON) -> str:
    """Return at most `most` characters of a text, with dots at the end of a shortened one."""
    return text if len(text) <= most else f"{text[: most - 4]} ..."


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def conclude(key: Key, work: Callable[[], None], fail: Callable[[str], None]) -> None:
    """Do the work of a job; call `fail` with the reason of any exception, so that the job ends."""
    try:
        work()
    except (JobFailure, CloudClosed) as failure:
        fail(str(failure))
    # A request that the job made with its role's credentials was refused.
    except (ClientError, ApiError) as error:
        fail(f"ClientError: {error}")
    except LocalCloudError as error:
        fail(f"InternalServerError: {error}")
    except OSError as error:  # such as a full disk; the file is one of the local cloud
        fail(f"InternalServerError: {error.strerror or error}")
    except Exception as error:
        logging.getLogger(__name__).exception("%s %s", key.kind, key.name)
        fail(f"InternalServerError: {type(error).__name__}: {error}")
