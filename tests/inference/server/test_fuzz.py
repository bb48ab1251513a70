"""Whatever comes, the answer is a translation or the right refusal: never a 500, never a hang."""

import json
import string

import schemathesis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
)

from longspan.inference.media_types import JSON, JSON_LINES, KNOWN, TEXT
from longspan.inference.options import Options
from longspan.inference.server.openapi import describe

_CALM = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# Header values as HTTP lets them be.
_HEADERS = st.text(string.printable[:95], max_size=30).map(str.strip)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
_OPTIONS = st.dictionaries(
    st.sampled_from([*Options.describe(), "stream", "attention_matrix", "nonsense"]),
    st.sampled_from([1, 2, 0, -1, 2.5, True, "true", "fast", "quality", "never", None]) | _SCALARS,
    max_size=3,
)
_TEXTS = st.text(max_size=60) | st.sampled_from(["w1 w2", "\ud800", "\x00", "\u202e\ufeff", ""])
_BODIES = st.one_of(
    _OPTIONS.flatmap(lambda o: _TEXTS.map(lambda text: {**o, "text": text})),
    _OPTIONS.map(lambda o: {"instances": [{"data": "w1", "configuration": o}]}),
    st.lists(_TEXTS | _SCALARS, max_size=4),
    st.recursive(_SCALARS, lambda inner: st.dictionaries(st.text(max_size=5), inner, max_size=3)),
)
schemathesis.serializer.alias(JSON_LINES, TEXT)
_SCHEMA = schemathesis.openapi.from_dict(describe())


@_CALM
@given(
    st.binary(max_size=300), st.sampled_from(KNOWN) | _HEADERS, st.sampled_from(KNOWN) | _HEADERS
)
@example(b"", "", "")
@example(b"\xef\xbb\xbf", "text/csv", "*/*")
def test_any_bytes_and_headers(server, body: bytes, content_type: str, accept: str):
    _check(server.ask(body, content_type, accept))


@_CALM
@given(_BODIES, st.sampled_from(["application/json", "application/jsonlines"]))
def test_any_json(server, body: object, content_type: str):
    _check(server.ask(json.dumps(body).encode(), content_type))


@_SCHEMA.parametrize()
@settings(parent=_CALM, max_examples=60)
def test_what_the_schema_allows_and_what_it_forbids(server, case):
    # What goes together no schema says, such as n_best within beam_size; and of a table or a text
    # it forbids nothing: whatever comes is one.
    excluded = [positive_data_acceptance]
    if case.media_type != JSON:
        excluded.append(negative_data_rejection)
    case.call_and_validate(base_url=f"http://127.0.0.1:{server.port}", excluded_checks=excluded)


def _check(reply) -> None:
    assert reply.status in (200, 400, 406, 413, 415)
    if reply.status != 200:
        assert reply.json["error"]["message"]
