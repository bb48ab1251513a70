"""How what a project makes is called: names that tell its own from another project's.

Another project's name may begin with this one's, so a common beginning tells nothing.
"""

import re

__all__ = ["deployed_name", "endpoint_config_pattern", "model_pattern"]

# An execution's id; the version of a model package and random digits, six of `longspan deploy`
# and eight of the function that deploys what somebody approves (the stack's template).
_EXECUTION = "[a-z0-9]{12}"
_DEPLOYED = "v[0-9]+-[0-9a-f]{6}([0-9a-f]{2})?"


def deployed_name(endpoint: str, package_arn: str, token: str) -> str:
    """Of the model and the endpoint config of one `longspan deploy`; `token` is six hex digits."""
    version = package_arn.rsplit("/", 1)[-1]
    return f"{endpoint}-v{version}-{token}"


def endpoint_config_pattern(endpoint: str) -> re.Pattern[str]:
    """`<endpoint>-<execution>` of pipelines, and those of deployments outside of them."""
    return re.compile(rf"{re.escape(endpoint)}-({_EXECUTION}|{_DEPLOYED})")


def model_pattern(name: str, endpoint: str) -> re.Pattern[str]:
    """`<name>-<execution>-<suffix>` of pipelines, and those of deployments outside of them."""
    made = rf"{re.escape(name)}-{_EXECUTION}-[a-zA-Z0-9]{{10}}"
    return re.compile(rf"{made}|{re.escape(endpoint)}-{_DEPLOYED}")
