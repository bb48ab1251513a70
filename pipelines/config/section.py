"""What every section of the config has in common: strict, frozen, and it names its mistakes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import ConfigDict, Field, model_validator

from longspan.training.errors import LongspanError
from longspan.training.mistakes import Mistake, Place
from longspan.training.values import Values

__all__ = [
    "ConfigError",
    "ConfigSection",
    "KmsKey",
    "Variables",
    "nearest_line",
]

# An ARN, a key's id or an alias, as CreateTrainingJob's VolumeKmsKeyId takes it.
KmsKey = Annotated[str, Field(pattern=r"^[a-zA-Z0-9:/_-]{1,2048}$")]

# Environment variables of a container.
Variables = dict[
    Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,255}$")],
    Annotated[str, Field(max_length=1024)],
]


class ConfigSection(Values):
    """A section of the config, whose texts are not empty, with what its types cannot check."""

    model_config = ConfigDict(str_min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _default_where_empty(cls, values: Any) -> Any:
        """Take `null` for defaults: what YAML has for a section that holds only comments."""
        if not isinstance(values, dict):
            return values
        factories = {n for n, field in cls.model_fields.items() if field.default_factory}
        return {n: v for n, v in values.items() if v is not None or n not in factories}

    def mistakes(self) -> Iterator[Mistake]:
        """Yield what the types of the fields cannot say; nothing unless a section defines it."""
        yield from ()


class ConfigError(LongspanError):
    """A config that cannot be used; `lines` has all of its mistakes, `str` the first one."""

    def __init__(
        self,
        mistakes: Sequence[Mistake],
        source: str = "config",
        line_numbers: Mapping[Place, int] | None = None,
    ) -> None:
        self.mistakes = tuple(mistakes)
        self.lines = tuple(_line(m, source, line_numbers or {}) for m in self.mistakes)
        more = len(self.lines) - 1
        hint = f" (and {more} more: longspan validate shows all)" if more else ""
        super().__init__(self.lines[0] + hint)


def _line(mistake: Mistake, source: str, line_numbers: Mapping[Place, int]) -> str:
    number = nearest_line(mistake.place, line_numbers)
    return f"{source}:{number}: {mistake}" if number else f"{source}: {mistake}"


def nearest_line(place: Place, line_numbers: Mapping[Place, int]) -> int | None:
    """Return the line of the value, or of the nearest one around it that the file has."""
    for length in range(len(place), 0, -1):
        if place[:length] in line_numbers:
            return line_numbers[place[:length]]
    return None
