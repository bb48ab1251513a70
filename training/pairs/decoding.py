"""Bytes of one line or value as text, with what is wrong reported."""

from longspan.training.pairs.rows import INVALID_UTF8, Report

__all__ = ["decode"]


def decode(line: bytes, name: str, number: int, report: Report) -> str | None:
    """Return the text of UTF-8, or report the first wrong byte and return None."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        detail = f"byte {error.start + 1} is 0x{line[error.start]:02x}"
        report(INVALID_UTF8, name, number, detail)
        return None
