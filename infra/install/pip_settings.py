"""pip's settings, from its files and environment variables, translated for uv."""

import ast
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PipSettings"]

# Sections for `pip install`; a later section overrides an earlier one.
_SECTIONS = ("global", "install", ":env:")
_TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})
# pip's option, uv's variables, and the separator of several values in them.
_NAMES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("index-url", ("UV_DEFAULT_INDEX",), ""),
    ("extra-index-url", ("UV_INDEX",), " "),
    ("find-links", ("UV_FIND_LINKS",), ","),
    ("constraint", ("UV_CONSTRAINT",), " "),
    ("trusted-host", ("UV_INSECURE_HOST",), " "),
    ("cert", ("SSL_CERT_FILE",), ""),
    ("client-cert", ("SSL_CLIENT_CERT",), ""),
    ("proxy", ("HTTP_PROXY", "HTTPS_PROXY"), ""),
    ("default-timeout", ("UV_HTTP_TIMEOUT",), ""),
    ("timeout", ("UV_HTTP_TIMEOUT",), ""),
    ("retries", ("UV_HTTP_RETRIES",), ""),
    ("cache-dir", ("UV_CACHE_DIR",), ""),
)


@dataclass(frozen=True)
class PipSettings:
    """Values of pip's long options by name, such as `index-url`, as strings."""

    values: Mapping[str, str]

    @classmethod
    def read(cls, python: Path) -> "PipSettings":
        """Read the settings of `python`'s pip. Raises CalledProcessError for broken settings."""
        command = [str(python), "-m", "pip", "config", "list"]
        return cls.parse(
            subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        )

    @classmethod
    def parse(cls, listed: str) -> "PipSettings":
        """Return the settings in the output of `pip config list`: SECTION.NAME='VALUE'."""
        found: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
        for line in listed.splitlines():
            place, _, value = line.partition("=")
            section, _, name = place.rpartition(".")
            if section in found:
                found[section][name] = str(ast.literal_eval(value))
        # `found` has the order of _SECTIONS, so values of later sections win.
        return cls({name: value for part in found.values() for name, value in part.items()})

    def for_uv(self) -> dict[str, str]:
        """Return uv's environment variables for these settings."""
        variables = {"UV_INDEX_STRATEGY": "unsafe-best-match"}  # as in pip: no index has priority
        for name, theirs, between in _NAMES:
            if value := self.values.get(name):
                joined = between.join(value.split()) if between else value
                variables.update(dict.fromkeys(theirs, joined))
        return variables

    def options_for_uv(self) -> list[str]:
        """Return uv's options for settings without an environment variable."""
        return ["--no-index"] if self.values.get("no-index", "").lower() in _TRUE else []
