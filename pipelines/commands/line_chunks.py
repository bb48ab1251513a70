"""Lines of a text in chunks that can be worked on at once, as soon as they are there."""

from collections.abc import Iterable, Iterator

from longspan.training.errors import DataError

__all__ = ["line_chunks"]

_MARK = b"\xef\xbb\xbf"


def line_chunks(blocks: Iterable[bytes], name: str, most: int) -> Iterator[list[str]]:
    r"""Lists of up to `most` lines, without `\n` or `\r\n`, in order.

    A block's whole lines are given out before the next block is asked for, so what a slow
    writer has written is not held back. A byte order mark is left out.

    Raises DataError, naming the line, for text that is not UTF-8; the lines before it come first.
    """
    rest, number = b"", 0
    for block in _without_mark(blocks):
        *whole, rest = (rest + block).split(b"\n")
        for chunk in _parts(whole, most):
            yield from _decoded(chunk, name, number)
            number += len(chunk)
    if rest:
        yield from _decoded([rest], name, number)


def _parts(lines: list[bytes], most: int) -> Iterator[list[bytes]]:
    for start in range(0, len(lines), most):
        yield lines[start : start + most]


def _decoded(lines: list[bytes], name: str, before: int) -> Iterator[list[str]]:
    texts: list[str] = []
    for line in lines:
        try:
            texts.append(line.removesuffix(b"\r").decode())
        except UnicodeDecodeError as error:
            if texts:
                yield texts
            raise DataError(
                f"{name}:{before + len(texts) + 1}: expected UTF-8 text, got byte "
                f"0x{error.object[error.start]:02x} ({error.reason}); convert it to UTF-8"
            ) from error
    yield texts


def _without_mark(blocks: Iterable[bytes]) -> Iterator[bytes]:
    start = b""
    started = False
    for block in blocks:
        if started:
            yield block
            continue
        start += block
        if len(start) >= len(_MARK) or not _MARK.startswith(start):
            started = True
            yield start.removeprefix(_MARK)
    if not started:
        yield start.removeprefix(_MARK)
