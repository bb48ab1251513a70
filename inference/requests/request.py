"""Requests: texts with options, and the form of the answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from longspan.inference.refusals import TooLong
from longspan.inference.requests.media_types import JSON
from longspan.inference.requests.options import Options

__all__ = ["Request", "RequestItem", "check_count"]


@dataclass(frozen=True)
class RequestItem:
    """One text to translate. With `built_in`, its answer has the built-in algorithm's names.

    `carried` are JSON values that the answer repeats, such as an `id`. `ids` are source token ids
    without EOS, which stand for the text where they are given.
    """

    text: str
    options: Options = field(default_factory=Options)
    built_in: bool = False
    carried: Mapping[str, Any] = field(default_factory=dict)
    ids: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Request:
    """The items of one invocation.

    `wrapping` is what surrounds the answers in JSON: one (nothing), list, translations or
    predictions. `media` is the media type of the request, and that of the answer where the client
    accepts any.
    """

    items: tuple[RequestItem, ...]
    media: str = JSON
    wrapping: str = "translations"
    stream: bool = False


def check_count(count: int, most: int | None) -> None:
    """Check a number of texts. Raises TooLong for more than `most` (None: any number)."""
    if most is not None and count > most:
        raise TooLong(
            f"request: expected at most {most:,} texts, got {count:,} or more; send them in "
            "several requests"
        )
