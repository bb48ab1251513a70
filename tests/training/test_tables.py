"""Tables of text: columns line up, whatever their cells hold."""

from hypothesis import given
from hypothesis import strategies as st

from longspan.training.tables import align_rows

CELLS = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=5))
def test_columns_stand_below_each_other(rows: list[list[str]]) -> None:
    lines = align_rows(rows, "<><")
    assert [line.split() for line in lines] == rows
    first = max(len(row[0]) for row in rows)
    ends = {
        line.rindex(f"{row[1]}  {row[2]}") + len(row[1])
        for line, row in zip(lines, rows, strict=True)
    }
    assert ends == {first + 2 + max(len(row[1]) for row in rows)}
    assert all(line.startswith(row[0]) for line, row in zip(lines, rows, strict=True))


def test_widths_are_at_least_as_asked_and_short_rows_end_early() -> None:
    assert align_rows([["a", "1"], ["b"]], least=(3, 4)) == ["a       1", "b"]
    assert align_rows([["a", "1", "2"]], "<>", (0, 2)) == ["a   1   2"]
    assert align_rows([]) == []
