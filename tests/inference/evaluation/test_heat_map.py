"""The picture of a matrix, read back."""

import base64
import re
import struct
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest

from longspan.inference.evaluation.heat_map import heat_map, png


def pixels(content):
    """(height, width, RGBA) of a PNG as `png` writes it, checksums tested."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        body = content[at + 4 : at + 8 + length]
        assert struct.unpack(">I", content[at + 8 + length : at + 12 + length])[0] == zlib.crc32(
            body
        )
        chunks[body[:4]] = body[4:]
        at += 12 + length
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), dtype=np.uint8)
    return lines.reshape(height, 1 + 4 * width)[:, 1:].reshape(height, width, 4)


def test_ink_is_the_root_of_the_weight():
    matrix = np.array([[0, 1, 0.25], [0.04, 0, 0]], dtype=np.float32)
    assert pixels(png(matrix))[..., 3].tolist() == [[0, 255, 128], [51, 0, 0]]


def test_the_picture_holds_the_matrix_and_its_labels():
    matrix = np.random.default_rng(1).random((300, 200), dtype=np.float32)
    svg = heat_map("a <title>", matrix, [f"r{i}" for i in range(300)], ["<b>"] * 200)
    root = ElementTree.fromstring(svg)
    assert root.find("title").text == "a <title>"
    content = re.search(r"data:image/png;base64,([^\"]+)", svg)[1]
    assert pixels(base64.b64decode(content)).shape == (300, 200, 4)
    labels = [text.text for text in root.findall("text")]
    assert labels[0] == "r0"
    assert "<b>" in labels
    assert len(labels) <= 32


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 400), (400, 1)])
def test_any_shape_is_drawn(rows, columns):
    svg = heat_map("x", np.ones((rows, columns), np.float32), ["r"] * rows, ["c"] * columns)
    assert ElementTree.fromstring(svg).get("viewBox")


def test_labels_must_fit():
    with pytest.raises(ValueError, match="expected a matrix of 2 x 1"):
        heat_map("x", np.ones((1, 1), np.float32), ["a", "b"], ["c"])
    with pytest.raises(ValueError, match="not empty"):
        heat_map("x", np.ones((0, 1), np.float32), [], ["c"])
