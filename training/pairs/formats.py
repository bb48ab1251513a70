"""Formats of files, found by name and first bytes, and files that are no text."""

import codecs
import re
from pathlib import Path

from longspan.training.errors import DataError

__all__ = [
    "COMPRESSIONS",
    "FORMATS",
    "detect_format",
    "has_known_name",
    "plain_path",
    "refuse_no_text",
]

FORMATS = ("tsv", "csv", "parallel", "jsonl", "parquet", "arrow", "tmx", "xliff", "po")

COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst", ".zstd")
_SUFFIXES = {
    ".tsv": "tsv",
    ".txt": "tsv",
    ".csv": "csv",
    ".json": "jsonl",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".tmx": "tmx",
    ".xlf": "xliff",
    ".xliff": "xliff",
    ".sdlxliff": "xliff",
    ".mqxliff": "xliff",
    ".mxliff": "xliff",
    ".po": "po",
    ".pot": "po",
}
# Their root elements have the same names.
_XML_FORMATS = ("tmx", "xliff")
_XML_START = re.compile(r"\s*<(\?xml|!DOCTYPE|!--|tmx\b|xliff\b)")
_XML_ROOT = re.compile(r"<([A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")
_XML_PROLOG = re.compile(r"<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(\[.*?\]\s*)?>", re.DOTALL)
_PO_START = re.compile(r"(?:[ \t\r]*(?:#[^\n]*)?\n)*msg(?:id|ctxt)\s*\"")
_PARQUET, _ARROW_FILE, _ARROW_STREAM = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"
# The mark of UTF-32 LE begins with that of UTF-16 LE.
_UTF16_OR_32 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
# Files that are often given for text, and what to do with them.
_OTHER_FILES = {
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive; unpack it",
    b"Rar!\x1a\x07": "a RAR archive; unpack it",
    b"%PDF-": "a PDF file; give its text",
    b"SQLite format 3\0": "an SQLite database; export its table as CSV",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Office file; export it as CSV",
    b"\xde\x12\x04\x95": "a compiled catalog of gettext; give its PO file",
    b"\x95\x04\x12\xde": "a compiled catalog of gettext; give its PO file",
    b"Obj\x01": "an Avro file; convert it to Parquet or JSON lines",
    b"\x04\x22\x4d\x18": "LZ4 data; decompress it",
}
_TAR, _TAR_PLACE = b"ustar", 257
# Bytes of text that are no text, such as one zero byte in a row, are counted row by row.
_MOST_CONTROLS = 0.02
_FEW_CONTROLS = 16
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))


def detect_format(name: str, head: bytes) -> str:
    """Return one of FORMATS by the first bytes, or by the name, or else TSV.

    Raises DataError for XML that is neither TMX nor XLIFF.
    """
    if head.startswith(_PARQUET):
        return "parquet"
    if head.startswith((_ARROW_FILE, _ARROW_STREAM)):
        return "arrow"
    suffix = plain_path(name).suffix.lower()
    start = _beginning(head)
    if _XML_START.match(start):
        return _xml_format(name, start, _SUFFIXES.get(suffix, ""))
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    if _PO_START.match(start):
        return "po"
    first = start.lstrip().split("\n", 1)[0].strip()
    objects = first.startswith("{") and first.endswith("}")
    arrays = first.startswith(('["', "[[")) and first.endswith("]")
    return "jsonl" if objects or arrays or first.startswith("[{") or first == "[" else "tsv"


def has_known_name(name: str) -> bool:
    """Return whether a file's name has the suffix of a format of pairs."""
    return plain_path(name).suffix.lower() in _SUFFIXES


def refuse_no_text(name: str, head: bytes) -> None:
    """Raise DataError when the first bytes are not UTF-8 text, saying what they are.

    A few damaged rows are accepted here, and reported one by one when they are read.
    """
    kind = next((kind for mark, kind in _OTHER_FILES.items() if head.startswith(mark)), None)
    if head[_TAR_PLACE:].startswith(_TAR):
        kind = "a tar archive; unpack it and name its files"
    if kind is not None:
        raise DataError(f"{name}: expected text, got {kind}")
    if head.startswith(_UTF16_OR_32) or head.count(0) > len(head) // 4 > 0:
        raise DataError(
            f"{name}: expected UTF-8 text, got UTF-16 or UTF-32; "
            "convert it, for example with iconv -t UTF-8"
        )
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if controls > max(_FEW_CONTROLS, len(head) * _MOST_CONTROLS):
        raise DataError(
            f"{name}: expected text, got binary data ({controls} control characters in the first "
            f"{len(head)} bytes); give a text file, or its --format"
        )
    # Without the last line, which may end in the middle of a character.
    rows = [line for line in head.split(b"\n")[:-1] if not line.isascii()]
    broken = sum(1 for line in rows if not _is_utf8(line))
    if len(rows) >= 10 and 2 * broken > len(rows):
        raise DataError(
            f"{name}: expected UTF-8 text, got other bytes in {broken} of the first {len(rows)} "
            "rows beyond ASCII; convert it, for example with iconv -f EUC-JP -t UTF-8"
        )


def plain_path(name: str) -> Path:
    """Return the name of a file without the suffix of a compression."""
    path = Path(name)
    return path.with_suffix("") if path.suffix.lower() in COMPRESSIONS else path


def _beginning(head: bytes) -> str:
    """Return the first bytes as text in the encoding of their byte order mark, or in UTF-8."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if head.startswith(mark):
            return head.decode(encoding, "replace")
    return head.decode("utf-8-sig", "replace")


def _xml_format(name: str, start: str, by_name: str) -> str:
    root = _XML_ROOT.match(_XML_PROLOG.sub("", start).lstrip())
    if root is None:  # behind the first bytes
        return by_name or "tmx"
    if root[2] not in _XML_FORMATS:
        raise DataError(
            f"{name}: expected TMX or XLIFF, got XML with the root element <{root[2]}>; convert it "
            "to one of them or to TSV, or leave it out"
        )
    return root[2]


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
