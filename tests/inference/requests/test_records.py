"""RecordIO-protobuf requests, as clients of the built-in algorithm send them."""

import contextlib
import json
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.inference.refusals import BadRequest, TooLong
from longspan.inference.requests.bodies import parse_request
from longspan.inference.requests.media_types import RECORDIO
from longspan.inference.server.handler import input_fn, model_fn, output_fn, predict_fn
from longspan.inference.translation.parts import Limits
from longspan.training.corpus.recordio import decode_record, encode_record, encode_targets

MAGIC = 0xCED7230A


def frame(payload: bytes) -> bytes:
    return struct.pack("<II", MAGIC, len(payload)) + payload + b"\0" * (-len(payload) % 4)


def request(*rows: list[int]) -> bytes:
    """Return the record of AWS's notebook: a source, and a target without ids."""
    return b"".join(frame(encode_record(row, [])) for row in rows)


def targets(content: bytes) -> list[list[int]]:
    found = []
    while content:
        magic, size = struct.unpack("<II", content[:8])
        assert magic == MAGIC
        payload = content[8 : 8 + size]
        found.append(decode_record(_with_source(payload))[1].tolist())
        content = content[8 + size + -size % 4 :]
    return found


def _with_source(payload: bytes) -> bytes:
    # `decode_record` wants both features; the answer has the target alone.
    empty = encode_record([], [])
    return empty[: len(empty) // 2] + payload


@pytest.fixture(scope="module")
def model(model_directory):
    return model_fn(model_directory)


def test_ids_are_answered_by_ids_that_read_as_the_same_translation(model):
    words = [["w0", "w3", "w5"], ["w7"], ["w1", "unheard", "w2"]]
    vocabulary = model.ready.tokenizer
    rows = [vocabulary.source.encode(" ".join(one)) for one in words]
    read = input_fn(request(*rows), RECORDIO)
    prediction = predict_fn(read, model)
    content, media = output_fn(prediction)
    assert media == RECORDIO
    texts = [vocabulary.target.decode(ids) for ids in targets(content)]
    asked = json.dumps({"instances": [{"data": " ".join(one)} for one in words]})
    expected = [answer.text for answer in predict_fn(input_fn(asked), model).answers]
    assert texts == expected
    content, media = output_fn(prediction, "application/json")
    assert [one["target"] for one in json.loads(content)["predictions"]] == expected


def test_text_can_be_answered_by_ids(model):
    content, _ = output_fn(predict_fn(input_fn("w1 w2\n\nw3", "text/plain"), model), RECORDIO)
    plain, _ = output_fn(predict_fn(input_fn("w1 w2\n\nw3", "text/plain"), model))
    decoded = [model.ready.tokenizer.target.decode(ids) for ids in targets(content)]
    assert decoded == plain.decode().splitlines()


def test_marks_and_padding_of_a_client_are_left_out():
    items = parse_request(request([2, 12, 5, 3, 0, 0], [], [3]), RECORDIO).items
    assert [item.ids for item in items] == [(12, 5), (), ()]


def test_ids_that_are_too_many_for_a_part_are_split_as_text(model):
    short = replace(model, planner=replace(model.planner, limits=Limits(part=8, text=40)))
    ids = [4 + i % 12 for i in range(30)]
    [answer] = predict_fn(input_fn(request(ids), RECORDIO), short).answers
    assert len(answer.parts) > 1
    assert " ".join(answer.sources).split() == [f"w{i % 12}" for i in range(30)]
    with pytest.raises(TooLong, match="at most 40 source tokens"):
        predict_fn(input_fn(request(ids + ids), RECORDIO), short)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "expected application/x-recordio-protobuf, got an empty body"),
        (b"{}", "the body: byte 0: expected a whole record"),
        (b"\0" * 12, "the body: byte 0: expected RecordIO's magic number"),
        (request([1])[:-9], "the body: byte 0: expected a record of"),
        (frame(b"\xff" * 11), "the body: record 1: expected a protobuf Record"),
        (request([5]) + frame(b""), "the body: record 2: .* no feature source"),
    ],
)
def test_other_bytes_are_refused_by_their_place(body, message):
    with pytest.raises(BadRequest, match=message):
        parse_request(body, RECORDIO)


@pytest.mark.parametrize("wrong", [16, -1, 10**9])
def test_an_id_outside_the_vocabulary_is_named(model, wrong):
    with pytest.raises(BadRequest, match=f"token ids from 0 to 15, got {wrong};"):
        predict_fn(input_fn(request([4, wrong]), RECORDIO), model)


def test_more_records_than_allowed_are_refused():
    with pytest.raises(TooLong, match="at most 2 texts"):
        parse_request(request([4], [5], [6]), RECORDIO, 2)


@given(st.lists(st.lists(st.integers(4, 2**31 - 1), max_size=9), min_size=1, max_size=5))
def test_any_ids_arrive_and_return(rows):
    read = parse_request(request(*rows), RECORDIO)
    assert [list(item.ids or ()) for item in read.items] == rows
    assert targets(encode_targets(rows)) == rows


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body):
    for content in (body, frame(body)):
        with contextlib.suppress(BadRequest):
            assert parse_request(content, RECORDIO).items
