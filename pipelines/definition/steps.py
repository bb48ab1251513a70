"""Steps made of requests: what every builder shares.

The SDK's own step classes build their requests anew each time one looks at them, and its tuning
step loses members; here a step holds the request that it was given.
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
    "without",
]


class RequestStep(ConfigurableRetryStep):  # type: ignore[misc]  # the SDK is not typed
    """A step of any type, with the request for what it creates."""

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
        """`shapes` are the output shapes of the operations whose members are the properties.

        A result of the last `cache_days` days is taken again; 0 is never.
        """
        super().__init__(name, step_type, retry_policies=list(retries))
        self._request = dict(request)
        self._properties = Properties(step_name=name, step=self, shape_names=list(shapes))
        self._cache_days = cache_days
        self.property_files = list(property_files)

    @property
    def arguments(self) -> dict[str, Any]:
        """The request, which nobody may change."""
        return self._request

    @property
    def properties(self) -> Properties:
        """What later steps can refer to."""
        return self._properties

    def to_request(self) -> dict[str, Any]:
        """The step as the definition has it."""
        step = super().to_request()
        if self._cache_days:
            step["CacheConfig"] = {"Enabled": True, "ExpireAfter": f"P{self._cache_days}D"}
        if self.property_files:
            step["PropertyFiles"] = [file.expr for file in self.property_files]
        return dict(step)


def cached_days(aws: AwsSection) -> int:
    """How old a result may be."""
    return aws.cache_days


def service_retries(retries: RetriesSection) -> list[Any]:
    """After a fault of the service, or when it was asked too often."""
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
    """Also for lack of machines, and after a job failed by a fault of AWS's."""
    return _retries(retries, SageMakerJobExceptionTypeEnum.INTERNAL_ERROR)


def tuning_retries(retries: RetriesSection) -> list[Any]:
    """As for jobs, but what failed by a fault of AWS's is tried again within a tuning job.

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
    """As requests have them."""
    return [{"Key": key, "Value": value} for key, value in sorted(aws.tags.items())]


def without(request: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The request less these members, and less those that are empty."""
    return {
        name: value
        for name, value in request.items()
        if name not in names and value not in (None, {}, [])
    }
