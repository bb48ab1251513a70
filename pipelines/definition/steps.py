"""Steps that hold a request, with their cache, retries and tags; every builder uses them.

The SDK's own step classes build a new request each time they are read, and its tuning step loses
members.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from longspan.pipelines.config.aws import AwsSection, RetriesSection
from longspan.pipelines.definition.sdk import (
    ConfigurableRetryStep,
    Properties,
    PropertyFile,
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
    StepTypeEnum,
)

__all__ = [
    "RequestStep",
    "cached_days",
    "job_retries",
    "service_retries",
    "tags",
    "tuning_retries",
    "without_empty",
]


class RequestStep(ConfigurableRetryStep):  # type: ignore[misc]  # the SDK is not typed
    """A step of any type that holds the request for the resource it creates."""

    def __init__(
        self,
        name: str,
        step_type: StepTypeEnum,
        request: Mapping[str, Any],
        shapes: Sequence[str],
        *,
        retries: Sequence[Any] = (),
        cache_days: int = 0,
        property_files: Sequence[PropertyFile] = (),
    ) -> None:
        """Hold a copy of `request`.

        `shapes` are output shapes of SageMaker's API, whose members become `properties`. The cache
        returns results that are at most `cache_days` days old; 0 disables it.
        """
        super().__init__(name, step_type, retry_policies=list(retries))
        self._request = dict(request)
        self._properties = Properties(step_name=name, step=self, shape_names=list(shapes))
        self._cache_days = cache_days
        self.property_files = list(property_files)

    @property
    def arguments(self) -> dict[str, Any]:
        """The request; callers must not change it."""
        return self._request

    @property
    def properties(self) -> Properties:
        """Properties that later steps can refer to."""
        return self._properties

    def to_request(self) -> dict[str, Any]:
        """Return the step as a part of the definition."""
        step = super().to_request()
        if self._cache_days:
            step["CacheConfig"] = {"Enabled": True, "ExpireAfter": f"P{self._cache_days}D"}
        if self.property_files:
            step["PropertyFiles"] = [file.expr for file in self.property_files]
        return dict(step)


def cached_days(aws: AwsSection) -> int:
    """Return the age in days up to which results are taken from the cache."""
    return aws.cache_days


def service_retries(retries: RetriesSection) -> list[Any]:
    """Return a policy that retries after faults of the service and after throttling."""
    return [
        StepRetryPolicy(
            exception_types=[
                StepExceptionTypeEnum.SERVICE_FAULT,
                StepExceptionTypeEnum.THROTTLING,
            ],
            **_pauses(retries),
        )
    ]


def job_retries(retries: RetriesSection) -> list[Any]:
    """Return policies that also retry for lack of machines and after internal errors of jobs."""
    return _retries(retries, SageMakerJobExceptionTypeEnum.INTERNAL_ERROR)


def tuning_retries(retries: RetriesSection) -> list[Any]:
    """Return policies as for jobs, without internal errors, which a tuning job retries itself.

    https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html
    """
    return _retries(retries)


def _retries(retries: RetriesSection, *others: SageMakerJobExceptionTypeEnum) -> list[Any]:
    return [
        *service_retries(retries),
        SageMakerJobStepRetryPolicy(
            exception_types=[
                *others,
                SageMakerJobExceptionTypeEnum.CAPACITY_ERROR,
                SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT,
            ],
            **_pauses(retries),
        ),
    ]


def _pauses(retries: RetriesSection) -> dict[str, Any]:
    return {
        "interval_seconds": retries.interval_seconds,
        "backoff_rate": retries.backoff,
        "max_attempts": retries.attempts,
    }


def tags(aws: AwsSection) -> list[dict[str, str]]:
    """Return the tags as members of a request, sorted by key."""
    return [{"Key": key, "Value": value} for key, value in sorted(aws.tags.items())]


def without_empty(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request without its empty members."""
    return {name: value for name, value in request.items() if value not in (None, {}, [])}
