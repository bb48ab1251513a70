"""Durations, caches and retry policies."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.infra.local.control.api import ValidationError
from longspan.infra.local.pipeline.definition.policies import (
    RetryPolicy,
    parse_duration,
    read_cache,
    read_retry,
)

DAY = 86_400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("P30D", 30 * DAY),
        ("p30d", 30 * DAY),
        ("30d", 30 * DAY),
        ("PT1H", 3600),
        ("T16m", 960),
        ("30dT5h", 30 * DAY + 18_000),
        ("P1M", 30 * DAY),
        ("PT1M", 60),
        ("5y", 5 * 365 * DAY),
        ("P1W", 7 * DAY),
        ("P1Y2M3DT4H5M6S", 365 * DAY + 60 * DAY + 3 * DAY + 4 * 3600 + 306),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "P", "PT", "30", "1h", "P1H", "P-1D", "soon", "P1D "])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        parse_duration(text)


def test_a_cache_is_on_with_a_time_and_off_otherwise() -> None:
    assert read_cache({"Enabled": True, "ExpireAfter": "PT1H"}, "here") == 3600
    assert read_cache({"Enabled": False, "ExpireAfter": "PT1H"}, "here") is None
    assert read_cache({"Enabled": False}, "here") is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"Enabled": True}, "needs ExpireAfter"),
        ({"Enabled": "true", "ExpireAfter": "P1D"}, "must be true or false"),
        ({"Enabled": True, "ExpireAfter": "1 day"}, "ISO 8601"),
        ({"ExpireAfter": "P1D"}, "Missing required property 'Enabled'"),
        ({"Enabled": True, "Expires": "P1D"}, "unknown property 'Expires'"),
    ],
)
def test_a_wrong_cache_is_refused(value: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        read_cache(value, "here")


def policy(**members: Any) -> RetryPolicy:
    return read_retry({"ExceptionType": ["Step.THROTTLING"], **members}, "here")


def test_a_policy_has_aws_defaults() -> None:
    assert policy() == RetryPolicy(("Step.THROTTLING",), 1.0, 2.0, 5, None)
    assert policy(ExpireAfterMin=5) == RetryPolicy(("Step.THROTTLING",), 1.0, 2.0, None, 300.0)


@given(st.integers(1, 100), st.floats(1, 5), st.integers(1, 20))
def test_pauses_grow_by_the_rate_until_the_attempts_end(
    interval: int, rate: float, attempts: int
) -> None:
    one = policy(IntervalSeconds=interval, BackoffRate=rate, MaxAttempts=attempts)
    pauses = [one.pause(number, 1e9) for number in range(attempts + 1)]
    assert pauses[-1] is None
    assert pauses[:-1] == pytest.approx([interval * rate**number for number in range(attempts)])


def test_no_try_begins_after_the_policy_has_expired() -> None:
    one = policy(IntervalSeconds=10, BackoffRate=1.0, ExpireAfterMin=1)
    assert one.pause(7, 50.0) == 10.0
    assert one.pause(7, 50.1) is None


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"ExceptionType": ["Step.OTHER"]}, "unknown ExceptionType 'Step.OTHER'"),
        ({"ExceptionType": "Step.THROTTLING"}, "Expecting start of Json Array"),
        ({"MaxAttempts": 21}, "from 1 to 20, got 21"),
        ({"MaxAttempts": 0}, "from 1 to 20, got 0"),
        ({"MaxAttempts": 2, "ExpireAfterMin": 2}, "not both"),
        ({"ExpireAfterMin": 14_401}, "from 0 to 14400"),
        ({"IntervalSeconds": 0}, "IntervalSeconds"),
        ({"BackoffRate": "2"}, "Expecting a number"),
        ({"Retries": 2}, "unknown property 'Retries'"),
    ],
)
def test_a_wrong_policy_is_refused(members: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        policy(**members)
