"""Messages between the server and its workers, as frames of bytes, without pickle.

    | length of the JSON | length of the blob | JSON | blob |
      4 bytes, big-endian  4 bytes, big-endian

The blob holds alignments as little-endian float32, one after another.
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
        """Return the frame as bytes."""
        text = json.dumps(self.content, separators=(",", ":")).encode()
        return _LENGTHS.pack(len(text), len(self.blob)) + text + self.blob

    @classmethod
    def unpack(cls, header: bytes, rest: bytes) -> "Frame":
        """Read a frame from its header and the bytes after it."""
        length, _ = sizes(header)
        return cls(json.loads(rest[:length]), rest[length:])


def sizes(header: bytes) -> tuple[int, int]:
    """Return the number of bytes of the JSON and of the blob."""
    text, blob = _LENGTHS.unpack(header)
    return int(text), int(blob)


def read_frame(stream: BinaryIO) -> Frame | None:
    """Wait for the next frame; None at the end of the stream."""
    header = stream.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES:
        return None
    return Frame.unpack(header, stream.read(sum(sizes(header))))


@dataclass(frozen=True)
class TranslationJob:
    """One part to translate.

    `delay` is how many seconds it may wait for other parts to be searched with. With `partial` the
    worker sends the tokens while the search runs. With a `target`, token ids without EOS, nothing
    is searched: the result is this target, scored.
    """

    number: int
    ids: tuple[int, ...]
    settings: SearchSettings
    delay: float = 0.0
    partial: bool = False
    target: tuple[int, ...] | None = None

    def frame(self) -> Frame:
        """Return the message as a frame."""
        return Frame({"job": vars(self) | {"settings": self.settings.model_dump()}})

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "TranslationJob":
        """Read a job from the `job` of a message."""
        target = content["target"]
        return cls(
            **{
                **content,
                "ids": tuple(content["ids"]),
                "settings": SearchSettings(**content["settings"]),
                "target": None if target is None else tuple(target),
            }
        )


@dataclass(frozen=True)
class TranslationResult:
    """A job's hypotheses, best first, with the seconds that it `waited` and was `worked` on.

    `together` is the number of parts in its search.
    """

    number: int
    hypotheses: tuple[Hypothesis, ...]
    waited: float
    worked: float
    together: int

    def frame(self) -> Frame:
        """Return the message as a frame."""
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
                    "token_log_probabilities": h.token_log_probabilities,
                }
                for h in self.hypotheses
            ],
            "shapes": shapes,
        }
        weights = [h.alignment for h in self.hypotheses if h.alignment is not None]
        return Frame({"result": content}, b"".join(w.astype("<f4").tobytes() for w in weights))

    @classmethod
    def of(cls, content: Mapping[str, Any], blob: bytes) -> "TranslationResult":
        """Read a result from the `result` of a message and its blob."""
        # Each alignment is (target, source); the blob has no separators, so their order is that of
        # the hypotheses.
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
