"""Tables of text: rows of cells as lines with aligned columns."""

from collections.abc import Sequence

__all__ = ["align_rows"]

_GAP = "  "


def align_rows(
    rows: Sequence[Sequence[str]], sides: str = "<>", least: Sequence[int] = (0,)
) -> list[str]:
    """Return one line for each row, with two spaces between columns and none at the end.

    `sides` has a character for each column: `<` for cells to the left, `>` for cells to the right.
    `least` has the least width of each column. The last value of each applies to all further
    columns. A row may have fewer cells than others.
    """
    columns = max(map(len, rows), default=0)
    sides += sides[-1] * columns
    least = [*least, *[least[-1]] * columns]
    widths = [
        max(least[column], *(len(row[column]) for row in rows if column < len(row)))
        for column in range(columns)
    ]
    return [
        _GAP.join(
            f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=False)
        ).rstrip()
        for row in rows
    ]
