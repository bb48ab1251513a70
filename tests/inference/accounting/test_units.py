"""Units are a partition of the tokens, cut behind the marks of clauses."""

from hypothesis import given
from hypothesis import strategies as st

from longspan.inference.accounting.units import split_units

ANY = st.text(alphabet="ab ,.、。\n3:」", max_size=120)


def by_character(text: str) -> list[tuple[int, int]]:
    return [(i, i + 1) for i in range(len(text))]


@given(text=ANY)
def test_units_are_all_tokens_in_order(text):
    units = split_units(text, by_character(text))
    assert [n for start, stop in units for n in range(start, stop)] == list(range(len(text)))
    assert all(3 <= stop - start <= 40 for start, stop in units) or len(text) < 3


def test_units_end_behind_marks_and_not_within_numbers():
    text = "At 10:30, he paid 3.5 yen. (Why?) Nobody knows"
    units = split_units(text, by_character(text))
    found = [text[start:stop] for start, stop in units]
    assert found == ["At 10:30,", " he paid 3.5 yen.", " (Why?)", " Nobody knows"]
    text = "猫は寝た。「犬も寝た。」と言った、それから起きた"
    found = [text[start:stop] for start, stop in split_units(text, by_character(text))]
    assert found == ["猫は寝た。", "「犬も寝た。」", "と言った、", "それから起きた"]


def test_a_long_clause_is_cut_between_words():
    text = " ".join(["word"] * 30)
    units = split_units(text, by_character(text))
    assert len(units) > 3
    assert all(text[start] == " " for start, _ in units[1:])


def test_a_short_rest_belongs_to_the_unit_before_it():
    text = "one two, no. I"
    words = [(0, 3), (4, 7), (7, 8), (9, 11), (11, 12), (13, 14)]
    assert split_units(text, words) == [(0, 3), (3, 6)]
    assert split_units("", []) == []
    assert split_units("a", [(0, 1)]) == [(0, 1)]
