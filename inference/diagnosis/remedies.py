"""Remedies: settings that help against a symptom, given the settings of a model.

A setting that the model has already is not advised; where a stronger value exists, that is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from longspan.training.hyperparameters import Hyperparameters

__all__ = ["REMEDIES", "advice"]

_WITHOUT_TRAINING = "without training again: "
_NOTHING_LEFT = (
    "what usually helps is set already; train longer, on more pairs, or on longer examples"
)


@dataclass(frozen=True)
class _Case:
    """A model's settings, and the most source tokens of the texts that it translates."""

    settings: Hyperparameters
    longest: int

    @property
    def attends(self) -> bool:
        return self.settings.attention_type != "none"


def _attention(case: _Case) -> str | None:
    if case.attends:
        return None
    return (
        "attention_type=scaled_dot with attention_location=tracking: without attention one vector "
        "carries the whole sentence"
    )


def _location(case: _Case) -> str | None:
    if not case.attends:
        return None
    tracks = case.settings.attention_location == "tracking"
    return None if tracks else "attention_location=tracking"


def _augmentation(case: _Case) -> str | None:
    s = case.settings
    if not s.length_augmentation:
        return (
            f"length_augmentation=0.1, length_augmentation_max={case.longest} and "
            "length_curriculum=3"
        )
    if min(s.length_augmentation_max, s.max_seq_len_source) < case.longest:
        name = "length_augmentation_max"
        if s.max_seq_len_source < s.length_augmentation_max:
            name = "max_seq_len_source"
        return f"{name}={case.longest}, which is {getattr(s, name)}"
    return None


def _coverage(case: _Case) -> str | None:
    needed = case.attends and case.settings.coverage_mechanism == "none"
    return "coverage_mechanism=loss" if needed else None


def _window(case: _Case) -> str | None:
    s = case.settings
    if s.architecture != "transformer" or s.transformer_window:
        return None
    return "transformer_window=16: self-attention looks no farther than it has learned to"


def _sharper(case: _Case) -> str | None:
    s = case.settings
    parts = []
    if s.attention_type not in ("none", "scaled_dot", "additive"):
        parts.append("attention_type=scaled_dot")
    if s.attention_heads > 4:
        parts.append(f"attention_heads=4, which is {s.attention_heads}")
    if s.attention_dropout > 0.1:
        parts.append(f"attention_dropout=0.1, which is {s.attention_dropout:g}")
    return ", ".join(parts) or None


def _coverage_penalty(case: _Case) -> str | None:
    needed = case.attends and case.settings.coverage_penalty < 0.05
    return f"{_WITHOUT_TRAINING}--coverage-penalty 0.05 when translating" if needed else None


def _no_repeats(case: _Case) -> str | None:
    if case.settings.no_repeat_ngram_size:
        return None
    return f"{_WITHOUT_TRAINING}--no-repeat-ngram-size 4 when translating"


def _longer(case: _Case) -> str | None:
    needed = case.settings.length_penalty < 1
    return f"{_WITHOUT_TRAINING}--length-penalty 1.0 when translating" if needed else None


def _shorter(case: _Case) -> str | None:
    needed = case.settings.length_penalty > 0.2
    return f"{_WITHOUT_TRAINING}--length-penalty 0.2 when translating" if needed else None


def _limit(case: _Case) -> str | None:
    return "if they do not only repeat themselves: a larger --max-length-factor when translating"


REMEDIES: Mapping[str, Callable[[_Case], str | None]] = {
    "attention": _attention,
    "location": _location,
    "augmentation": _augmentation,
    "coverage": _coverage,
    "window": _window,
    "sharper": _sharper,
    "coverage penalty": _coverage_penalty,
    "no repeats": _no_repeats,
    "longer": _longer,
    "shorter": _shorter,
    "limit": _limit,
}


def advice(names: Sequence[str], settings: Hyperparameters, longest: int) -> tuple[str, ...]:
    """Return what to try, from the remedies `names` in their order.

    `settings` are those of the training, with the penalties of the search. `longest` is the most
    source tokens of a text.
    """
    case = _Case(settings, longest)
    found = tuple(text for name in names if (text := REMEDIES[name](case)))
    return found or (_NOTHING_LEFT,)
