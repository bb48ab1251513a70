"""What the server and its workers say to each other, as frames of bytes. No pickle.

A frame is the length of its JSON, the length of what follows the JSON, both four bytes, big end
first, then the two. What follows are alignments, float32, one after the other.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from longspan.inference.search.hypothesis import Hypothesis
from longspan.inference.search.settings import SearchSettings

__all__ = ["HEADER_BYTES", "Frame", "TranslationJob", "TranslationResult", "read_frame", "sizes"]

HEADER_BYTES = 8
_LENGTHS = struct.Struct(">II")


@dataclass(frozen=True)
class Frame:
    """One message."""

    content: Mapping[str, Any]
    blob: bytes = b""

    def pack(self) -> bytes:
        """As it is sent."""
        text = json.dumps(self.content, separators=(",", ":")).encode()
        return _LENGTHS.pack(len(text), len(self.blob)) + text + self.blob

    @classmethod
    def unpack(cls, header: bytes, rest: bytes) -> "Frame":
        """From what came."""
        length, _ = sizes(header)
        return cls(json.loads(rest[:length]), rest[length:])


def sizes(header: bytes) -> tuple[int, int]:
    """Bytes of JSON and of what follows it."""
    text, blob = _LENGTHS.unpack(header)
    return int(text), int(blob)


def read_frame(stream: BinaryIO) -> Frame | None:
    """The next one, waiting for it; None at the end."""
    header = stream.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES:
        return None
    return Frame.unpack(header, stream.read(sum(sizes(header))))


@dataclass(frozen=True)
class TranslationJob:
    """One part to translate. `delay` are seconds that it may wait for others to go with it;
    with `partial` it tells what it has so far, all along."""

    number: int
    ids: tuple[int, ...]
    settings: SearchSettings
    delay: float = 0.0
    partial: bool = False

    def frame(self) -> Frame:
        """As a message."""
        return Frame({"job": vars(self) | {"settings": self.settings.model_dump()}})

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "TranslationJob":
        """From a message's `job`."""
        settings = SearchSettings(**content["settings"])
        return cls(**{**content, "ids": tuple(content["ids"]), "settings": settings})


@dataclass(frozen=True)
class TranslationResult:
    """A job's hypotheses, best first; how long it waited and was worked on, with how many."""

    number: int
    hypotheses: tuple[Hypothesis, ...]
    waited: float
    worked: float
    together: int

    def frame(self) -> Frame:
        """As a message."""
        shapes = [None if h.alignment is None else h.alignment.shape for h in self.hypotheses]
        content = {
            "number": self.number,
            "waited": self.waited,
            "worked": self.worked,
            "together": self.together,
            "hypotheses": [
                {
                    "ids": h.ids,
                    "score": h.score,
                    "log_probability": h.log_probability,
                    "finished": h.finished,
                    "looping": h.looping,
                }
                for h in self.hypotheses
            ],
            "shapes": shapes,
        }
        weights = [h.alignment for h in self.hypotheses if h.alignment is not None]
        return Frame({"result": content}, b"".join(w.astype("<f4").tobytes() for w in weights))

    @classmethod
    def of(cls, content: Mapping[str, Any], blob: bytes) -> "TranslationResult":
        """From a message's `result`."""
        rest = _array(blob) if any(content["shapes"]) else None
        hypotheses = []
        for plain, shape in zip(content["hypotheses"], content["shapes"], strict=True):
            alignment, rest = _take(rest, shape)
            hypotheses.append(Hypothesis(**plain, alignment=alignment))
        return cls(
            content["number"],
            tuple(hypotheses),
            content["waited"],
            content["worked"],
            content["together"],
        )


def _array(blob: bytes) -> Any:
    import numpy as np  # here, since few requests ask for an alignment

    return np.frombuffer(blob, dtype="<f4")


def _take(rest: Any, shape: Sequence[int] | None) -> tuple[Any, Any]:
    if shape is None:
        return None, rest
    rows, columns = shape
    count = rows * columns
    return rest[:count].reshape(rows, columns), rest[count:]
