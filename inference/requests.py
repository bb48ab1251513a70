"""Requests: the bytes of an invocation as texts with options, and how they want their answer.

The built-in seq2seq algorithm's JSON and JSON lines are understood as they are
(https://docs.aws.amazon.com/sagemaker/latest/dg/s2s-formats.html), and beside them plain objects,
lists, CSV and text. `docs/serving.md` has an example of each.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from longspan.inference.media_types import CSV, JSON, JSON_LINES, TEXT, ContentType
from longspan.inference.options import Options
from longspan.inference.refusals import BadRequest, TooLong

__all__ = ["Item", "Request", "parse_request"]

_SURROGATE = re.compile("[\ud800-\udfff]")
_MATRIX = "attention_matrix"
_LINE_ENDS = re.compile(r"\r\n|\n|\r")

# A field may be as long as the body, which the server limits. The process has one limit for all
# readers, so it is set once: raising it for each body would be a race between threads.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True)
class Item:
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

    items: tuple[Item, ...]
    media: str = JSON
    wrapping: str = "translations"
    stream: bool = False


def parse_request(body: bytes, content_type: str | None, most_texts: int | None = None) -> Request:
    """Read an invocation of at most so many texts; None: any number.

    Raises UnsupportedMedia for an unknown Content-Type, TooLong for more texts, BadRequest, saying
    where, for all else.
    """
    kind = ContentType(content_type)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest(
            f"expected UTF-8, came byte 0x{body[error.start]:02x} at offset {error.start} "
            f"({error.reason}): convert the text to UTF-8"
        ) from None
    text = text.removeprefix("\ufeff")
    if not text.strip() and kind.media in (JSON, JSON_LINES):
        raise BadRequest(f"expected {kind.media}, came an empty body: send a text")
    request = _READERS[kind.media](text, kind, most_texts)
    for number, item in enumerate(request.items, 1):
        if _SURROGATE.search(item.text):
            raise BadRequest(
                f"text {number}: expected Unicode text, came a lone surrogate (\\ud800 to \\udfff):"
                " write the character whole"
            )
    return request


def _read_json(text: str, kind: ContentType, most: int | None) -> Request:
    content = _load(text, "the body")
    if isinstance(content, list):
        _check_count(len(content), most)
        return Request(tuple(_item(v, f"[{i}]") for i, v in enumerate(content)), wrapping="list")
    if not isinstance(content, dict):
        raise BadRequest(
            'expected a JSON object such as {"text": "..."} or {"instances": [{"data": "..."}]}, '
            f"came {_named(content)}"
        )
    if "instances" in content:
        return _instances(content, most)
    stream = content.pop("stream", False)
    if not isinstance(stream, bool):
        raise BadRequest(f"stream={_shown(stream)}: allowed: true | false")
    given = content.get("text")
    if not isinstance(given, list):
        return Request((_item(content, "the body"),), wrapping="one", stream=stream)
    _check_count(len(given), most)
    options = Options.parse({name: v for name, v in content.items() if name != "text"})
    for i, one in enumerate(given):
        _check_text(one, f"text[{i}]")
    return Request(tuple(Item(one, options) for one in given), stream=stream)


def _instances(content: Mapping[str, Any], most: int | None) -> Request:
    """The built-in's JSON; its `configuration` may stand by the instance or by all of them."""
    if extra := sorted(content.keys() - {"instances", "configuration"}):
        raise BadRequest(f"{_shown(extra[0])}: beside instances expected configuration alone")
    instances = content["instances"]
    if not isinstance(instances, list):
        raise BadRequest(f"instances: expected a list, came {_named(instances)}")
    _check_count(len(instances), most)
    common = _configuration(content, "configuration")
    items = tuple(_instance(v, common, f"instances[{i}]") for i, v in enumerate(instances))
    return Request(items, wrapping="predictions")


def _instance(value: Any, common: Mapping[str, Any], where: str) -> Item:
    """`common` are option values that the instance's own replace."""
    instance = _object(value, where)
    if extra := sorted(instance.keys() - {"data", "configuration"}):
        raise BadRequest(f"{where}: {_shown(extra[0])}: expected data and configuration alone")
    if "data" not in instance:
        raise BadRequest(f'{where}: expected {{"data": "..."}}, came no data')
    text = _check_text(instance["data"], f"{where}.data")
    own = _configuration(instance, f"{where}.configuration")
    return Item(text, Options.parse({**common, **own}), built_in=True)


