"""Where a clause stands in its sentence, and so what it may say."""

from dataclasses import dataclass
from enum import Enum, auto

from longspan.training.sample.english import Time

__all__ = ["Setting", "Shape"]


class Shape(Enum):
    """What kind of clause fits."""

    FREE = auto()  # anything
    EVENT = auto()  # something that happens, stated plainly
    ONGOING = auto()  # something in progress: behind "while"
    STATE = auto()  # how things are
    FUTURE = auto()  # what will happen


@dataclass(frozen=True, slots=True)
class Setting:
    """The place of a clause.

    `past` is the time of the sentence. `heavy` allows a relative clause at the end, where
    nothing follows that could be taken into it. `loose` allows times that take a comma
    instead of に in Japanese, `timed` allows times at all, `front` one before the subject.
    `negatable` allows negation.
    """

    past: bool
    shape: Shape = Shape.FREE
    heavy: bool = True
    loose: bool = True
    timed: bool = True
    front: bool = True
    negatable: bool = True

    @property
    def time(self) -> Time:
        """The time of a plain statement here."""
        if self.shape is Shape.FUTURE:
            return Time.FUTURE
        return Time.PAST if self.past else Time.PRESENT
