"""Content negotiation."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.inference.refusals import NotAcceptable, UnsupportedMedia
from longspan.inference.requests.media_types import (
    CSV,
    JSON,
    JSON_LINES,
    KNOWN,
    TEXT,
    ContentType,
    choose,
)


@pytest.mark.parametrize(
    ("header", "media"),
    [
        (None, JSON),
        ("", JSON),
        ("application/json", JSON),
        ("Application/JSON; charset=UTF-8", JSON),
        ("application/jsonlines", JSON_LINES),
        ("application/x-ndjson", JSON_LINES),
        ("text/csv; header=present", CSV),
        ("text/plain;charset=utf-8", TEXT),
    ],
)
def test_content_types_that_are_known(header: str | None, media: str):
    assert ContentType(header).media == media


@pytest.mark.parametrize(
    "header",
    ["image/png", "application/x-recordio", "json", "text/csv; charset=shift_jis"],
)
def test_content_types_that_are_not(header: str):
    with pytest.raises(UnsupportedMedia, match="expected"):
        ContentType(header)


@pytest.mark.parametrize(
    ("accept", "preferred", "media"),
    [
        (None, CSV, CSV),
        ("*/*", JSON_LINES, JSON_LINES),
        ("application/json", CSV, JSON),
        ("text/*", JSON, CSV),
        ("text/*", TEXT, TEXT),
        ("text/plain;q=0.3, application/json;q=0.9", TEXT, JSON),
        ("image/png, */*;q=0.1", TEXT, TEXT),
        ("application/jsonl", JSON, JSON_LINES),
        ("*/*, application/json;q=0", JSON, JSON_LINES),
    ],
)
def test_the_best_that_the_client_takes(accept: str | None, preferred: str, media: str):
    assert choose(accept, preferred) == media


def test_a_client_that_takes_nothing_of_ours_is_told_what_there_is():
    with pytest.raises(NotAcceptable, match=r"application/json.*image/png"):
        choose("image/png", JSON)


@given(st.text(), st.text())
def test_any_header_is_understood_or_refused(content_type: str, accept: str):
    with contextlib.suppress(UnsupportedMedia):
        assert ContentType(content_type).media in KNOWN
    with contextlib.suppress(NotAcceptable):
        assert choose(accept, JSON) in KNOWN
