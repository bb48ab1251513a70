"""Requests: texts with options, and how they want their answer."""

from dataclasses import dataclass, field

from longspan.inference.refusals import TooLong
from longspan.inference.requests.media_types import JSON
from longspan.inference.requests.options import Options

__all__ = ["Request", "RequestItem", "check_count"]


@dataclass(frozen=True)
class RequestItem:
    """One text to translate. `built_in` is whether its answer has the built-in's names."""

    text: str
    options: Options = field(default_factory=Options)
    built_in: bool = False


@dataclass(frozen=True)
class Request:
    """The items of one invocation.

    `wrapping` is what surrounds the answers in JSON: one (nothing), list, translations or
    predictions. `media` is what came, and what goes out when the client takes anything.
    """

    items: tuple[RequestItem, ...]
    media: str = JSON
    wrapping: str = "translations"
    stream: bool = False


def check_count(came: int, most: int | None) -> None:
    """Raises TooLong for more texts than `most`; None: any number."""
    if most is not None and came > most:
        raise TooLong(
            f"request: expected at most {most:,} texts, came {came:,} or more: send them in "
            "several requests"
        )
