"""Content negotiation: the media type of a request, and the one of its answer.

https://www.rfc-editor.org/rfc/rfc9110#name-accept
"""

from email.message import Message

from longspan.inference.refusals import NotAcceptable, UnsupportedMedia

__all__ = [
    "CSV",
    "JSON",
    "JSON_LINES",
    "KNOWN",
    "RECORDIO",
    "TEXT",
    "ContentType",
    "check_coding",
    "choose",
]

JSON = "application/json"
JSON_LINES = "application/jsonlines"
CSV = "text/csv"
TEXT = "text/plain"
RECORDIO = "application/x-recordio-protobuf"
KNOWN = (JSON, JSON_LINES, CSV, TEXT, RECORDIO)

_SAME = {
    "application/x-jsonlines": JSON_LINES,
    "application/jsonl": JSON_LINES,
    "application/x-ndjson": JSON_LINES,
    "application/ndjson": JSON_LINES,
    "text/json": JSON,
}
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


class ContentType:
    """A `Content-Type`: `media` is one of `KNOWN`, `has_header` whether a CSV has a header line.

    None and an empty one mean JSON, as for the built-in algorithm. Raises UnsupportedMedia for
    another type or charset.
    """

    def __init__(self, header: str | None) -> None:
        message = Message()
        message["Content-Type"] = " ".join((header or JSON).split()) or JSON
        given = message.get_content_type()
        self.media = _SAME.get(given, given)
        # `Message` reads a malformed type as text/plain, so the header itself is compared too.
        named = (header or JSON).split(";")[0].strip().lower()
        if self.media not in KNOWN or _SAME.get(named, named) != self.media:
            raise UnsupportedMedia(
                f"Content-Type: expected {_listed()}, got {_shown(header)}; send one of these"
            )
        charset = str(message.get_param("charset", "utf-8")).lower()
        if charset not in _CHARSETS:
            raise UnsupportedMedia(
                f"Content-Type: expected charset utf-8, got {_shown(charset)}; convert the text"
            )
        self.has_header = str(message.get_param("header", "")).lower() == "present"


def check_coding(header: str | None) -> None:
    """Check a `Content-Encoding`. Raises UnsupportedMedia for a compressed body."""
    if header is not None and header.strip().lower() not in ("", "identity"):
        raise UnsupportedMedia(
            f"Content-Encoding: expected none, got {_shown(header)}; send the body as it is"
        )


def choose(accept: str | None, preferred: str, offered: tuple[str, ...] = KNOWN) -> str:
    """Return the media type to answer with: the one of `offered` that `accept` ranks highest.

    Of equal ones it is `preferred`. Raises NotAcceptable where `accept` allows none of them.
    """
    ranges = [_range(part) for part in (accept or "*/*").split(",") if part.strip()]
    ranges = ranges or [("*/*", 1.0)]
    # The preferred one first, because `max` below returns the first of equal ones.
    order = [preferred, *(media for media in offered if media != preferred)]
    order = [media for media in order if media in offered]
    liked = {media: _quality(media, ranges) for media in order}
    best = max(order, key=lambda media: liked[media])  # the first of equal ones
    if liked[best] <= 0:
        raise NotAcceptable(
            f"Accept: expected one of {', '.join(offered)}, got {_shown(accept)}; "
            "accept one of these"
        )
    return best


def _range(part: str) -> tuple[str, float]:
    media, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = min(1.0, max(0.0, float(value)))
            except ValueError:
                quality = 0.0
    return _SAME.get(media, media), quality


def _quality(media: str, ranges: list[tuple[str, float]]) -> float:
    """Return the quality of the most specific range that matches."""
    for wanted in (media, f"{media.split('/')[0]}/*", "*/*"):
        found = [quality for name, quality in ranges if name == wanted]
        if found:
            return max(found)
    return 0.0


def _listed() -> str:
    return ", ".join(KNOWN)


def _shown(header: str | None) -> str:
    text = " ".join((header or "nothing").split())
    return text if len(text) <= 80 else f"{text[:77]}..."
