"""Heat maps: attention matrices as SVG axes around a small PNG.

A PNG, because the matrix of a long sentence has a hundred thousand cells, too many for one SVG
element each.
"""

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

__all__ = ["heat_map", "png"]

_LEFT, _TOP, _SIZE, _RIGHT = 66, 66, 296, 42
_TICKS = 14
_LONGEST_LABEL = 9
_COLOUR = (11, 107, 203)  # visible on light and dark pages

_Matrix = NDArray[np.float32]


def heat_map(title: str, matrix: _Matrix, rows: Sequence[str], columns: Sequence[str]) -> Markup:
    """Return a heat map as an SVG element; matrix (row, column) has weights from 0 to 1.

    `rows` and `columns` are labels; as many are shown as there is room for. Raises ValueError for
    an empty matrix, or one of another shape than the labels.
    """
    if matrix.shape != (len(rows), len(columns)) or not matrix.size:
        raise ValueError(
            f"expected a matrix of {len(rows)} x {len(columns)} and not empty, got {matrix.shape}"
        )
    height = _SIZE * min(1.2, max(0.4, len(rows) / len(columns)))
    content = base64.b64encode(png(matrix)).decode()
    picture = (
        f'<image x="{_LEFT}" y="{_TOP}" width="{_SIZE}" height="{height:.0f}" '
        f'preserveAspectRatio="none" style="image-rendering:pixelated" '
        f'href="data:image/png;base64,{content}"/>'
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_SIZE}" height="{height:.0f}" class="frame"/>'
    )
    labels = [
        f'<text class="scale" x="{_LEFT - 6}" y="{_TOP + height * at + 4:.1f}">{text}</text>'
        for at, text in _ticks(rows)
    ] + [
        f'<text transform="translate({_LEFT + _SIZE * at + 4:.1f} {_TOP - 6}) rotate(-55)">'
        f"{text}</text>"
        for at, text in _ticks(columns)
    ]
    label = escape(title)
    return Markup(
        f'<svg viewBox="0 0 {_LEFT + _SIZE + _RIGHT} {_TOP + height + 8:.0f}" role="img" '
        f'aria-label="{label}"><title>{label}</title>{picture}{"".join(labels)}</svg>'
    )


def png(matrix: _Matrix) -> bytes:
    """Return a PNG of one colour, with the square root of the weight as opacity.

    The square root makes small weights visible.

    PNG (ISO/IEC 15948), colour type 6: RGBA, 8 bits each.
    """
    height, width = matrix.shape
    pixels = np.empty((height, width, 4), dtype=np.uint8)
    pixels[..., :3] = _COLOUR
    pixels[..., 3] = np.rint(255 * np.sqrt(np.clip(matrix, 0, 1)))
    lines = np.zeros((height, 1 + 4 * width), dtype=np.uint8)  # each begins with filter 0
    lines[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def _ticks(labels: Sequence[str]) -> list[tuple[float, str]]:
    """Return (place from 0 to 1, label) for the middles of some cells."""
    step = -(-len(labels) // _TICKS)
    return [
        ((i + 0.5) / len(labels), escape(labels[i][:_LONGEST_LABEL]))
        for i in range(0, len(labels), step)
    ]
