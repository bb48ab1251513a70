"""What makes a page readable, asked of a browser that shows it."""

from typing import Any

__all__ = ["DESKTOP", "PHONE", "readable", "show"]

PHONE, DESKTOP = 390, 1200

# Letters in pictures grow and shrink with them: sizes as they are on the screen, in CSS pixels.
_MEASURE = """
(() => {
  const texts = [...document.querySelectorAll("svg text")];
  const box = e => e.getBoundingClientRect();
  const overlaps = (a, b) => a.left < b.right && b.left < a.right
      && a.top < b.bottom && b.top < a.bottom;
  let hidden = 0;
  for (const svg of document.querySelectorAll("svg")) {
    const labels = [...svg.querySelectorAll("text.category")].map(box);
    for (let i = 1; i < labels.length; i++) hidden += overlaps(labels[i - 1], labels[i]);
  }
  const matrix = e => e.getScreenCTM();
  const scale = e => Math.hypot(matrix(e).a, matrix(e).b);
  return {
    width: document.documentElement.scrollWidth,
    letters: Math.min(...texts.map(e => parseFloat(getComputedStyle(e).fontSize) * scale(e))),
    hidden,
    outside: texts.filter(e => {
      const [text, picture] = [box(e), box(e.ownerSVGElement)];
      return text.right > picture.right + 1 || text.left < picture.left - 1;
    }).map(e => e.textContent),
    contrast: contrast(getComputedStyle(document.body)),
  };
  function contrast(style) {
    const light = colour => {
      const [r, g, b] = colour.match(/[\\d.]+/g).map(c => {
        const x = c / 255;
        return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const [low, high] = [light(style.color), light(style.backgroundColor)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  }
})()
"""


def show(page: Any, url: str, width: int, *, dark: bool = False) -> dict[str, Any]:
    """Open it at a width, and measure what is seen."""
    page.call(
        "Emulation.setDeviceMetricsOverride",
        width=width, height=844, deviceScaleFactor=1, mobile=width == PHONE,
    )  # fmt: skip
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    page.call("Emulation.setEmulatedMedia", features=[scheme])
    page.open(url)
    return dict(page.evaluate(_MEASURE))


def readable(seen: dict[str, Any], width: int) -> None:
    """Nothing to scroll sideways for, letters of a size, and contrast as WCAG 2 has it (7)."""
    assert seen["width"] <= width
    assert seen["letters"] >= 10
    assert seen["hidden"] == 0
    assert seen["outside"] == []
    assert seen["contrast"] >= 7
