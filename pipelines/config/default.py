"""The config that a command works with when none is named."""

from pathlib import Path

from longspan.pipelines.config.config import Config
from longspan.pipelines.config.reading import DEFAULT_FILE, load_config, parse_config
from longspan.pipelines.config.template import template

__all__ = ["load_config_or_sample"]


def load_config_or_sample(path: Path | None) -> Config:
    """The file; without one `longspan.yaml` if that is there, else the generated sample's.

    Raises ConfigError.
    """
    if path is None and not Path(DEFAULT_FILE).is_file():
        return parse_config(template(), "the sample's config")
    return load_config(path or Path(DEFAULT_FILE))
