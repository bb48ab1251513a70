"""Paths into JSON."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.infra.local.pipeline.definition.paths import Unresolved, look_up, parse_path

NAME = st.text(st.characters(exclude_characters="'\"", exclude_categories=["Cs"]), max_size=8)
DOTTED = st.from_regex(r"[A-Za-z_\-][A-Za-z0-9_\-]{0,7}", fullmatch=True)
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAME, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ("a",)),
        ("a.b", ("a", "b")),
        ("a[0].b", ("a", 0, "b")),
        ("a['b.c'][\"d\"].e", ("a", "b.c", "d", "e")),
        ("['a b']", ("a b",)),
        ("[1][2]", (1, 2)),
        ("$.a.b", ("a", "b")),
        ("$['a']", ("a",)),
        ("validation:bleu_long", ("validation:bleu_long",)),
    ],
)
def test_a_path_is_read(text: str, path: Any) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize(
    "text", ["", "$", "a.", ".", "a[", "a[x]", "a['b]", "a..b", "a]b", "a['b']c"]
)
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_path(text)


@given(st.lists(st.integers(0, 99) | DOTTED | NAME, min_size=1, max_size=5), st.data())
def test_a_path_comes_out_as_it_was_written(path: list[str | int], data: st.DataObject) -> None:
    text = ""
    for token in path:
        if isinstance(token, int):
            text += f"[{token}]"
        elif (
            data.draw(st.booleans()) and token.replace("-", "_").isidentifier() and token.isascii()
        ):
            text += f".{token}" if text else token
        else:
            text += f"['{token}']"
    assert parse_path(text) == tuple(path)


@given(JSON)
def test_every_value_is_found_at_its_path(value: Any) -> None:
    def check(inner: Any, path: tuple[str | int, ...]) -> None:
        assert look_up(value, path) == inner
        if isinstance(inner, dict):
            for name, item in inner.items():
                check(item, (*path, name))
        elif isinstance(inner, list):
            for number, item in enumerate(inner):
                check(item, (*path, number))

    check(value, ())


def test_an_element_is_found_by_its_name() -> None:
    outputs = [{"OutputName": "a", "Uri": 1}, {"OutputName": "b", "Uri": 2}]
    assert look_up({"Outputs": outputs}, parse_path("Outputs['b'].Uri")) == 2


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("b", r"no b; there are: a"),
        ("a[2]", r"no a\[2\] in a list of 1"),
        ("a['x']", r"no a\.x in a list of 1"),
        ("a[0].b", r"no a\[0\]\.b in 5"),
    ],
)
def test_a_path_that_leads_nowhere_says_where_it_ends(path: str, words: str) -> None:
    with pytest.raises(Unresolved, match=words):
        look_up({"a": [5]}, parse_path(path))
