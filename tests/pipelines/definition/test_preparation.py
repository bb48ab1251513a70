"""Options of preparing: command, job and config have the defaults of `PrepareSettings`."""

import argparse
from collections.abc import Iterator

import pytest
from pydantic.fields import FieldInfo

from longspan.pipelines.config import parse_config
from longspan.pipelines.config.data import ColumnsSection, DataSection, PreparationSection
from longspan.pipelines.definition.preparation import prepare_arguments
from longspan.training.pairs.columns import Columns
from longspan.training.preparation.options import add_prepare_options, prepare_settings
from longspan.training.preparation.settings import CleaningRules, PrepareSettings, SplitSettings
from longspan.training.tokenizer.settings import VocabularySettings

# What another name or an inverted meaning has as an option, and as a key of the config.
OPTIONS = {"source": "source_column", "target": "target_column", "document": "document_column"}
KEYS = {"size": "vocabulary_size", "type": "vocabulary_type"}
SECTIONS = (PreparationSection, DataSection, ColumnsSection)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    add_prepare_options(parser)
    return parser


def fields() -> Iterator[tuple[str, FieldInfo]]:
    """Every setting of preparing that is not a group of others."""
    groups = ("columns", "cleaning", "splits", "vocabulary")
    for model in (PrepareSettings, Columns, CleaningRules, SplitSettings, VocabularySettings):
        for name, field in model.model_fields.items():
            if name not in groups:
                yield name, field


def test_the_command_without_options_prepares_by_the_defaults() -> None:
    assert prepare_settings(parser().parse_args([])) == PrepareSettings()


def test_the_job_of_a_config_without_keys_prepares_by_the_defaults() -> None:
    arguments = prepare_arguments(parse_config("data: {pairs: a.tsv}\n"))
    assert prepare_settings(parser().parse_args(arguments)) == PrepareSettings()


@pytest.mark.parametrize(("name", "field"), list(fields()), ids=[name for name, _ in fields()])
def test_help_and_config_have_the_default_and_the_description(name: str, field: FieldInfo) -> None:
    key = KEYS.get(name, name)
    [inner] = [s.model_fields[key] for s in SECTIONS if key in s.model_fields]
    assert (inner.default, inner.description, inner.metadata) == (
        field.default,
        field.description,
        field.metadata,
    )
    option = "no_joined" if name == "joined" else OPTIONS.get(name, key)
    [action] = [a for a in parser()._actions if a.dest == option]
    assert (field.description or "") in (action.help or "").replace("%%", "%")
    assert action.default == (False if name == "joined" else field.default)


def test_a_config_with_a_vocabulary_too_small_for_its_type_is_refused() -> None:
    section = PreparationSection(vocabulary_size=299)
    [mistake] = section.mistakes()
    assert mistake.place == ("vocabulary_size",)
    assert not list(PreparationSection(vocabulary_size=299, vocabulary_type="word").mistakes())
