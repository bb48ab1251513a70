"""The steps Collect and Prepare: from pairs to cleaned, split and tokenised shards."""

from collections.abc import Iterator, Mapping
from typing import Any

from longspan.pipelines.config import Config
from longspan.pipelines.definition.context import BuildContext
from longspan.pipelines.definition.processing import (
    Machine,
    processing_request,
    processing_step,
)
from longspan.pipelines.definition.steps import RequestStep
from longspan.pipelines.jobs.channels import COLLECTED, PAIRS, PREPARED

__all__ = ["collect_step", "prepare_arguments", "prepare_step"]


def collect_step(context: BuildContext) -> RequestStep:
    """Return the step in which several machines read and clean pairs, for Prepare."""
    return _step(context, "Collect", "collect", {PAIRS: context.parameters.pairs}, COLLECTED)


def prepare_step(context: BuildContext, collected: Any = None) -> RequestStep:
    """Return the step whose output `prepared` is the input of training and evaluation.

    `collected` is the S3 URI of Collect's output, or None without that step.
    """
    parameters = context.parameters
    pairs = {PAIRS: parameters.pairs} if collected is None else {COLLECTED: collected}
    inputs = {**pairs, "validation": parameters.validation, "test": parameters.test}
    return _step(context, "Prepare", "prepare", inputs, PREPARED)


def _step(
    context: BuildContext, name: str, command: str, inputs: Mapping[str, Any], output: str
) -> RequestStep:
    preparation = context.config.preparation
    request = processing_request(
        context,
        command,
        Machine(
            context.parameters.prepare_instance,
            preparation.volume_gb,
            preparation.max_runtime_minutes,
            # Only Collect divides the pairs; Prepare needs all of them, for one vocabulary.
            preparation.instance_count if command == "collect" else 1,
        ),
        {name: uri for name, uri in inputs.items() if uri is not None},
        output,
        prepare_arguments(context.config),
    )
    return processing_step(context, name, request)


def prepare_arguments(config: Config) -> list[str]:
    """Return options of `longspan prepare` for all values of the config, defaults included.

    So an image with other defaults prepares the same data.
    """
    # The value of a flag is empty, and left out.
    return [text for name, value in _options(config) for text in (f"--{name}", value) if text]


def _options(config: Config) -> Iterator[tuple[str, str]]:
    """Yield names and values of options; the value of a flag is empty."""
    data, preparation = config.data, config.preparation
    if data.format is not None:
        yield "format", data.format
    yield "header", data.header
    for name in ("source", "target", "document"):
        column = getattr(data.columns, name)
        if column is not None:
            yield f"{name}-column", str(column)
    yield "source-language", data.source_language
    yield "target-language", data.target_language
    for name in ("min_characters", "max_characters", "min_words", "max_words", "max_ratio"):
        yield name.replace("_", "-"), f"{getattr(preparation, name)}"
    for name in ("validation_size", "test_size", "vocabulary_size"):
        if getattr(preparation, name) is not None:
            yield name.replace("_", "-"), str(getattr(preparation, name))
    for name in ("split_by", "seed", "vocabulary_type", "tokenizer_pairs"):
        yield name.replace("_", "-"), str(getattr(preparation, name))
    if preparation.nfkc:
        yield "nfkc", ""
    if not preparation.joined:
        yield "no-joined", ""
    if preparation.joint:
        yield "joint", ""
