"""What every section of the config has in common: strict, frozen, and it names its mistakes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["ConfigSection", "KmsKey", "Mistake", "Place", "Variables"]

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
