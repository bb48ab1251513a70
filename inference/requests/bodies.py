"""Bodies: the bytes of an invocation, read as a request.

JSON has several forms (`json_bodies.py`). JSON lines, CSV and plain text have one text a line,
RecordIO-protobuf has the token ids of one text a record.
`docs/serving.md` has an example of each.
"""

import csv
import io
import re

from longspan.inference.refusals import BadRequest
from longspan.inference.requests.json_bodies import read_json_body, read_json_line
from longspan.inference.requests.json_values import check_size, parse_json_value
from longspan.inference.requests.media_types import (
    CSV,
    JSON,
    JSON_LINES,
    RECORDIO,
    TEXT,
    ContentType,
)
from longspan.inference.requests.request import Request, RequestItem, check_count
from longspan.training.errors import DataError

__all__ = ["parse_request"]

_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_ENDS = re.compile(r"\r\n|\n|\r")

# A field may be as long as the body, which the server limits. The limit of the csv module holds for
# the whole process, so it is set once: setting it for each body would be a race between threads.
csv.field_size_limit(2**31 - 1)


def parse_request(body: bytes, content_type: str | None, most_texts: int | None = None) -> Request:
    """Read an invocation of at most `most_texts` texts (None: any number).

    Raises UnsupportedMedia for an unknown Content-Type, TooLong for more texts, and BadRequest,
    naming the place, for any other mistake.
    """
    kind = ContentType(content_type)
    if kind.media == RECORDIO:
        return _read_records(body, most_texts)
    text = _decoded(body)
    if kind.media in (JSON, JSON_LINES):
        if not text.strip():
            raise BadRequest(f"expected {kind.media}, got an empty body; send a text")
        if most_texts is not None:
            check_size(text, most_texts)
    request = _read(text, kind, most_texts)
    for number, item in enumerate(request.items, 1):
        # JSON can spell one by its escapes, but UTF-8 cannot encode it.
        if _SURROGATE.search(item.text):
            raise BadRequest(
                f"text {number}: expected Unicode text, got a lone surrogate (\\ud800 to \\udfff); "
                "write the whole character"
            )
    return request


def _decoded(body: bytes) -> str:
    try:
        # Some editors put a byte order mark before UTF-8.
        return body.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise BadRequest(
            f"expected UTF-8, got byte 0x{body[error.start]:02x} at offset {error.start} "
            f"({error.reason}); convert the text to UTF-8"
        ) from None


def _read(text: str, kind: ContentType, most: int | None) -> Request:
    if kind.media == JSON:
        return read_json_body(text, most)
    if kind.media == CSV:
        return _read_csv(text, kind.has_header, most)
    return _read_json_lines(text, most) if kind.media == JSON_LINES else _read_text(text, most)


def _read_json_lines(text: str, most: int | None) -> Request:
    items = []
    for number, line in enumerate(_lines(text, most), 1):
        if not line.strip():
            continue  # parsers of JSON lines ignore empty ones
        where = f"line {number}"
        items.append(read_json_line(parse_json_value(line, where), where))
        check_count(len(items), most)
    return Request(tuple(items), JSON_LINES)


def _read_records(body: bytes, most: int | None) -> Request:
    # Here, since it imports numpy, which the server does without otherwise.
    from longspan.training.corpus.recordio import decode_sources

    items = []
    try:
        for ids in decode_sources(body, "the body"):
            items.append(RequestItem("", built_in=True, ids=tuple(ids)))
            check_count(len(items), most)
    except DataError as error:
        raise BadRequest(str(error)) from None
    if not items:
        raise BadRequest(f"expected {RECORDIO}, got an empty body; send a record")
    return Request(tuple(items), RECORDIO, wrapping="predictions")


def _read_csv(text: str, has_header: bool, most: int | None) -> Request:
    items = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if len(row) > 1:
                raise BadRequest(
                    f"line {reader.line_num}: expected one column of text, got {len(row)}; put a "
                    "text with commas between double quotes"
                )
            items.append(RequestItem(row[0] if row else ""))
            check_count(len(items) - has_header, most)
    except csv.Error as error:
        raise BadRequest(
            f"line {reader.line_num}: expected CSV, got something else: {error}"
        ) from None
    return Request(tuple(items[1:] if has_header else items), CSV)


def _read_text(text: str, most: int | None) -> Request:
    lines = _lines(text, most)
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    check_count(len(lines), most)
    return Request(tuple(RequestItem(line) for line in lines), TEXT)


def _lines(text: str, most: int | None) -> list[str]:
    """Return the lines; the last one may be empty.

    Raises TooLong before splitting where there are far too many.
    """
    check_count(max(text.count("\n"), text.count("\r")), most)
    return _LINE_ENDS.split(text)
