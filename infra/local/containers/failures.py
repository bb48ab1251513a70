"""Why a job failed, in the words that its Describe operation shows.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingJob.html
"""

from collections.abc import Iterable
from pathlib import Path

__all__ = ["LONGEST_REASON", "CloudClosed", "JobFailure", "algorithm_error", "cut"]

LONGEST_REASON = 1024  # FailureReason, ExitMessage
_KILLED = 137


class JobFailure(Exception):
    """The job has failed; the text is its FailureReason."""


class CloudClosed(Exception):
    """The local cloud ends before the job does."""

    def __init__(self) -> None:
        super().__init__(
            "InternalServerError: the local cloud ended while the job ran. Start it again: a "
            "pipeline's execution can be retried."
        )


def algorithm_error(reasons: Iterable[Path], status: int) -> str:
    """From the file in which a container left its reason, and its exit status."""
    found = next((text for path in reasons if (text := _read(path))), "")
    if not found and status == _KILLED:
        found = (
            "the container was killed, for lack of memory or from outside. Please use an instance "
            "type with more memory, or reduce the size of job data processed on an instance."
        )
    return f"AlgorithmError: {cut(found or 'see the log for more', 900)}, exit code: {status}"


def cut(text: str, most: int = LONGEST_REASON) -> str:
    """At most so many characters, with dots where some are left out."""
    return text if len(text) <= most else f"{text[: most - 4]} ..."


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
