"""The translation of a piece, without torch, which those who read an evaluation do without."""

from dataclasses import dataclass

__all__ = ["PieceOutput"]


@dataclass(frozen=True)
class PieceOutput:
    """A translation. It is not `finished` where it was stopped: at the length limit, or `looping`.

    A `looping` translation repeated itself.
    """

    text: str
    finished: bool = True
    looping: bool = False
