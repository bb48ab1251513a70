"""Production variants as an endpoint shows them."""

from typing import Any

import pytest

from longspan.infra.local.control.api import ValidationError
from longspan.infra.local.endpoints.variants import (
    changed_variants,
    retained_variants,
    variant_summaries,
    variant_weights,
)

INSTANCES = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 2}
SERVERLESS = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}


def config(*variants: dict[str, Any]) -> dict[str, Any]:
    return {"ProductionVariants": list(variants)}


def variant(name: str, weight: float = 1.0, **members: Any) -> dict[str, Any]:
    chosen = members or INSTANCES
    return {"VariantName": name, "InitialVariantWeight": weight, **chosen}


@pytest.fixture
def shown() -> list[dict[str, Any]]:
    both = config(variant("big", 3.0), variant("less", ServerlessConfig=SERVERLESS))
    return variant_summaries(both, {"big": "image"}, 7.0)


def test_they_show_what_was_asked_for(shown: list[dict[str, Any]]) -> None:
    big, less = shown
    assert big["CurrentWeight"] == big["DesiredWeight"] == 3.0
    assert big["CurrentInstanceCount"] == big["DesiredInstanceCount"] == 2
    (image,) = big["DeployedImages"]
    assert image == {"SpecifiedImage": "image", "ResolvedImage": "image", "ResolutionTime": 7.0}
    assert less["CurrentServerlessConfig"] == less["DesiredServerlessConfig"] == SERVERLESS
    assert "CurrentInstanceCount" not in less
    assert "DeployedImages" not in less  # nothing is deployed yet
    assert variant_weights(shown) == {"big": 3.0, "less": 1.0}


def test_changes_are_of_those_that_are_named(shown: list[dict[str, Any]]) -> None:
    wanted = [
        {"VariantName": "big", "DesiredInstanceCount": 5},
        {
            "VariantName": "less",
            "DesiredWeight": 0.0,
            "ServerlessUpdateConfig": {"MaxConcurrency": 9},
        },
    ]
    big, less = changed_variants(shown, wanted)
    assert (big["CurrentInstanceCount"], big["CurrentWeight"]) == (5, 3.0)
    assert less["CurrentWeight"] == 0.0
    assert less["CurrentServerlessConfig"] == {**SERVERLESS, "MaxConcurrency": 9}
    assert shown[1]["CurrentServerlessConfig"] == SERVERLESS


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ([{"VariantName": "none"}], "the endpoint has big, less"),
        ([{"VariantName": "big", "DesiredWeight": -1.0}], "must not be negative"),
        (
            [{"VariantName": name, "DesiredWeight": 0.0} for name in ("big", "less")],
            "a weight above 0",
        ),
        ([{"VariantName": "less", "DesiredInstanceCount": 1}], "less is serverless"),
        ([{"VariantName": "big", "ServerlessUpdateConfig": {}}], "big is on instances"),
    ],
)
def test_changes_that_make_no_sense_are_refused(
    shown: list[dict[str, Any]], wanted: list[dict[str, Any]], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        changed_variants(shown, wanted)


@pytest.mark.parametrize(
    ("request_", "count", "weight"),
    [
        ({}, 2, 1.0),
        ({"RetainAllVariantProperties": True}, 5, 4.0),
        (
            {
                "RetainAllVariantProperties": True,
                "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredWeight"}],
            },
            5,
            1.0,
        ),
        (
            {"ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredWeight"}]},
            2,
            1.0,
        ),
    ],
)
def test_an_update_retains_what_it_is_told_to(
    shown: list[dict[str, Any]], request_: dict[str, Any], count: int, weight: float
) -> None:
    before = changed_variants(
        shown, [{"VariantName": "big", "DesiredInstanceCount": 5, "DesiredWeight": 4.0}]
    )
    after = variant_summaries(
        config(variant("big"), variant("new")), {}, 0.0, retained_variants(before, request_)
    )
    assert (after[0]["CurrentInstanceCount"], after[0]["DesiredWeight"]) == (count, weight)
    assert (after[1]["CurrentInstanceCount"], after[1]["DesiredWeight"]) == (2, 1.0)
