"""JSON bodies: the forms of a request in JSON.

They are the `instances` of the built-in seq2seq algorithm
(https://docs.aws.amazon.com/sagemaker/latest/dg/s2s-formats.html), plain objects, and lists.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from longspan.inference.refusals import BadRequest
from longspan.inference.requests.json_values import (
    expect_object,
    expect_text,
    kind_of,
    names_of,
    parse_json_value,
    short_repr,
)
from longspan.inference.requests.options import Options
from longspan.inference.requests.request import Request, RequestItem, check_count

__all__ = ["read_json_body", "read_json_item", "read_json_line"]

_MATRIX = "attention_matrix"
_ID = "id"
_NAMES = frozenset({"text", "source", "data", "configuration"})


def read_json_body(text: str, most: int | None) -> Request:
    """Read a JSON request of at most `most` texts (None: any number).

    Raises BadRequest, naming the place, or TooLong for more texts.
    """
    content = parse_json_value(text, "the body")
    if isinstance(content, list):
        check_count(len(content), most)
        items = tuple(read_json_item(value, f"[{i}]") for i, value in enumerate(content))
        return Request(items, wrapping="list")
    if not isinstance(content, dict):
        raise BadRequest(
            'expected a JSON object such as {"text": "..."} or {"instances": [{"data": "..."}]}, '
            f"got {kind_of(content)}"
        )
    if "instances" in content:
        return _instances(content, most)
    # Taken out here, because it belongs to the request; all other names are options of a text.
    stream = content.pop("stream", False)
    if not isinstance(stream, bool):
        raise BadRequest(f"stream: expected true | false, got {short_repr(stream)}")
    given = content.get("text")
    if not isinstance(given, list):
        return Request((read_json_item(content, "the body"),), wrapping="one", stream=stream)
    check_count(len(given), most)
    options = Options.parse({name: v for name, v in content.items() if name != "text"})
    texts = [expect_text(one, f"text[{i}]") for i, one in enumerate(given)]
    return Request(tuple(RequestItem(one, options) for one in texts), stream=stream)


def read_json_item(value: Any, where: str) -> RequestItem:
    """Read a string, `{"text": ..., options}`, or the built-in's `{"source"}` or `{"data"}`.

    Raises BadRequest, which begins with `where`.
    """
    if isinstance(value, str):
        return RequestItem(value)
    content = expect_object(value, where)
    if "data" in content:
        return _instance(content, {}, where)
    names = [name for name in ("text", "source") if name in content]
    if len(names) != 1:
        raise BadRequest(f'{where}: expected {{"text": "..."}}, got {names_of(content)}')
    [name] = names
    text = expect_text(content[name], f"{where}: {name}")
    options = {key: v for key, v in content.items() if key != name}
    try:
        return RequestItem(text, Options.parse(options), built_in=name == "source")
    except BadRequest as error:
        raise BadRequest(f"{where}: {error}") from None


def read_json_line(value: Any, where: str) -> RequestItem:
    """Read one JSON line: an item, with an `id` of its own that the answer repeats.

    Raises BadRequest, which begins with `where`.
    """
    if not isinstance(value, dict):
        return read_json_item(value, where)
    carried = {_ID: _scalar(value.pop(_ID), f"{where}: {_ID}")} if _ID in value else {}
    try:
        return replace(read_json_item(value, where), carried=carried)
    except BadRequest as error:
        if value.keys() <= _NAMES | Options.model_fields.keys():
            raise
        raise BadRequest(
            f"{error}; batch transform leaves out other keys with its InputFilter, for example "
            "$['text','id']"
        ) from None


def _scalar(value: Any, where: str) -> Any:
    if isinstance(value, dict | list):
        raise BadRequest(f"{where}: expected a string or a number, got {kind_of(value)}")
    return value


def _instances(content: Mapping[str, Any], most: int | None) -> Request:
    """Read the built-in's JSON. A `configuration` may stand in one instance or beside all."""
    if extra := sorted(content.keys() - {"instances", "configuration"}):
        raise BadRequest(f"{short_repr(extra[0])}: expected configuration alone beside instances")
    instances = content["instances"]
    if not isinstance(instances, list):
        raise BadRequest(f"instances: expected a list, got {kind_of(instances)}")
    check_count(len(instances), most)
    common = _configuration(content, "configuration")
    items = tuple(_instance(v, common, f"instances[{i}]") for i, v in enumerate(instances))
    return Request(items, wrapping="predictions")


def _instance(value: Any, common: Mapping[str, Any], where: str) -> RequestItem:
    """Read one instance; its own option values replace those of `common`."""
    instance = expect_object(value, where)
    if extra := sorted(instance.keys() - {"data", "configuration"}):
        raise BadRequest(f"{where}: {short_repr(extra[0])}: expected data and configuration alone")
    if "data" not in instance:
        raise BadRequest(f'{where}: expected {{"data": "..."}}, got no data')
    text = expect_text(instance["data"], f"{where}.data")
    own = _configuration(instance, f"{where}.configuration")
    return RequestItem(text, Options.parse({**common, **own}), built_in=True)


def _configuration(content: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Read option values and check them; the built-in's `attention_matrix` may be a string."""
    options = dict(expect_object(content.get("configuration", {}), where))
    try:
        if _MATRIX in options:
            if "alignment" in options:
                raise BadRequest(
                    f"{_MATRIX} and alignment: expected one of them, got both; they mean the same"
                )
            options["alignment"] = _matrix(options.pop(_MATRIX))
        Options.parse(options)
    except BadRequest as error:
        raise BadRequest(f"{where}: {error}") from None
    return options


def _matrix(value: Any) -> bool:
    for meant in (True, False):
        if value is meant or value == str(meant).lower():
            return meant
    raise BadRequest(f'{_MATRIX}: expected "true" | "false", got {short_repr(value)}')
