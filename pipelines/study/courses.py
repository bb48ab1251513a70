"""The courses of action that people try against bad translations of long sentences.

Each course changes one thing in the same model without attention (`rnn_attention_type=fixed` of
the built-in algorithm): n-gram preprocessing, a larger network, attention, another weight
initialisation, larger batches. All courses have the same data, seeds, length augmentation, length
penalty of the search, and number of target tokens to train on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from longspan.pipelines.config import Config
from longspan.pipelines.config.training import joint_problem, own_names
from longspan.training.errors import HyperparameterError
from longspan.training.hyperparameters import Hyperparameters

__all__ = ["BASELINE_COURSE", "Course", "courses"]

BASELINE_COURSE = "fixed"
_LARGER = 2
_BATCHES = 4
_DEFAULTS = Hyperparameters()
# Hyperparameters of every course except attention.
_NO_ATTENTION: Mapping[str, Any] = {
    "attention_type": "none",
    "attention_location": "none",
    "coverage_mechanism": "none",
    "coverage_penalty": 0.0,
}
# Values from the experiments of docs/results.md; the config's values win.
_COMMON: Mapping[str, Any] = {"length_penalty": 1.0}
_ATTENTION: Mapping[str, Any] = {
    "attention_type": "scaled_dot",
    "attention_location": "tracking",
    "coverage_penalty": 0.05,
}


@dataclass(frozen=True)
class Course:
    """One course: `name` is part of step names, `title` is its name in the results.

    `batches` is the size of its batches as a multiple of the other courses'.
    """

    name: str
    title: str
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    ngrams: bool = False
    batches: int = 1


def courses(config: Config) -> tuple[Course, ...]:
    """Return the baseline and the five courses for the config's `training.hyperparameters`.

    Raises HyperparameterError if a course cannot be trained with them.
    """
    # The later one wins: the config's values over those of the experiments, and the absence of
    # attention over the config's.
    given = {**_COMMON, **_sizes(config), **own_names(config.training.hyperparameters)}
    fixed = {**given, **_NO_ATTENTION}
    attention = {**_ATTENTION, **given}
    # The config may train without attention, which this course is about.
    if attention["attention_type"] == "none":
        attention["attention_type"] = _ATTENTION["attention_type"]
    found = (
        Course(BASELINE_COURSE, "fixed vector (baseline)", fixed),
        Course("ngrams", "n-gram preprocessing", fixed, ngrams=True),
        Course("larger", "larger network", fixed | _larger(given)),
        Course("attention", "attention", attention),
        Course("weights", "other weight initialisation", fixed | _other_weights(given)),
        Course("batch", "larger batches", fixed | _larger_batches(given), batches=_BATCHES),
    )
    for course in found:
        problem = joint_problem(course.hyperparameters)
        if problem is not None:
            raise HyperparameterError(
                f"course {course.name}: {problem}; correct training.hyperparameters of the config"
            )
    return found


def _sizes(config: Config) -> dict[str, Any]:
    """Return the attention's sizes for which the search space has a list: the first of each."""
    sizes = {}
    for name in ("attention_heads", "attention_dimension"):
        values = config.tuning.search_space.get(name)
        if isinstance(values, list):
            sizes[name] = values[0]
    return sizes


def _larger(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return twice the units, and one more layer on each side."""
    transformer = _value(given, "architecture") == "transformer"
    size = "transformer_num_hidden" if transformer else "rnn_num_hidden"
    layers = ("num_layers_encoder", "num_layers_decoder")
    return {
        size: _LARGER * int(_value(given, size)),
        **{name: int(_value(given, name)) + 1 for name in layers},
    }


def _other_weights(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return uniform weights in +-0.08 (Sutskever et al. 2014) for Xavier, and the reverse."""
    if _value(given, "weight_init_type") == "xavier":
        return {"weight_init_type": "uniform", "weight_init_scale": 0.08}
    return {"weight_init_type": "xavier", "weight_init_scale": 2.34}


def _larger_batches(given: Mapping[str, Any]) -> dict[str, Any]:
    if _value(given, "batch_size") is not None:
        return {"batch_size": _BATCHES * int(given["batch_size"])}
    tokens = given.get("batch_tokens") or Hyperparameters.DEFAULT_BATCH_TOKENS
    return {"batch_tokens": _BATCHES * int(tokens)}


def _value(given: Mapping[str, Any], name: str) -> Any:
    return given.get(name, getattr(_DEFAULTS, name))
