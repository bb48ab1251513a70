"""Options of a request, and the profiles whose search they change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

from pydantic import Field
from pydantic.fields import FieldInfo

from longspan.inference.refusals import BadRequest, TooLong
from longspan.inference.search.settings import SearchSettings
from longspan.inference.translation.parts import SplitText
from longspan.training.errors import HyperparameterError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.values import Settings

__all__ = ["MOST_CELLS", "PROFILES", "Options", "Profile", "Profiles", "check_cells"]

Profile = Literal["fast", "quality"]
PROFILES: tuple[Profile, ...] = get_args(Profile)

MOST_CELLS = 25_000_000  # of the alignments of a request; each is up to seven bytes of JSON

# More than helps any translation, and less than fills the memory of a machine.
_WIDEST_BEAM = 64
_LONGEST_OUTPUT = 20_000


class Options(Settings):
    """Options of one text; None where the profile decides.

    Raises BadRequest naming the option, its value and what is allowed.
    """

    refusal: ClassVar[type[Exception]] = BadRequest
    null: ClassVar[str] = ""

    profile: Profile | None = Field(
        None, description="fast: greedy; quality: beam search with penalties"
    )
    beam_size: int | None = Field(
        None, ge=1, le=_WIDEST_BEAM, description="hypotheses; 1 is greedy"
    )
    length_penalty: float | None = Field(None, ge=0, le=10, description="alpha of Wu et al. 2016")
    coverage_penalty: float | None = Field(
        None, ge=0, le=10, description="beta of Wu et al. 2016; needs a model with attention"
    )
    no_repeat_ngram_size: int | None = Field(
        None, ge=0, le=100, description="n of the n-grams that come once at most; 0 allows repeats"
    )
    n_best: int | None = Field(None, ge=1, le=_WIDEST_BEAM, description="best translations wanted")
    alignment: bool | None = Field(None, description="the attention weights, target by source")
    check: bool | None = Field(
        None, description="spans of the text that are not translated, and spans translated twice"
    )
    repair: bool | None = Field(
        None, description="check, and translate or remove such spans where that scores better"
    )
    min_length: int | None = Field(
        None,
        ge=0,
        le=_LONGEST_OUTPUT,
        description="least target tokens of a part, its end not counted",
    )
    max_length: int | None = Field(
        None, ge=1, le=_LONGEST_OUTPUT, description="most target tokens of a part, its end counted"
    )
    max_length_factor: float | None = Field(
        None, ge=0.1, le=20, description="most target tokens, as so many times the source's"
    )
    split: Literal["auto", "sentences", "never"] | None = Field(
        None,
        description="at sentence ends: auto: where the text is beyond the limit; sentences: "
        "always; never: refuse such a text",
    )

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> "Options":
        """Return the options of JSON values, of which none may be null. Raises BadRequest."""
        for name, field in cls.model_fields.items():
            if values.get(name, field) is None:
                from longspan.training.mistakes import allowed_values

                expected = allowed_values(field, cls.null)
                raise BadRequest(f"{name}: expected {expected}, got null; leave it out")
        return cls(**values)

    @property
    def checks(self) -> bool:
        """Whether the answer has an account of the translation."""
        return bool(self.check or self.repair)

    @classmethod
    def schemas(cls) -> dict[str, dict[str, Any]]:
        """Return the JSON schema of each option by name."""
        return {name: _schema(field) for name, field in cls.model_fields.items()}


@dataclass(frozen=True)
class Profiles:
    """The search of each profile, for one model."""

    fast: SearchSettings
    quality: SearchSettings
    default: Profile = "quality"

    @classmethod
    def of(cls, hyperparameters: Hyperparameters, default: Profile = "quality") -> "Profiles":
        """Return `quality`, the tuned search with beam 5 or more, and `fast`, greedy search."""
        own = SearchSettings.from_hyperparameters(hyperparameters)
        return cls(
            # A single hypothesis has no rival: penalties would only change its score.
            fast=own.replace(beam_size=1, length_penalty=0.0, coverage_penalty=0.0),
            quality=own.replace(beam_size=max(5, own.beam_size)),
            default=default,
        )

    def settings(self, options: Options, *, has_attention: bool) -> SearchSettings:
        """Return the search for one text. Raises BadRequest for options that exclude each other."""
        base = self.fast if (options.profile or self.default) == "fast" else self.quality
        given = {
            name: value
            for name, value in vars(options).items()
            if value is not None and name in SearchSettings.model_fields
        }
        # A beam has as many hypotheses as its size, so more translations need a wider one.
        if options.beam_size is None and (options.n_best or 1) > base.beam_size:
            given["beam_size"] = options.n_best
        if options.coverage_penalty and not has_attention:
            raise BadRequest(
                f"coverage_penalty={options.coverage_penalty:g}: expected a model with attention, "
                "got one without; leave it out"
            )
        if options.alignment and not has_attention:
            raise BadRequest(
                "alignment=true: expected a model with attention, got one without; leave it out"
            )
        if options.alignment:
            given["with_alignment"] = True
        try:
            return base.replace(**given) if given else base
        except HyperparameterError as error:
            raise BadRequest(str(error)) from None


def check_cells(asked: Iterable[tuple[Options, SplitText]]) -> None:
    """Check the size of the alignments that a request asks for, before anything is translated.

    An alignment has a row for each token of the translation and a column for each of the source,
    and the two are about as many: a text of n tokens has n squared cells. Raises TooLong where the
    alignments of the request together have more than `MOST_CELLS`.
    """
    cells = sum(_cells(options, parts) for options, parts in asked if options.alignment)
    if cells > MOST_CELLS:
        raise TooLong(
            f"alignment: expected at most {MOST_CELLS:,} cells (source tokens squared, times "
            f"n_best), got {cells:,}; ask for it with less text at a time"
        )


def _cells(options: Options, parts: SplitText) -> int:
    return sum(len(part.ids) for part in parts.parts) ** 2 * (options.n_best or 1)


_TYPES = {bool: "boolean", int: "integer", float: "number"}


def _schema(field: FieldInfo) -> dict[str, Any]:
    """Return the JSON schema of one option."""
    kind, *_ = get_args(field.annotation)
    schema: dict[str, Any] = {"type": _TYPES.get(kind, "string")}
    schema["description"] = field.description
    if kind not in _TYPES:
        schema["enum"] = list(get_args(kind))
    for one in field.metadata:
        schema |= {"minimum": one.ge} if hasattr(one, "ge") else {"maximum": one.le}
    return schema
