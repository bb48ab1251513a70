"""The search space of tuning: ranges of hyperparameters, and the check that all of it is valid.

SageMaker has no constraints between hyperparameters, so every combination of the ranges must be
valid. Otherwise some of the paid jobs would fail at once.
https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-define-ranges.html
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from longspan.pipelines.config.section import ConfigSection
from longspan.pipelines.config.training import (
    TYPES,
    as_strings,
    joint_problem,
    own_names,
    value_mistakes,
)
from longspan.training.built_in_names import BUILT_IN_NAMES
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.mistakes import Mistake

__all__ = [
    "DEFAULT_SPACE",
    "REASONS",
    "Range",
    "SearchSpaceSection",
    "combinations",
    "is_integer",
    "space_mistakes",
]

_DEFAULTS = Hyperparameters.defaults()

# CreateHyperParameterTuningJob allows 30 ranges and 30 values of a categorical one.
_MOST = 30

# Hyperparameters that decide how long a job runs or how it is measured.
_NOT_SEARCHED = frozenset(
    {"max_minutes", "max_num_epochs", "max_num_batches", "optimized_metric", "bleu_tokenizer"}
)


class Range(ConfigSection):
    """All numbers from `min` to `max`; all integers for a hyperparameter that is an integer."""

    min: int | float = Field(description="lowest value")
    max: int | float = Field(description="highest value")
    scaling: Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"] = Field(
        "Auto", description="how values are spread over the range"
    )

    @property
    def ends(self) -> tuple[int | float, int | float]:
        """The lowest and the highest value."""
        return self.min, self.max


def _kind(values: object) -> str:
    return "list" if isinstance(values, list) else "range"


Choices = list[str | int | float | bool]
SearchSpaceSection = dict[
    str,
    Annotated[
        Annotated[Choices, Tag("list")] | Annotated[Range, Tag("range")], Discriminator(_kind)
    ],
]

# All combinations are valid: every dimension is a multiple of every number of heads.
DEFAULT_SPACE: dict[str, Any] = {
    "attention_location": ["tracking", "progress"],
    "attention_type": ["scaled_dot", "additive"],
    "attention_heads": [1, 2, 4],
    "attention_dimension": [128, 256, 512],
    "attention_dropout": {"min": 0.0, "max": 0.2},
    "coverage_mechanism": ["none", "loss"],
    "length_augmentation": {"min": 0.0, "max": 0.1},
}

# The reason for each range, from the experiments of docs/results.md; `longspan init` writes them
# above the ranges.
REASONS = {
    "attention_location": "both work over 100 words: tracking corrects itself, progress costs less",
    "attention_type": "both learn equally well; scaled_dot takes three quarters of the time",
    "attention_heads": "more than 4 gained nothing; each divides every dimension below",
    "attention_dimension": "multiples of 4; more than rnn_num_hidden rarely helps",
    "attention_dropout": "with more, the alignment of long sentences gets lost",
    "coverage_mechanism": "against lost and repeated words; recurrent is much slower, so left out",
    "length_augmentation": "0.1 makes up half of the tokens; with 0.3, short pairs learn too late",
}


def is_integer(name: str) -> bool:
    """Return whether a hyperparameter is an integer."""
    return TYPES.get(name) is int


def combinations(space: Mapping[str, Choices | Range]) -> int | None:
    """Return the number of combinations of a space; None if it has a range of numbers."""
    total = 1
    for values in space.values():
        if not isinstance(values, list):
            return None
        total *= len(values)
    return total


def space_mistakes(
    space: Mapping[str, Choices | Range], fixed: Mapping[str, Any]
) -> Iterator[Mistake]:
    """Yield the mistakes of each range; without any, those of combinations with `fixed` values."""
    if not 1 <= len(space) <= _MOST:
        yield Mistake((), f"expected 1 to {_MOST} hyperparameters to search, got {len(space)}")
        return
    found = [mistake for name in space for mistake in _range_mistakes(name, space[name])]
    yield from found
    if not found:
        yield from _combination_mistakes(space, fixed)


def _range_mistakes(name: str, values: Choices | Range) -> Iterator[Mistake]:
    if name in BUILT_IN_NAMES:
        yield Mistake(
            (name,), f"expected {BUILT_IN_NAMES[name]}, got the built-in algorithm's name for it"
        )
    elif name in _NOT_SEARCHED:
        yield Mistake(
            (name,), "cannot be searched, because it decides how jobs run; set it in training"
        )
    elif isinstance(values, list):
        yield from _choice_mistakes(name, values)
    else:
        yield from _number_mistakes(name, values)


def _choice_mistakes(name: str, values: Choices) -> Iterator[Mistake]:
    if not 1 <= len(values) <= _MOST:
        yield Mistake((name,), f"expected 1 to {_MOST} values, got {len(values)}")
    seen: set[str] = set()
    for number, value in enumerate(values):
        text = as_strings({name: value})[name]
        if text in seen:
            yield Mistake((name, number), f"{text} is in the list twice; remove one")
        seen.add(text)
        for mistake in value_mistakes({name: value}):
            yield Mistake((name, number), mistake.text)


def _number_mistakes(name: str, range_: Range) -> Iterator[Mistake]:
    if name in TYPES and TYPES[name] not in (int, float):
        yield Mistake((name,), "expected a list of values, got a range: it is not a number")
        return
    ends = dict(zip(("min", "max"), range_.ends, strict=True))
    for end, value in ends.items():
        for mistake in value_mistakes({name: value}):
            yield Mistake((name, end), mistake.text)
    if range_.min >= range_.max:
        yield Mistake((name, "min"), f"expected less than max={range_.max}, got {range_.min}")
    elif range_.scaling == "Logarithmic" and range_.min <= 0:
        yield Mistake(
            (name, "min"), f"expected more than 0 for Logarithmic scaling, got {range_.min}"
        )
    elif range_.scaling == "ReverseLogarithmic" and not (range_.min >= 0 and range_.max < 1):
        yield Mistake(
            (name, "scaling"), "ReverseLogarithmic scaling needs a range from at least 0 to below 1"
        )
    elif range_.scaling == "ReverseLogarithmic" and is_integer(name):
        yield Mistake((name, "scaling"), "ReverseLogarithmic scaling is not for integers")


def _combination_mistakes(
    space: Mapping[str, Choices | Range], fixed: Mapping[str, Any]
) -> Iterator[Mistake]:
    """Yield the first combination of each kind that a job would refuse."""
    static = {name: value for name, value in own_names(fixed).items() if name not in space}

    def values(name: str) -> Sequence[Any]:
        return _values(space[name]) if name in space else [static.get(name, _DEFAULTS[name])]

    # Heads and dimension only matter if some combination has attention.
    attended = [kind for kind in values("attention_type") if kind != "none"]
    if attended:
        for heads, dimension in itertools.product(
            values("attention_heads"), values("attention_dimension")
        ):
            if int(dimension) % int(heads):
                name = "attention_heads" if "attention_heads" in space else "attention_dimension"
                yield Mistake(
                    (name,) if name in space else (),
                    f"attention_heads={heads} does not divide attention_dimension={dimension}; "
                    "remove one of the two, because every combination must be valid",
                )
                return
    if "rnn_num_hidden" in space and any(int(n) % 2 for n in values("rnn_num_hidden")):
        yield Mistake(
            ("rnn_num_hidden",),
            "expected even numbers, got odd ones in the range; give a list of even ones",
        )
        return
    for name in ("transformer_heads", "transformer_num_hidden"):
        if not isinstance(space.get(name, []), list) and "transformer" in values("architecture"):
            yield Mistake(
                (name,),
                "the range holds numbers that are not allowed; give a list of those that are",
            )
            return
    yield from _other_mistakes(space, static, bool(attended))


def _other_mistakes(
    space: Mapping[str, Choices | Range], static: Mapping[str, Any], attended: bool
) -> Iterator[Mistake]:
    """Yield the first mistake against other constraints; of ranges only the ends are checked."""
    related = [name for name in _RELATED if name in space]
    for chosen in itertools.product(*(_ends(space[name]) for name in related)):
        values = {**static, **dict(zip(related, chosen, strict=True))}
        if attended or "attention_heads" in space or "attention_dimension" in space:
            # `_combination_mistakes` has checked heads and dimension for all values.
            values |= {"attention_heads": 1}
        problem = joint_problem(values)
        if problem is not None:
            named = [name for name in related if problem.startswith(f"{name}=")]
            yield Mistake(tuple((named or related)[:1]), problem)
            return


# Hyperparameters with constraints between them, besides heads and dimension.
_RELATED = (
    "attention_type",
    "attention_location",
    "coverage_mechanism",
    "coverage_penalty",
    "architecture",
    "input_feeding",
    "transformer_heads",
    "transformer_num_hidden",
    "tie_embeddings",
    "num_embed_source",
    "num_embed_target",
    "batch_size",
    "batch_tokens",
)


def _values(values: Choices | Range) -> Sequence[Any]:
    if isinstance(values, list):
        return values
    return range(int(values.min), int(values.max) + 1)


def _ends(values: Choices | Range) -> Sequence[Any]:
    return values if isinstance(values, list) else values.ends
