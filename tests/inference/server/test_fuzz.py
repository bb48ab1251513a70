"""Whatever comes, the answer is a translation or the right refusal: never a 500, never a hang.

HYPOTHESIS_PROFILE=long tries fifty times as much.
"""

import contextlib
import json
import re
import socket
import string

import schemathesis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
)

from longspan.inference.requests.media_types import JSON, JSON_LINES, KNOWN, RECORDIO, TEXT
from longspan.inference.requests.options import Options
from longspan.inference.server.openapi import describe

_CALM = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
# Header values as HTTP lets them be.
_HEADERS = st.text(string.printable[:95], max_size=30).map(str.strip)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
_OPTIONS = st.dictionaries(
    st.sampled_from([*Options.schemas(), "stream", "attention_matrix", "nonsense"]),
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
# What a client may write, whole and in pieces that fit nowhere.
_PIECES = st.sampled_from(
    [
        b"POST /invocations HTTP/1.1\r\n", b"GET /ping HTTP/1.1\r\n", b"GET /metrics HTTP/1.0\r\n",
        b"HEAD / HTTP/1.1\r\n", b"OPTIONS * HTTP/1.1\r\n", b"GET http://x/ping HTTP/1.1\r\n",
        b"PUT /invocations HTTP/1.1\r\n", b"CONNECT x:1 HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n",
        b"Host: x\r\n", b"Content-Length: 14\r\n", b"Content-Length: 0\r\n",
        b"Content-Length: 3\r\n", b"Content-Length: 99999999999\r\n", b"Connection: close\r\n",
        b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n",
        b"Connection: upgrade\r\n", b"Upgrade: websocket\r\n", b"Expect: 100-continue\r\n",
        b"Content-Type: text/plain\r\n", b"Accept: text/csv\r\n", b"X-Request-Id: \xff\r\n",
        b" folded\r\n", b"A : b\r\n", b": b\r\n", b'{"text": "w1"}', b"e\r\n", b"3;x=y\r\n",
        b"0\r\n\r\n", b"-1\r\n", b"zz\r\n", b"\r\n", b"\n", b"\r\n\r\n", b"\0",
    ]
)  # fmt: skip
_POST = [b"POST /invocations HTTP/1.1\r\n", b"Host: x\r\n"]
_STREAMS = st.lists(_PIECES | st.binary(max_size=20), max_size=14).flatmap(
    lambda pieces: st.sampled_from([pieces, _POST + pieces, [*_POST, b"\r\n", *_POST, *pieces]])
)
_ANSWER = re.compile(rb"HTTP/1\.1 (\d{3}) (.*?)\r\n\r\n(.*?)(?=HTTP/1\.1 |\Z)", re.DOTALL)
schemathesis.serializer.alias(JSON_LINES, TEXT)
schemathesis.serializer.alias(RECORDIO, "application/octet-stream")
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
@_CALM
def test_what_the_schema_allows_and_what_it_forbids(server, case):
    # What goes together no schema says, such as n_best within beam_size; and of a table or a text
    # it forbids nothing: whatever comes is one.
    excluded = [positive_data_acceptance]
    if case.media_type != JSON:
        excluded.append(negative_data_rejection)
    case.call_and_validate(base_url=f"http://127.0.0.1:{server.port}", excluded_checks=excluded)


@_CALM
@given(_STREAMS, st.booleans())
@example([*_POST, b"Transfer-Encoding: chunked\r\n", b"\r\n", b"zz\r\n", b"zz\r\n"], True)
@example([b"GET /ping HTTP/1.1\r\n", *_POST[1:], b"Content-Length: 3\r\n", b"\r\n", b"abcd"], False)
def test_any_bytes_on_the_wire(server, pieces: list[bytes], apart: bool):
    answers = bytearray()
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        with contextlib.suppress(ConnectionError):
            for piece in pieces if apart else [b"".join(pieces)]:
                connection.sendall(piece)
        with contextlib.suppress(TimeoutError):
            _read(connection, 0.1, answers)
        with contextlib.suppress(OSError):  # closed already
            connection.shutdown(socket.SHUT_WR)
        _read(connection, 60, answers)
    for status, head, body in _ANSWER.findall(answers):
        assert int(status) in (100, 200, 400, 404, 405, 406, 413, 415, 431, 501)
        if int(status) >= 400 and b"HEAD" not in b"".join(pieces):
            length = int(re.findall(rb"content-length: (\d+)", head)[0])
            assert json.loads(body[:length])["error"]["message"]
    assert not answers or answers.startswith(b"HTTP/1.1 ")


def _read(connection: socket.socket, seconds: float, answers: bytearray) -> None:
    """What comes until it is closed. Raises TimeoutError when nothing has come for so long."""
    connection.settimeout(seconds)
    with contextlib.suppress(ConnectionError):
        while some := connection.recv(1 << 16):
            answers += some


def _check(reply) -> None:
    assert reply.status in (200, 400, 406, 413, 415)
    if reply.status != 200:
        assert reply.json["error"]["message"]
