"""The config `longspan.yaml`: its sections, its reader, and a commented template."""

from longspan.pipelines.config.config import Config
from longspan.pipelines.config.own_corpus import OwnCorpus, measure_files
from longspan.pipelines.config.reading import (
    DEFAULT_FILE,
    load_config,
    load_config_or_sample,
    parse_config,
)
from longspan.pipelines.config.section import ConfigError
from longspan.pipelines.config.template import own_template, template

__all__ = [
    "DEFAULT_FILE",
    "Config",
    "ConfigError",
    "OwnCorpus",
    "load_config",
    "load_config_or_sample",
    "measure_files",
    "own_template",
    "parse_config",
    "template",
]
