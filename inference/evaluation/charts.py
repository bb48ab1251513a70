"""Line charts as SVG: figures by bucket of sentence length, with intervals.

They are drawn here and not by a plotting library, so that the image needs none, and so that a page
works without scripts and follows its light or dark colours. Charts are as wide as a phone's page,
so that their text is readable there.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from markupsafe import Markup, escape

__all__ = ["Series", "chart_style", "line_chart", "standalone"]

_WIDTH, _HEIGHT = 400, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 42, 6, 10, 26
# The least distance of two labels, and the most distance of the points of two series.
_LABEL, _ASIDE = 38, 6
# Of a chart that stands alone: the caption above it and the key below, in lines of this height.
_TEXT_LINE = 20


@dataclass(frozen=True)
class Series:
    """One line: a value for each category, None where nothing was measured.

    `muted` lines have one soft colour and are not in the page's key.
    """

    name: str
    values: Sequence[float | None]
    intervals: Sequence[tuple[float, float] | None] = ()
    muted: bool = False


def line_chart(
    title: str,
    categories: Sequence[str],
    series: Sequence[Series],
    *,
    places: Sequence[float] | None = None,
    reference: float | None = None,
    percent: bool = False,
) -> Markup:
    """Return a chart as an SVG element. Its scale begins at 0.

    `reference` draws a dashed line, such as 1.0 for a ratio. Categories have equal distances, or
    the growing `places`. A category without room for its label has only its points. With
    `percent`, shares are shown as percentages.

    Raises ValueError when a series does not have one value for each category.
    """
    for one in series:
        if len(one.values) != len(categories):
            raise ValueError(
                f"{one.name}: expected {len(categories)} values, got {len(one.values)}"
            )
    frame = _Frame(_spread(len(categories), places), _top(series, reference), percent)
    parts = [*_axes(frame, categories)]
    if reference is not None:
        y = frame.y(reference)
        parts.append(f'<line class="reference" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" {_at(y)}/>')
    named = [one for one in series if not one.muted]
    for one in series:
        if one.muted:
            parts.append(f'<g class="series muted">{"".join(_line(frame, one, 0.0))}</g>')
    for number, one in enumerate(named):
        # Points of several series stand side by side, so that no interval hides another.
        aside = _ASIDE * (number - (len(named) - 1) / 2) if places is None else 0.0
        parts.append(f'<g class="series s{number}">{"".join(_line(frame, one, aside))}</g>')
    label = escape(title)
    return Markup(
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
        f"<title>{label}</title>{''.join(parts)}</svg>"
    )


def chart_style() -> Markup:
    """Return the style sheet of the charts, for light and dark pages."""
    return Markup(files("longspan.inference.evaluation").joinpath("charts.css").read_text("utf-8"))


def standalone(chart: Markup, caption: str, names: Sequence[str]) -> str:
    """Return a chart as an SVG file: its caption, itself, and a key to its series."""
    height = _HEIGHT + 2 * _TEXT_LINE
    key, x = [], float(_LEFT)
    for number, name in enumerate(names):
        y = height - _TEXT_LINE / 2
        line = f'<polyline points="{x:.0f},{y:.0f} {x + 24:.0f},{y:.0f}"/>'
        key.append(
            f'<g class="series s{number}">{line}</g>'
            f'<text x="{x + 30:.0f}" y="{y + 4:.0f}">{escape(name)}</text>'
        )
        x += 48 + 7 * len(name)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'font-family="system-ui, sans-serif"><style>\n{chart_style()}</style>'
        f'<text x="{_LEFT}" y="14">{escape(caption)}</text>'
        f'<svg y="{_TEXT_LINE}" width="{_WIDTH}" height="{_HEIGHT}">{chart}</svg>'
        f"{''.join(key)}</svg>\n"
    )


@dataclass(frozen=True)
class _Frame:
    """Converts a category's number and a value to a place on the page."""

    across: Sequence[float]  # of each category, 0 to 1
    top: float
    percent: bool

    def x(self, category: int) -> float:
        return _LEFT + self.across[category] * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        # The y axis of SVG points down.
        return _HEIGHT - _BOTTOM - value / self.top * (_HEIGHT - _TOP - _BOTTOM)

    def show(self, value: float) -> str:
        return f"{100 * value:.3g}%" if self.percent else f"{value:.3g}"


def _spread(count: int, places: Sequence[float] | None) -> list[float]:
    """Return the place of each category from 0 to 1, with a margin at both ends."""
    if places is None or len(places) < 2:
        return [(number + 0.5) / count for number in range(count)]
    margin = 0.06
    first, span = places[0], places[-1] - places[0]
    return [margin + (1 - 2 * margin) * (place - first) / span for place in places]


def _top(series: Sequence[Series], reference: float | None) -> float:
    """Return the end of the scale: a round number above all values, with round quarters."""
    shown = [value for one in series for value in one.values if value is not None]
    shown += [high for one in series for high in (i[1] for i in one.intervals if i)]
    highest = max([*shown, reference or 0.0])
    if not highest:  # all values are 0, which any scale shows
        return 1.0
    step = 10.0 ** math.floor(math.log10(highest))
    # Their quarters are short numbers: 1.5 for 6, 0.25 for 1.
    rounded = (step * m for m in (1, 2, 4, 6, 8, 10) if step * m >= highest)
    return next(rounded, highest)  # none where the step of a tiny number is 0


def _axes(frame: _Frame, categories: Sequence[str]) -> list[str]:
    parts = []
    for quarter in range(5):
        value = frame.top * quarter / 4
        y = frame.y(value)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" {_at(y)}/>')
        parts.append(
            f'<text class="scale" x="{_LEFT - 6}" y="{y + 4:.1f}">{frame.show(value)}</text>'
        )
    free_from = 0.0
    for number, name in enumerate(categories):
        x, y = frame.x(number), _HEIGHT - _BOTTOM + 18
        # Otherwise it would overlap the label before it.
        if x >= free_from:
            parts.append(f'<text class="category" x="{x:.1f}" y="{y}">{escape(name)}</text>')
            free_from = x + _LABEL
    return parts


def _line(frame: _Frame, series: Series, aside: float) -> list[str]:
    parts, points = [], []
    for number, value in enumerate(series.values):
        if value is None:
            continue
        x, y = frame.x(number) + aside, frame.y(value)
        points.append(f"{x:.1f},{y:.1f}")
        interval = series.intervals[number] if series.intervals else None
        if interval is not None:
            low, high = (frame.y(end) for end in interval)
            parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>')
        tip = f"<title>{escape(series.name)}: {frame.show(value)}</title>"
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2">{tip}</circle>')
    return [f'<polyline points="{" ".join(points)}"/>', *parts]


def _at(y: float) -> str:
    return f'y1="{y:.1f}" y2="{y:.1f}"'
