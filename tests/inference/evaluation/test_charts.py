import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from longspan.inference.evaluation.charts import Series, line_chart, standalone


def circles(svg: str) -> list[tuple[float, float]]:
    found = ET.fromstring(svg).iter("circle")
    return [(float(c.attrib["cx"]), float(c.attrib["cy"])) for c in found]


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e6, allow_nan=False)), min_size=1, max_size=12))
@example([5e-324])
def test_every_value_is_on_the_page_and_higher_is_higher(values: list[float | None]):
    svg = line_chart("t", [str(n) for n in range(len(values))], [Series("s", values)])
    shown = [value for value in values if value is not None]
    points = circles(svg)
    assert len(points) == len(shown)
    assert all(0 <= x <= 640 and 0 <= y <= 300 for x, y in points)
    by_value = sorted(zip(shown, points, strict=True))
    heights = [point[1] for _, point in by_value]
    assert heights == sorted(heights, reverse=True)


def test_names_are_escaped():
    svg = line_chart("<b>", ["<i>"], [Series("<u>", [1.0])])
    assert "<b>" not in svg
    assert "<i>" not in svg
    assert "<u>" not in svg
    ET.fromstring(svg)


def test_intervals_span_their_value():
    svg = line_chart("t", ["a"], [Series("s", [5.0], [(2.0, 7.0)])])
    ((_, y),) = circles(svg)
    low, high = re.search(r'<g.*?<line [^>]*y1="([\d.]+)" y2="([\d.]+)"', svg).groups()  # type: ignore[union-attr]
    assert float(low) > y > float(high)


def test_a_reference_line_is_drawn_and_fits():
    svg = line_chart("t", ["a"], [Series("s", [0.2])], reference=1.0)
    (line,) = [e for e in ET.fromstring(svg).iter("line") if e.get("class") == "reference"]
    assert 0 < float(line.attrib["y1"]) < 300


def test_shares_can_be_percentages():
    assert "50%" in line_chart("t", ["a"], [Series("s", [0.5])], percent=True)


def test_a_series_must_fit_the_categories():
    with pytest.raises(ValueError, match="expected 2 values, got 1"):
        line_chart("t", ["a", "b"], [Series("s", [1.0])])


def test_a_chart_that_stands_alone_has_its_style_and_a_key():
    chart = line_chart("t", ["a"], [Series("one", [1.0]), Series("<two>", [2.0])])
    root = ET.fromstring(standalone(chart, "BLEU & words", ["one", "<two>"]))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0] == "BLEU & words"
    assert texts[-2:] == ["one", "<two>"]
    [style] = root.iter("{http://www.w3.org/2000/svg}style")
    assert "prefers-color-scheme: dark" in (style.text or "")
    # The chart's own elements lie in the same document, with the classes that the style names.
    assert len(list(root.iter("{http://www.w3.org/2000/svg}circle"))) == 2


def test_the_lines_of_a_chart_reach_from_its_scale_to_its_right_edge():
    root = ET.fromstring(line_chart("t", ["a", "b"], [Series("s", [0.0, 100.0])]))
    grid = [one for one in root.iter("line") if one.attrib["class"] == "grid"]
    width, height = (float(n) for n in root.attrib["viewBox"].split()[2:])
    assert {float(line.attrib["x2"]) for line in grid} == {width - 6}
    assert max(float(line.attrib["x1"]) for line in grid) < width / 8  # room for the scale alone
    assert min(float(line.attrib["y1"]) for line in grid) < height / 20


def test_values_that_are_all_0_have_a_scale_of_short_numbers():
    svg = line_chart("t", ["a", "b"], [Series("x", [0.0, 0.0])], percent=True)
    scale = re.findall(r'<text class="scale"[^>]*>([^<]*)<', svg)
    assert scale == ["0%", "25%", "50%", "75%", "100%"]
