"""The options of preparing, whoever gives them: the `longspan prepare` command or a job.

Defaults, choices and descriptions are those of the fields of `settings`.
"""

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from longspan.training.languages import add_language_options

if TYPE_CHECKING:
    from longspan.training.preparation.settings import PrepareSettings
    from longspan.training.values import Settings

_Settings = TypeVar("_Settings", bound="Settings")

__all__ = ["add_prepare_options", "prepare_settings"]

_COLUMNS = ("source", "target", "document")
_CLEANING = ("min_characters", "max_characters", "min_words", "max_words", "max_ratio", "nfkc")
_SPLITS = ("validation_size", "test_size", "split_by", "seed")
_VOCABULARY = {"vocabulary_size": "size", "vocabulary_type": "type", "joint": "joint"}


def add_prepare_options(parser: argparse.ArgumentParser) -> None:
    """Add all options that are not paths: format, cleaning, held-out pairs, vocabulary."""
    # Here, so that `longspan --help` does not load pydantic.
    from longspan.training.pairs.columns import Columns
    from longspan.training.preparation.settings import (
        CleaningRules,
        PrepareSettings,
        SplitSettings,
    )
    from longspan.training.tokenizer.settings import VocabularySettings

    group = parser.add_argument_group("format")
    _add(group, "format", PrepareSettings)
    for name in _COLUMNS:
        _add(group, f"{name}_column", Columns, name, metavar="NAME")
    _add(group, "header", Columns)
    add_language_options(group)
    group = parser.add_argument_group("cleaning")
    for name in _CLEANING:
        _add(group, name, CleaningRules)
    group = parser.add_argument_group("validation and test")
    for name in _SPLITS:
        _add(group, name, SplitSettings)
    group.add_argument(
        "--no-joined",
        action="store_true",
        help=f"do not {PrepareSettings.model_fields['joined'].description}",
    )
    group = parser.add_argument_group("vocabulary")
    for option, name in _VOCABULARY.items():
        _add(group, option, VocabularySettings, name)
    _add(group, "tokenizer_pairs", PrepareSettings)


def prepare_settings(arguments: argparse.Namespace) -> "PrepareSettings":
    """Return what the options say. Raises DataError for a value that is not allowed."""
    from longspan.training.pairs.columns import Columns
    from longspan.training.preparation.settings import (
        CleaningRules,
        PrepareSettings,
        SplitSettings,
    )
    from longspan.training.tokenizer.settings import VocabularySettings

    columns = {f"{name}_column": name for name in _COLUMNS}
    others = {name: name for name in ("source_language", "target_language", "header")}
    return _of(
        arguments,
        PrepareSettings,
        {"format": "format", "tokenizer_pairs": "tokenizer_pairs"},
        columns=_of(arguments, Columns, columns | others),
        cleaning=_of(arguments, CleaningRules, {name: name for name in _CLEANING}),
        splits=_of(arguments, SplitSettings, {name: name for name in _SPLITS}),
        vocabulary=_of(arguments, VocabularySettings, _VOCABULARY),
        joined=not arguments.no_joined,
    )


def _of(
    arguments: argparse.Namespace,
    settings: "type[_Settings]",
    fields: Mapping[str, str],
    **others: Any,
) -> "_Settings":
    """Return the settings whose `fields`, by option, the arguments have."""
    values = {name: getattr(arguments, option) for option, name in fields.items()}
    return settings.named(values | others, {name: _flag(o) for o, name in fields.items()})


def _flag(option: str) -> str:
    return f"--{option.replace('_', '-')}"


def _add(
    group: "argparse._ArgumentGroup",
    option: str,
    settings: "type[Settings]",
    name: str = "",
    metavar: str = "N",
) -> None:
    """Add the option that sets the field `name` of `settings`, or of the option's own name."""
    field = settings.model_fields[name or option]
    kinds = get_args(field.annotation) or (field.annotation,)
    text = (field.description or "").replace("%", "%%")
    more: dict[str, Any] = {"default": field.default}
    choices = [c for kind in kinds for c in (get_args(kind) or [kind]) if isinstance(c, str)]
    if bool in kinds:
        more["action"] = "store_true"
    elif choices:
        more["choices"] = choices
    else:
        number = next((kind for kind in kinds if kind in (int, float)), str)
        more |= {"metavar": metavar, "type": str if str in kinds else number}
    if field.default is not None and bool not in kinds:
        text += f" (default: {field.default})"
    group.add_argument(_flag(option), help=text, **more)