def _configuration(content: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Option values, checked; the built-in's `attention_matrix` has a string for its own."""
    options = dict(_object(content.get("configuration", {}), where))
    try:
        if _MATRIX in options:
            if "alignment" in options:
                raise BadRequest(f"{_MATRIX} and alignment are the same: give one of the two")
            options["alignment"] = _matrix(options.pop(_MATRIX))
        Options.parse(options)
    except BadRequest as error:
        raise BadRequest(f"{where}: {error}") from None
    return options


def _matrix(value: Any) -> bool:
    for meant in (True, False):
        if value is meant or value == str(meant).lower():
            return meant
    raise BadRequest(f'{_MATRIX}={_shown(value)}: allowed: "true" | "false"')


def _read_lines(text: str, kind: ContentType, most: int | None) -> Request:
    lines = _LINE_ENDS.split(text)
    if lines and not lines[-1].strip():
        lines.pop()  # what follows the last line's end
    _check_count(len(lines), most)
    items = []
    for number, line in enumerate(lines, 1):
        where = f"line {number}"
        if not line.strip():
            raise BadRequest(f"{where}: expected a JSON object, came an empty line: remove it")
        items.append(_item(_load(line, where), where))
    return Request(tuple(items), JSON_LINES)


def _read_csv(text: str, kind: ContentType, most: int | None) -> Request:
    items = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if len(row) > 1:
                raise BadRequest(
                    f"line {reader.line_num}: expected one column of text, came {len(row)}: put a "
                    "text with commas between double quotes"
                )
            items.append(Item(row[0] if row else ""))
            _check_count(len(items) - kind.has_header, most)
    except csv.Error as error:
        raise BadRequest(f"line {reader.line_num}: expected CSV: {error}") from None
    return Request(tuple(items[1:] if kind.has_header else items), CSV)


def _read_text(text: str, kind: ContentType, most: int | None) -> Request:
    lines = _LINE_ENDS.split(text)
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    _check_count(len(lines), most)
    return Request(tuple(Item(line) for line in lines), TEXT)


_READERS: Mapping[str, Callable[[str, ContentType, int | None], Request]] = {
    JSON: _read_json,
    JSON_LINES: _read_lines,
    CSV: _read_csv,
    TEXT: _read_text,
}


def _check_count(came: int, most: int | None) -> None:
    if most is not None and came > most:
        raise TooLong(
            f"request: expected at most {most:,} texts, came {came:,} or more: send them in "
            "several requests"
        )


def _item(value: Any, where: str) -> Item:
    """A string, `{"text": ..., options}`, or the built-in's `{"source"}` or `{"data"}`."""
    if isinstance(value, str):
        return Item(value)
    content = _object(value, where)
    if "data" in content:
        return _instance(content, {}, where)
    names = [name for name in ("text", "source") if name in content]
    if len(names) != 1:
        raise BadRequest(f'{where}: expected {{"text": "..."}}, came {_keys(content)}')
    [name] = names
    text = _check_text(content[name], f"{where}: {name}")
    options = {key: v for key, v in content.items() if key != name}
    try:
        return Item(text, Options.parse(options), built_in=name == "source")
    except BadRequest as error:
        raise BadRequest(f"{where}: {error}") from None


def _load(text: str, where: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise BadRequest(f"{where}: expected JSON, came one nested too deep") from None
    except ValueError as error:
        raise BadRequest(f"{where}: expected JSON, came something else: {error}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a name that comes twice would lose a value in silence."""
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{_shown(twice)} is given twice")
    return content


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON number")


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadRequest(f"{where}: expected a JSON object, came {_named(value)}")
    return value


def _check_text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise BadRequest(f"{where}: expected a string, came {_named(value)}")
    return value


def _named(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    for kind, name in ((str, "a string"), (list, "a list"), (dict, "an object")):
        if isinstance(value, kind):
            return name
    return "a number"


def _keys(content: Mapping[str, Any]) -> str:
    return ", ".join(_shown(name) for name in list(content)[:5]) or "an empty object"


def _shown(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
