"""Requirements of the gate: the figures that each one checks, and its message if it is not met.

The conditions and fail steps of the pipeline are built from them. `longspan run` uses them to list
everything that a model lacks, because the first fail step may end the execution.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from longspan.pipelines.config import Config
from longspan.training.buckets import MEDIUM

__all__ = ["Requirement", "requirements_of", "unmet"]


@dataclass(frozen=True)
class Requirement:
    """Each of `figures`, of `evaluation.json`'s `gate`, must be at least `minimum`.

    `minimum` is a name in `GateSection.minimums`. `text` is a message with names of figures and of
    minimums in braces. `unless_below`, a figure and a minimum, waives the requirement where the
    figure is less than the minimum.
    """

    name: str
    minimum: str
    figures: tuple[str, ...]
    text: str
    unless_below: tuple[str, str] | None = None

    def message(self, value_of: Callable[[str], Any]) -> list[Any]:
        """Return the parts of the message, with `value_of(name)` for each name in braces."""
        parts: list[Any] = []
        # The parser yields each piece of text with the name in braces that follows it.
        for literal, name, _, _ in Formatter().parse(self.text):
            parts += [literal] if literal else []
            parts += [value_of(name)] if name else []
        return parts

    def met(self, figures: Mapping[str, float], minimums: Mapping[str, float]) -> bool:
        """Return whether a model with these figures meets the requirement."""
        if self.unless_below is not None:
            figure, least = self.unless_below
            if figures[figure] < minimums[least]:
                return True
        return all(figures[figure] >= minimums[self.minimum] for figure in self.figures)


_OF_THE_MODEL = (
    Requirement(
        "Complete",
        "minimum_training_complete",
        ("training_complete",),
        "gate.allow_incomplete_training: expected training that used its whole budget, got a job "
        "that a limit of time or a stop ended early; raise max_minutes and max_runtime_minutes, "
        "or set gate.allow_incomplete_training to true",
    ),
    Requirement(
        "Long",
        "minimum_bleu_long",
        ("bleu_long",),
        "gate.minimum_bleu_long: expected BLEU of at least {minimum_bleu_long} over 100 words, got "
        "{bleu_long}; train for more updates or with more length_augmentation, or lower "
        "gate.minimum_bleu_long",
    ),
    Requirement(
        "Short",
        "minimum_bleu_short",
        ("bleu_short", "bleu_medium"),
        "gate.minimum_bleu_short: expected BLEU of at least {minimum_bleu_short} up to 20 words "
        f"and at {MEDIUM} words, got {{bleu_short}} and {{bleu_medium}}; train for more updates "
        "or on more pairs, or lower gate.minimum_bleu_short",
    ),
    Requirement(
        "Kept",
        "minimum_share_kept",
        ("share_kept",),
        "gate.minimum_share_kept: expected BLEU over 100 words to be at least {minimum_share_kept} "
        f"of that at {MEDIUM} words, got {{share_kept}} ({{bleu_long}} and {{bleu_medium}}); train "
        "with more length_augmentation and with attention_location, or lower "
        "gate.minimum_share_kept",
        unless_below=("bleu_medium", "minimum_bleu_short"),
    ),
    Requirement(
        "Distinct",
        "minimum_distinct",
        ("distinct",),
        "gate.minimum_distinct: expected different translations of different sentences, at least "
        "{minimum_distinct} of the number of different references, got {distinct}; the model says "
        "the same thing to many sentences: train for more updates, or lower gate.minimum_distinct",
    ),
)
_OF_THE_CHANGE = (
    Requirement(
        "LongChange",
        "minimum_bleu_long_change",
        ("bleu_long_change",),
        "gate.minimum_bleu_long_change: expected a change of BLEU over 100 words against the "
        "baseline of at least {minimum_bleu_long_change}, got {bleu_long_change} (BLEU there: "
        "{bleu_long}); try more tuning jobs, or lower gate.minimum_bleu_long_change",
    ),
    Requirement(
        "ShortChange",
        "minimum_bleu_short_change",
        ("bleu_short_change",),
        "gate.minimum_bleu_short_change: expected a change of BLEU up to 20 words against the "
        "baseline of at least {minimum_bleu_short_change}, got {bleu_short_change} (BLEU there: "
        "{bleu_short}); train for more updates or with less length_augmentation, or lower "
        "gate.minimum_bleu_short_change",
    ),
)


def requirements_of(config: Config) -> tuple[Requirement, ...]:
    """Return the requirements of a config; without a baseline none of them is on a change."""
    return (*_OF_THE_MODEL, *_OF_THE_CHANGE) if config.baseline.enabled else _OF_THE_MODEL


def unmet(config: Config, figures: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    """Yield name and message of each requirement that a model with these figures fails."""
    minimums = config.gate.minimums
    values = {**figures, **minimums}
    for requirement in requirements_of(config):
        if not requirement.met(figures, minimums):
            parts = requirement.message(lambda name: str(values[name]))
            yield requirement.name, "".join(parts)
