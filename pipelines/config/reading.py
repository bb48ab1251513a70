"""Read `longspan.yaml`, and report all mistakes of the file at once, each with its line."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from longspan.pipelines.config.config import Config
from longspan.pipelines.config.section import ConfigError, nearest_line
from longspan.pipelines.config.template import section_of, template
from longspan.pipelines.config.yaml_lines import parse_yaml
from longspan.training.mistakes import Mistake, Place, mistakes_of

__all__ = ["DEFAULT_FILE", "load_config", "load_config_or_sample", "parse_config"]

DEFAULT_FILE = Path("longspan.yaml")


def load_config(path: Path = DEFAULT_FILE) -> Config:
    """Return the config of a file. Raises ConfigError with all of its mistakes."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        hint = "" if path.suffix else "; expected the name of a file"
        raise ConfigError(
            [Mistake((), f"no such file: `longspan init {path}` writes one{hint}")], str(path)
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Mistake((), f"expected a text file: {error}")], str(path)) from error
    return parse_config(text, str(path))


def load_config_or_sample(path: Path | None) -> Config:
    """Return the config of `path`, of `longspan.yaml` if it exists, or of the generated sample.

    Raises ConfigError with all mistakes of the file.
    """
    if path is None and not DEFAULT_FILE.is_file():
        return parse_config(template(), "the sample's config")
    return load_config(path or DEFAULT_FILE)


def parse_config(text: str, source: str = "config") -> Config:
    """Return the config of a YAML text. Raises ConfigError with all of its mistakes.

    `source` is the name of the text in messages.
    """
    parsed = parse_yaml(text)
    lines = parsed.line_numbers
    if parsed.mistakes:
        raise ConfigError(parsed.mistakes, source, lines)
    if not isinstance(parsed.value, dict):
        kind = type(parsed.value).__name__
        raise ConfigError(
            [Mistake((), f"expected sections such as data: and training:, got a {kind}")], source
        )
    try:
        return Config.model_validate(parsed.value)
    except ConfigError as error:
        # From `Config.mistakes`, which runs when all values have the right form.
        raise ConfigError(error.mistakes, source, lines) from None
    except ValidationError as error:
        mistakes = mistakes_of(error, Config)
        mistakes += _mistakes_of_sound_sections(parsed.value, mistakes)
        raise ConfigError(_in_order(mistakes, lines), source, lines) from None


def _mistakes_of_sound_sections(
    values: Mapping[str, Any], found: list[Mistake]
) -> Iterator[Mistake]:
    """Yield the mistakes of sections of the right form, although others have a wrong form."""
    unsound = {mistake.place[0] for mistake in found if mistake.place}
    for name, field in Config.model_fields.items():
        section = section_of(field.annotation)
        if section is not None and values.get(name) is not None and name not in unsound:
            for mistake in section.model_validate(values[name]).mistakes():
                yield mistake.below(name)


def _in_order(mistakes: list[Mistake], lines: Mapping[Place, int]) -> list[Mistake]:
    return sorted(mistakes, key=lambda mistake: nearest_line(mistake.place, lines) or 0)
