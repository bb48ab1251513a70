"""What a request may say of its search, and the profiles that it starts from."""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from longspan.inference.refusals import BadRequest
from longspan.inference.search.settings import SearchSettings
from longspan.training.errors import HyperparameterError
from longspan.training.hyperparameters import Hyperparameters

__all__ = ["PROFILES", "SPLITS", "Options", "Profiles"]

PROFILES = ("fast", "quality")
SPLITS = ("auto", "sentences", "never")

# More than helps any translation, and less than fills a machine's memory.
_WIDEST_BEAM = 64
_LONGEST_OUTPUT = 20_000


@dataclass(frozen=True)
class _Rule:
    """`kind` is the JSON type that is asked for: integer, number, boolean or string."""

    kind: str
    low: float = 0.0
    high: float = math.inf
    choices: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        if self.choices:
            return " | ".join(self.choices)
        if self.kind == "boolean":
            return "true | false"
        article = "an" if self.kind == "integer" else "a"
        return f"{article} {self.kind} from {self.low:g} to {self.high:g}"


def _option(rule: _Rule, text: str) -> Any:
    return field(default=None, metadata={"rule": rule, "help": text})


@dataclass(frozen=True)
class Options:
    """What one text's request says; None is: as the profile has it."""

    profile: str | None = _option(
        _Rule("string", choices=PROFILES), "fast: greedy; quality: beam search with penalties"
    )
    beam_size: int | None = _option(_Rule("integer", 1, _WIDEST_BEAM), "hypotheses; 1 is greedy")
    length_penalty: float | None = _option(_Rule("number", 0, 10), "alpha of Wu et al. 2016")
    coverage_penalty: float | None = _option(
        _Rule("number", 0, 10), "beta of Wu et al. 2016; needs a model with attention"
    )
    no_repeat_ngram_size: int | None = _option(
        _Rule("integer", 0, 100),
        "tokens in a row that come once at most; 0: any number of times",
    )
    n_best: int | None = _option(_Rule("integer", 1, _WIDEST_BEAM), "best translations wanted")
    alignment: bool | None = _option(_Rule("boolean"), "the attention weights, target by source")
    max_length: int | None = _option(
        _Rule("integer", 1, _LONGEST_OUTPUT), "most target tokens of a part, its end counted"
    )
    max_length_factor: float | None = _option(
        _Rule("number", 0.1, 20), "most target tokens, as so many times the source's"
    )
    split: str | None = _option(
        _Rule("string", choices=SPLITS),
        "at sentence ends: auto: where the text is beyond the limit; sentences: always; "
        "never: refuse such a text",
    )

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> "Options":
        """From JSON values.

        Raises BadRequest naming the option, its value and what is allowed.
        """
        known = {f.name: f.metadata["rule"] for f in fields(cls)}
        for name in values:
            if name not in known:
                raise BadRequest(_unknown(name, list(known)))
        return cls(**{name: _parse(name, value, known[name]) for name, value in values.items()})

    @classmethod
    def describe(cls) -> dict[str, dict[str, Any]]:
        """The JSON schema of each option by name."""
        return {f.name: _schema(f.metadata["rule"], f.metadata["help"]) for f in fields(cls)}


@dataclass(frozen=True)
class Profiles:
    """The search of each profile, for one model."""

    fast: SearchSettings
    quality: SearchSettings
    default: str = "quality"

    @classmethod
    def of(cls, hyperparameters: Hyperparameters, default: str = "quality") -> "Profiles":
        """`quality` is what the model was tuned with, at beam 5 or more; `fast` is greedy."""
        own = SearchSettings.from_hyperparameters(hyperparameters)
        return cls(
            fast=replace(own, beam_size=1, length_penalty=0.0, coverage_penalty=0.0),
            quality=replace(own, beam_size=max(5, own.beam_size)),
            default=default,
        )

    def settings(self, options: Options, *, has_attention: bool) -> SearchSettings:
        """The search for one text. Raises BadRequest for options that do not go together."""
        base = self.fast if (options.profile or self.default) == "fast" else self.quality
        given = {
            name: getattr(options, name)
            for name in (
                "beam_size", "length_penalty", "coverage_penalty", "no_repeat_ngram_size",
                "n_best", "max_length", "max_length_factor",
            )
            if getattr(options, name) is not None
        }  # fmt: skip
        if options.beam_size is None and (options.n_best or 1) > base.beam_size:
            given["beam_size"] = options.n_best
        if options.coverage_penalty and not has_attention:
            raise BadRequest(
                f"coverage_penalty={options.coverage_penalty:g}: needs attention weights, and this "
                "model has no attention; leave it out"
            )
        if options.alignment and not has_attention:
            raise BadRequest("alignment=true: this model has no attention; leave it out")
        try:
            return replace(base, with_alignment=bool(options.alignment), **given)
        except HyperparameterError as error:
            raise BadRequest(str(error)) from None


def _parse(name: str, value: Any, rule: _Rule) -> Any:
    if not _fits(value, rule):
        raise BadRequest(f"{name}={_shown(value)}: allowed: {rule.allowed}")
    return float(value) if rule.kind == "number" else value


def _fits(value: Any, rule: _Rule) -> bool:
    if rule.kind == "string":
        return isinstance(value, str) and value in rule.choices
    if rule.kind == "boolean":
        return isinstance(value, bool)
    kinds = (int,) if rule.kind == "integer" else (int, float)
    return (
        isinstance(value, kinds)
        and not isinstance(value, bool)
        and rule.low <= value <= rule.high  # not a number is in no range
    )


def _schema(rule: _Rule, text: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": rule.kind, "description": text}
    if rule.choices:
        schema["enum"] = list(rule.choices)
    if rule.kind in ("integer", "number"):
        schema |= {"minimum": rule.low, "maximum": rule.high}
    return schema


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{_shown(name)}: expected one of {', '.join(known)}{hint}"
