"""The history of a training run: what was measured at each checkpoint, checked where it is read."""

from collections.abc import Iterable

from longspan.training.fields import Fields

__all__ = ["DRAWN", "check_history"]

# What a report draws; an entry may lack any of it.
DRAWN = (
    "train:loss", "validation:loss", "validation:accuracy", "validation:bleu",
    "validation:bleu_long",
)  # fmt: skip


def check_history(entries: Iterable[Fields]) -> None:
    """Raises ValueError for a value that is not what training writes."""
    for entry in entries:
        entry.integer("updates")
        for name in ("seconds", "cpu_seconds", *DRAWN):
            if name in entry.values:
                entry.number_or_null(name)
