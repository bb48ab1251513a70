"""Names that tell a project's own from another project's."""

import pytest

from longspan.pipelines.deployment.deployment import (
    deployed_name,
    endpoint_config_pattern,
    model_pattern,
)

PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/group/12"


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("en-ja-abcdefghij01", True),  # of a pipeline's execution
        (deployed_name("en-ja", PACKAGE, "0a1b2c"), True),
        ("en-ja-v12-0a1b2c3d", True),  # of the function that deploys what was approved
        ("en-ja", False),
        ("en-ja-v12-0a1b2c3", False),
        ("en-ja-news-abcdefghij01", False),
        ("en-ja-news-v12-0a1b2c", False),
        ("xen-ja-v12-0a1b2c", False),
        ("en.ja-v12-0a1b2c", False),
    ],
)
def test_an_endpoint_config_is_known_by_its_name(name: str, own: bool) -> None:
    assert bool(endpoint_config_pattern("en-ja").fullmatch(name)) is own


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("en-ja-abcdefghij01-0aB1c2D3e4", True),  # of a pipeline's execution
        (deployed_name("live", PACKAGE, "0a1b2c"), True),
        (deployed_name("en-ja", PACKAGE, "0a1b2c"), False),  # another endpoint's
        ("en-ja-abcdefghij01", False),
        ("en-ja-news-abcdefghij01-0aB1c2D3e4", False),
    ],
)
def test_a_model_is_known_by_its_name(name: str, own: bool) -> None:
    assert bool(model_pattern("en-ja", "live").fullmatch(name)) is own
