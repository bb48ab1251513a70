"""The base of all sections of the config, and the mistakes that they report."""

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

# An ARN, the id of a key or an alias, as in CreateTrainingJob's VolumeKmsKeyId.
KmsKey = Annotated[str, Field(pattern=r"^[a-zA-Z0-9:/_-]{1,2048}$")]

# Environment variables of a container.
Variables = dict[
    Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,255}$")],
    Annotated[str, Field(max_length=1024)],
]


class ConfigSection(Values):
    """A section of the config: values whose texts are not empty, with checks between fields."""

    model_config = ConfigDict(str_min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _default_where_empty(cls, values: Any) -> Any:
        """Use the defaults of a section that holds only comments, which YAML reads as null."""
        if not isinstance(values, dict):
            return values
        factories = {n for n, field in cls.model_fields.items() if field.default_factory}
        return {n: v for n, v in values.items() if v is not None or n not in factories}

    def mistakes(self) -> Iterator[Mistake]:
        """Yield mistakes that the types of the fields do not exclude; sections override it."""
        yield from ()


class ConfigError(LongspanError):
    """A config with mistakes: `lines` holds a line for each of them, `str` the first one."""

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
    """Return the line of a value, or of the nearest section around it that the file has."""
    for length in range(len(place), 0, -1):
        if place[:length] in line_numbers:
            return line_numbers[place[:length]]
    return None
