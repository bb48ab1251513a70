"""The server's OpenAPI description, served at `/openapi.json` and copied in `docs/openapi.json`.

https://spec.openapis.org/oas/v3.1.0
"""

import json
from typing import Any

from longspan.inference.requests.media_types import CSV, JSON, JSON_LINES, RECORDIO, TEXT
from longspan.inference.requests.options import Options

__all__ = ["describe"]

_VERSION = "1"
_REFUSALS = {
    "400": "the request cannot be read, or an option has a wrong value",
    "406": "no media type that the client accepts",
    "408": "the rest of the body does not arrive in time",
    "413": "a text or the body is beyond a limit",
    "415": "an unknown Content-Type",
    "429": "the queue is full: try again after Retry-After seconds",
    "500": "the model or the server failed",
    "503": "the model cannot answer at the moment: try again after Retry-After seconds",
    "504": "no answer within the deadline",
}


def describe() -> dict[str, Any]:
    """Return the whole description; it is the same for every model."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "longspan",
            "version": _VERSION,
            "description": "Translation by one model, by SageMaker's serving contract.",
        },
        "paths": {
            "/invocations": {"post": _invocations()},
            "/ping": {"get": _ping()},
            "/execution-parameters": {"get": _get("Parameters for batch transform", JSON)},
            "/metrics": {"get": _get("Metrics of this server, for Prometheus", TEXT)},
            "/openapi.json": {"get": _get("This description", JSON)},
        },
        "components": {"schemas": _schemas()},
    }


def _invocations() -> dict[str, Any]:
    text = {"schema": {"type": "string"}}
    records = {"schema": {"type": "string", "contentEncoding": "binary"}}
    return {
        "operationId": "translate",
        "summary": "Translate texts",
        "requestBody": {
            "required": True,
            "content": {
                JSON: {"schema": {"anyOf": [_ref("BuiltIn"), _ref("Texts"), _ref("List")]}},
                JSON_LINES: {**text, "example": '{"text": "The red book."}\n'},
                CSV: {**text, "example": "The red book.\n"},
                TEXT: {**text, "example": "The red book.\n"},
                RECORDIO: records,
            },
        },
        "responses": {
            "200": {
                "description": "The translations, in the order of the texts",
                "content": {
                    JSON: {
                        "schema": {
                            "anyOf": [
                                _ref("Predictions"),
                                _ref("Translations"),
                                _ref("Translation"),
                                _list(_ref("Answer")),
                            ]
                        }
                    },
                    JSON_LINES: text,
                    CSV: text,
                    TEXT: text,
                    RECORDIO: records,
                },
            },
            **{
                status: {
                    "description": description,
                    "content": {JSON: {"schema": _ref("Refusal")}},
                }
                for status, description in _REFUSALS.items()
            },
        },
    }


def _ping() -> dict[str, Any]:
    return {
        "operationId": "ping",
        "summary": "Whether the model is ready",
        "responses": {
            "200": {"description": "the model has answered its warm-up"},
            "503": {"description": "not yet"},
        },
    }


def _get(summary: str, media: str) -> dict[str, Any]:
    schema = {"type": "string"} if media == TEXT else {"type": "object"}
    content = {media: {"schema": schema}}
    return {
        "summary": summary,
        "responses": {"200": {"description": summary, "content": content}},
    }


def _schemas() -> dict[str, Any]:
    options = Options.schemas()
    text = {"type": "string"}
    account = {
        "omissions": {"description": "spans of the text", **_list(_ref("Span"))},
        "duplications": {"description": "spans of the translation", **_list(_ref("Span"))},
        "repairs": {"type": "integer", "minimum": 0},
    }
    looping = {"const": True, "description": "it was stopped because it repeated itself"}
    return {
        "Options": {"type": "object", "properties": options, "additionalProperties": False},
        "Texts": _object(
            {
                "text": {"anyOf": [text, _list(text)]},
                "stream": {"type": "boolean", "description": "partial output, as JSON lines"},
                **options,
            },
            ["text"],
        ),
        "Item": {
            "anyOf": [
                text,
                _object({"text": text, **options}, ["text"]),
                _object({"source": text, **options}, ["source"]),
                _ref("Instance"),
            ]
        },
        "List": _list(_ref("Item")),
        "Configuration": {
            **_object(
                {"attention_matrix": {"enum": ["true", "false", True, False]}, **options}, []
            ),
            "not": {"required": ["alignment", "attention_matrix"]},
        },
        "Instance": _object({"data": text, "configuration": _ref("Configuration")}, ["data"]),
        "BuiltIn": _object(
            {"instances": _list(_ref("Instance")), "configuration": _ref("Configuration")},
            ["instances"],
        ),
        "Matrix": {
            "description": "attention weights: rows are target tokens, columns source tokens",
            **_list(_list({"type": "number"})),
        },
        "Span": {
            "description": "characters from start to before stop",
            **_record(
                {
                    "start": {"type": "integer", "minimum": 0},
                    "stop": {"type": "integer", "minimum": 0},
                    "text": text,
                    "score": {"type": "number", "minimum": 0, "maximum": 1},
                }
            ),
        },
        "Candidate": _record(
            {
                "translation": text,
                "score": {"type": "number"},
                "log_probability": {"type": "number"},
                "finished": {"type": "boolean"},
            },
            {"looping": looping},
        ),
        "Split": {
            "type": "object",
            "description": "only for a text that was split",
            "required": ["at", "parts"],
            "properties": {
                "at": {"enum": ["line", "sentence", "clause", "word", "character"]},
                "parts": _list({"type": "object"}),
            },
        },
        "Translation": {
            "type": "object",
            "required": ["translation", "log_probability", "finished"],
            "properties": {
                "translation": text,
                "log_probability": {"type": "number"},
                "score": {
                    "type": "number",
                    "description": "after the penalties; only for a text that was not split",
                },
                "finished": {
                    "type": "boolean",
                    "description": "false: it was stopped, at the length limit or in a loop",
                },
                "looping": looping,
                "n_best": _list(_ref("Candidate")),
                "alignment": _ref("Matrix"),
                "source_tokens": _list(text),
                "target_tokens": _list(text),
                "split": _ref("Split"),
                **account,
            },
        },
        "Prediction": {
            "type": "object",
            "required": ["target"],
            "properties": {
                "target": text,
                "matrix": _ref("Matrix"),
                "source_tokens": _list(text),
                "target_tokens": _list(text),
                "finished": {"const": False},
                "looping": looping,
                "split": _ref("Split"),
                **account,
            },
        },
        "Answer": {"anyOf": [_ref("Translation"), _ref("Prediction")]},
        "Translations": _record({"translations": _list(_ref("Answer"))}),
        "Predictions": _record({"predictions": _list(_ref("Prediction"))}),
        "Refusal": _record(
            {
                "error": {
                    "type": "object",
                    "required": ["code", "message"],
                    "properties": {"code": text, "message": text, "request_id": text},
                }
            }
        ),
    }


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    return schema | ({"required": required} if required else {})


def _record(properties: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties | (optional or {}),
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


if __name__ == "__main__":
    print(json.dumps(describe(), indent=2))
