"""Cache and retry policies of steps.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-caching.html
https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html
"""

import re
from dataclasses import dataclass
from typing import Any

from longspan.infra.local.pipeline.definition.reading import (
    invalid,
    read_list,
    read_members,
    read_number,
)

__all__ = ["DEFAULT_RETRIES", "FAULTS", "RetryPolicy", "parse_duration", "read_cache", "read_retry"]

# Fault types that a retry policy may name.
FAULTS = (
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
)
# M means months before the T, and minutes after it.
_DURATION = re.compile(
    r"P?(?:(?P<y>\d+)Y)?(?:(?P<mo>\d+)M)?(?:(?P<w>\d+)W)?(?:(?P<d>\d+)D)?"
    r"(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+)S)?)?",
    re.IGNORECASE,
)
_DAY = 86_400
_SECONDS = {"y": 365 * _DAY, "mo": 30 * _DAY, "w": 7 * _DAY, "d": _DAY, "h": 3600, "m": 60, "s": 1}


def parse_duration(text: str) -> float:
    """Return the seconds of an ISO 8601 duration; the P may be missing, as in AWS's `30d`, `T16m`.

    A year is 365 days and a month 30. Raises ValueError.
    """
    found = _DURATION.fullmatch(text)
    parts = {} if found is None else {k: v for k, v in found.groupdict().items() if v is not None}
    if not parts:
        raise ValueError(f"expected an ISO 8601 duration such as P30D or PT1H, got {text!r}")
    return float(sum(int(value) * _SECONDS[unit] for unit, value in parts.items()))


def read_cache(value: Any, where: str) -> float | None:
    """Return the seconds for which a cached result is valid; None with the cache off."""
    members = read_members(value, where, ("Enabled",), ("ExpireAfter",))
    if not isinstance(members["Enabled"], bool):
        raise invalid(f"{where}: Enabled must be true or false, got {members['Enabled']!r}.")
    if "ExpireAfter" not in members:
        if members["Enabled"]:
            raise invalid(f"{where}: a cache that is enabled needs ExpireAfter, such as P30D.")
        return None
    try:
        seconds = parse_duration(str(members["ExpireAfter"]))
    except ValueError as error:
        raise invalid(f"{where}.ExpireAfter: {error}.") from None
    return seconds if members["Enabled"] else None


@dataclass(frozen=True)
class RetryPolicy:
    """Retries after some faults: pauses start with `interval` seconds and grow by `backoff`."""

    faults: tuple[str, ...]
    interval: float = 1.0
    backoff: float = 2.0
    attempts: int | None = 5
    expires: float | None = None  # seconds

    def pause(self, retries: int, elapsed: float) -> float | None:
        """Return the seconds before the next attempt, after `retries`; None for no attempt.

        `elapsed` is the time since the step started, in seconds.
        """
        if self.attempts is not None and retries >= self.attempts:
            return None
        seconds = self.interval * self.backoff**retries
        if self.expires is not None and elapsed + seconds > self.expires:
            return None
        return seconds


# AWS retries these faults by default; it does not document how often.
DEFAULT_RETRIES = (RetryPolicy(("Step.SERVICE_FAULT", "Step.THROTTLING")),)


def read_retry(value: Any, where: str) -> RetryPolicy:
    """Return the retry policy in a definition. Raises ValidationError."""
    limits = ("MaxAttempts", "ExpireAfterMin")
    members = read_members(
        value, where, ("ExceptionType",), ("IntervalSeconds", "BackoffRate", *limits)
    )
    faults = read_list(members["ExceptionType"], f"{where}.ExceptionType")
    for fault in faults:
        if fault not in FAULTS:
            raise invalid(
                f"{where}: unknown ExceptionType {fault!r}. Known are: {', '.join(FAULTS)}."
            )
    if all(limit in members for limit in limits):
        raise invalid(f"{where}: give MaxAttempts or ExpireAfterMin, not both.")
    interval = read_number(members.get("IntervalSeconds", 1), f"{where}.IntervalSeconds", 1, 86_400)
    rate = members.get("BackoffRate", 2.0)
    backoff = read_number(rate, f"{where}.BackoffRate", 0.0, 1_000.0, whole=False)
    attempts, expires = None, None
    if "ExpireAfterMin" in members:
        minutes = read_number(members["ExpireAfterMin"], f"{where}.ExpireAfterMin", 0, 14_400)
        expires = 60.0 * minutes
    else:
        attempts = int(read_number(members.get("MaxAttempts", 5), f"{where}.MaxAttempts", 1, 20))
    return RetryPolicy(tuple(faults), interval, backoff, attempts, expires)
