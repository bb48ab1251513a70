"""The config that a command works with when none is named."""

from pathlib import Path

from longspan.pipelines.config.config import Config
from longspan.pipelines.config.reading import DEFAULT_FILE, load_config, parse_config
from longspan.pipelines.config.template import template

__all__ = ["load_config_or_sample", "uses_sample"]


def load_config_or_sample(path: Path | None) -> Config:
    """The file; without one `longspan.yaml` if that is there, else the generated sample's.

    Raises ConfigError.
    """
    if uses_sample(path):
        return parse_config(template(), "the sample's config")
    return load_config(path or Path(DEFAULT_FILE))


def uses_sample(path: Path | None) -> bool:
    """Whether there is no config, neither named nor by its usual name."""
    return path is None and not Path(DEFAULT_FILE).is_file()
