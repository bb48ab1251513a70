"""What every section of the config has in common: strict, frozen, and it names its mistakes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from longspan.training.errors import LongspanError

__all__ = [
    "ConfigError",
    "ConfigSection",
    "KmsKey",
    "Mistake",
    "Place",
    "Variables",
    "nearest_line",
]

# Where a value stands in the file: names of keys, numbers of list items.
Place = tuple[str | int, ...]

# An ARN, a key's id or an alias, as CreateTrainingJob's VolumeKmsKeyId takes it.
KmsKey = Annotated[str, Field(pattern=r"^[a-zA-Z0-9:/_-]{1,2048}$")]

# Environment variables of a container.
Variables = dict[
    Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,255}$")],
    Annotated[str, Field(max_length=1024)],
]


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong; `path` is relative to whatever found it."""

    path: Place
    text: str

    def below(self, name: str) -> "Mistake":
        """The same mistake, seen from the section that holds this one as `name`."""
        return Mistake((name, *self.path), self.text)


class ConfigSection(BaseModel):
    """A part of the config: unknown keys are refused, a text is never taken for a number."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, str_min_length=1, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _default_where_empty(cls, values: Any) -> Any:
        """A section that holds nothing but comments is `null` to YAML: all of its defaults."""
        if not isinstance(values, dict):
            return values
        factories = {n for n, field in cls.model_fields.items() if field.default_factory}
        return {n: v for n, v in values.items() if v is not None or n not in factories}

    def mistakes(self) -> Iterator[Mistake]:
        """What the types of the fields cannot say; none unless a section defines it."""
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
    number = nearest_line(mistake.path, line_numbers)
    place = f"{source}:{number}" if number else source
    name = _dotted(mistake.path)
    return f"{place}: {name}: {mistake.text}" if name else f"{place}: {mistake.text}"


def nearest_line(path: Place, line_numbers: Mapping[Place, int]) -> int | None:
    """The line of the value, or of the nearest one around it that the file has."""
    for length in range(len(path), 0, -1):
        if path[:length] in line_numbers:
            return line_numbers[path[:length]]
    return None


def _dotted(path: Place) -> str:
    """`data.pairs[1]`, as the value would be written."""
    text = ""
    for part in path:
        text += f".{part}" if isinstance(part, str) else f"[{part}]"
    return text.removeprefix(".")
