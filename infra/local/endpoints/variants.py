"""Production variants of an endpoint, as Describe shows them: images, weights, instances.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariantSummary.html
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from longspan.infra.local.control.api import Document, ValidationError

__all__ = ["changed_variants", "retained_variants", "variant_summaries", "variant_weights"]

_WEIGHT, _COUNT = (
    ("CurrentWeight", "DesiredWeight"),
    ("CurrentInstanceCount", "DesiredInstanceCount"),
)
_PROPERTIES = {"DesiredWeight": _WEIGHT, "DesiredInstanceCount": _COUNT}


def variant_summaries(
    config: Mapping[str, Any],
    images: Mapping[str, str],
    now: float,
    before: Iterable[Mapping[str, Any]] = (),
) -> list[Document]:
    """Return summaries of a config's variants; properties in `before` replace the config's."""
    retained = {variant["VariantName"]: variant for variant in before}
    return [
        {
            **_summary(variant, images.get(variant["VariantName"]), now),
            **_properties(retained.get(variant["VariantName"], {}), (*_WEIGHT, *_COUNT)),
        }
        for variant in config["ProductionVariants"]
    ]


def retained_variants(
    variants: Iterable[Mapping[str, Any]], request: Mapping[str, Any]
) -> list[Document]:
    """Return the properties that an UpdateEndpoint request retains, by default none."""
    if not request.get("RetainAllVariantProperties"):
        return []
    excluded = {
        given["VariantPropertyType"]
        for given in request.get("ExcludeRetainedVariantProperties") or ()
    }
    names = [
        member
        for kind, members in _PROPERTIES.items()
        if kind not in excluded
        for member in members
    ]
    return [_properties(variant, ("VariantName", *names)) for variant in variants]


def changed_variants(
    variants: Sequence[Mapping[str, Any]], wanted: Iterable[Mapping[str, Any]]
) -> list[Document]:
    """Return variants after UpdateEndpointWeightsAndCapacities. Raises ValidationError."""
    result = {variant["VariantName"]: dict(variant) for variant in variants}
    for change in wanted:
        name = change["VariantName"]
        if name not in result:
            raise ValidationError(
                f'Could not find production variant "{name}"; the endpoint has {", ".join(result)}'
            )
        result[name].update(_change(result[name], change))
    if not any(variant["CurrentWeight"] > 0 for variant in result.values()):
        raise ValidationError("At least one production variant must have a weight above 0.")
    return list(result.values())


def variant_weights(variants: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Return the present weights by name of the variant."""
    return {variant["VariantName"]: variant["CurrentWeight"] for variant in variants}


def _summary(variant: Mapping[str, Any], image: str | None, now: float) -> Document:
    weight = variant["InitialVariantWeight"]
    summary: Document = {
        "VariantName": variant["VariantName"],
        **dict.fromkeys(_WEIGHT, weight),
    }
    if image is not None:
        summary["DeployedImages"] = [
            {"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": now}
        ]
    if "ServerlessConfig" in variant:
        summary["CurrentServerlessConfig"] = variant["ServerlessConfig"]
        summary["DesiredServerlessConfig"] = variant["ServerlessConfig"]
    else:
        summary.update(dict.fromkeys(_COUNT, variant["InitialInstanceCount"]))
    return summary


def _change(variant: Mapping[str, Any], change: Mapping[str, Any]) -> Document:
    result: Document = {}
    serverless = "CurrentServerlessConfig" in variant
    wrong = "DesiredInstanceCount" if serverless else "ServerlessUpdateConfig"
    if change.get(wrong) is not None:
        kind = "serverless" if serverless else "on instances"
        raise ValidationError(
            f"Production variant {change['VariantName']} is {kind}: {wrong} does not fit it."
        )
    if (weight := change.get("DesiredWeight")) is not None:
        if weight < 0:
            raise ValidationError(
                f"Production variant {change['VariantName']}: the weight must not be negative."
            )
        result.update(dict.fromkeys(_WEIGHT, weight))
    if (count := change.get("DesiredInstanceCount")) is not None:
        result.update(dict.fromkeys(_COUNT, count))
    if (update := change.get("ServerlessUpdateConfig")) is not None:
        config = {**variant["CurrentServerlessConfig"], **update}
        result.update(CurrentServerlessConfig=config, DesiredServerlessConfig=config)
    return result


def _properties(variant: Mapping[str, Any], names: Iterable[str]) -> Document:
    return {name: variant[name] for name in names if name in variant}
