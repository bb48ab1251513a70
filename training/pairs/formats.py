"""Formats of files, found by name and first bytes, and the pairing of parallel files."""

import codecs
from collections.abc import Sequence
from pathlib import Path

from longspan.training.errors import DataError

__all__ = ["FORMATS", "detect_format", "pair_up", "refuse_no_text"]

FORMATS = ("tsv", "parallel", "jsonl", "parquet", "tmx")

_COMPRESSIONS = (".gz", ".xz", ".zst", ".zstd")
_SUFFIXES = {
    ".tsv": "tsv",
    ".txt": "tsv",
    ".json": "jsonl",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".tmx": "tmx",
}
# The mark of UTF-32 LE begins with that of UTF-16 LE.
_UTF16_OR_32 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


def detect_format(name: str, head: bytes) -> str:
    """Return one of FORMATS by the first bytes, or by the name, or else TSV."""
    if head.startswith(b"PAR1"):
        return "parquet"
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if start.startswith((b"<?xml", b"<tmx", b"<!DOCTYPE tmx")):
        return "tmx"
    suffix = _plain_path(name).suffix.lower()
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    first = start.split(b"\n", 1)[0].strip()
    objects = first.startswith(b"{") and first.endswith(b"}")
    return "jsonl" if objects or (first.startswith(b'["') and first.endswith(b"]")) else "tsv"


def refuse_no_text(name: str, head: bytes) -> None:
    """Raise DataError when the first bytes are not UTF-8 text.

    A few damaged rows are accepted here, and reported one by one when they are read.
    """
    if head.startswith(_UTF16_OR_32):
        raise DataError(
            f"{name}: expected UTF-8 text, got UTF-16 or UTF-32; "
            "convert it, for example with iconv -t UTF-8"
        )
    if b"\0" in head:
        place = head.count(b"\n", 0, head.index(b"\0")) + 1
        raise DataError(
            f"{name}: expected text, got binary data (a zero byte in line {place}); "
            "give a text file, or its --format"
        )
    # Without the last line, which may end in the middle of a character.
    rows = [line for line in head.split(b"\n")[:-1] if not line.isascii()]
    broken = sum(1 for line in rows if not _is_utf8(line))
    if len(rows) >= 10 and 2 * broken > len(rows):
        raise DataError(
            f"{name}: expected UTF-8 text, got other bytes in {broken} of the first {len(rows)} "
            "rows beyond ASCII; convert it, for example with iconv -f EUC-JP -t UTF-8"
        )


def pair_up(
    paths: Sequence[str], format: str | None, source_language: str, target_language: str
) -> list[tuple[str, ...]]:
    """Group files: one alone, or two parallel ones, source first.

    Two files are parallel if only their language suffixes differ, as in `train.en.gz` and
    `train.ja.gz`. If only one of them is named, the other one is searched on the disk. With format
    `parallel`, files without such suffixes are parallel in the order given. Raises DataError for
    a file without its other half, and without any file.
    """
    if not paths:
        raise DataError("expected a file of pairs, got none; name one, or - for standard input")
    suffixes = (f".{source_language}".lower(), f".{target_language}".lower())
    by_suffix = all(_plain_path(path).suffix.lower() in suffixes for path in paths)
    if format is None or (format == "parallel" and by_suffix):
        return _by_suffix(paths, suffixes)
    if format != "parallel":
        return [(path,) for path in paths]
    if len(paths) % 2:
        raise DataError(
            f"expected two files for each parallel corpus, got {len(paths)} file(s); "
            "name source and target files in turn"
        )
    return [(paths[i], paths[i + 1]) for i in range(0, len(paths), 2)]


def _by_suffix(paths: Sequence[str], suffixes: tuple[str, str]) -> list[tuple[str, ...]]:
    """Group files with one of the two suffixes, at the place of the first; others stay alone."""
    halves: dict[str, dict[str, str]] = {}
    groups: list[str | tuple[str, dict[str, str]]] = []
    for path in paths:
        plain = _plain_path(path)
        suffix, stem = plain.suffix.lower(), str(plain.with_suffix(""))
        if suffix not in suffixes:
            groups.append(path)
            continue
        if stem not in halves:
            halves[stem] = {}
            groups.append((stem, halves[stem]))
        if suffix in halves[stem]:
            raise DataError(f"{path}: expected each file once, got it twice; name it once")
        halves[stem][suffix] = path
    return [(group,) if isinstance(group, str) else _both(*group, suffixes) for group in groups]


def _both(stem: str, found: dict[str, str], suffixes: tuple[str, str]) -> tuple[str, ...]:
    """Return the source and the target file; search the disk for one that was not named."""
    both = [found.get(suffix) or _existing(stem + suffix) for suffix in suffixes]
    for suffix, path in zip(suffixes, both, strict=True):
        if path is None:
            raise DataError(
                f"{next(iter(found.values()))}: expected a parallel file {stem}{suffix} "
                "with it, got none; name both, or give --format for a file of pairs"
            )
    return tuple(path for path in both if path is not None)


def _existing(path: str) -> str | None:
    return next((path + c for c in ("", *_COMPRESSIONS) if Path(path + c).is_file()), None)


def _plain_path(name: str) -> Path:
    path = Path(name)
    return path.with_suffix("") if path.suffix.lower() in _COMPRESSIONS else path


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
