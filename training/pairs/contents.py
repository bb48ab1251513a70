"""Contents of files: rows of any format, also of files in an archive."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

from longspan.training.errors import DataError
from longspan.training.pairs.archives import Member, is_archive, members_of, opened_archive
from longspan.training.pairs.columnar import read_arrow, read_parquet
from longspan.training.pairs.columns import Columns
from longspan.training.pairs.compression import Readable, decompressed
from longspan.training.pairs.delimited import read_csv, read_tsv
from longspan.training.pairs.formats import detect_format, refuse_no_text
from longspan.training.pairs.json_rows import read_json
from longspan.training.pairs.pairing import group_parallel
from longspan.training.pairs.parallel import read_parallel
from longspan.training.pairs.po import read_po
from longspan.training.pairs.rows import Report, Row, is_blank
from longspan.training.pairs.streams import STANDARD_INPUT, head_and_rest, seekable
from longspan.training.pairs.tmx import read_tmx
from longspan.training.pairs.xliff import read_xliff

__all__ = ["Opened", "rows_of"]

_TABLES = {"parquet": read_parquet, "arrow": read_arrow}
_RECORDS = {"jsonl": read_json, "csv": read_csv}


@dataclass(frozen=True)
class Opened:
    """A file that is open for reading: one of the disk, or a member of an archive."""

    name: str  # in messages
    file: Readable
    path: str = STANDARD_INPUT  # on the disk
    in_archive: bool = False


def rows_of(
    files: Sequence[Opened], columns: Columns, format: str | None, report: Report
) -> Iterator[tuple[str, Row]]:
    """Yield the rows of one file, or of two parallel ones, with the name of the file.

    Raises DataError for a file without a single pair of texts.
    """
    if len(files) == 2:
        yield from _required(lambda heard: _parallel_rows(files[0], files[1], heard), files, report)
        return
    (opened,) = files
    head, chunks = head_and_rest(decompressed(opened.file, opened.name))
    if is_archive(head):
        yield from _member_rows(opened, chunks, columns, format, report)
        return
    found = format or detect_format(opened.name, head)
    yield from _required(
        lambda heard: _rows(found, opened, head, chunks, columns, heard), files, report
    )


def _rows(
    format: str,
    opened: Opened,
    head: bytes,
    chunks: Iterator[bytes],
    columns: Columns,
    report: Report,
) -> Iterator[Row]:
    name = opened.name
    languages = (columns.source_language, columns.target_language)
    if format in _TABLES:
        # Read out of order.
        with seekable(opened.path, name, chunks) as content:
            yield from _TABLES[format](content, name, columns, report)
    elif format == "tmx":
        document = None if columns.document is None else str(columns.document)
        yield from read_tmx(head, chunks, name, languages, report, document)
    elif format == "xliff":
        yield from read_xliff(head, chunks, name, languages, report)
    elif format == "po":
        yield from read_po(chunks, name, languages, report)
    else:
        refuse_no_text(name, head)
        yield from _RECORDS.get(format, read_tsv)(head, chunks, name, columns, report)


def _parallel_rows(source: Opened, target: Opened, report: Report) -> Iterator[Row]:
    streams = []
    for opened in (source, target):
        head, chunks = head_and_rest(decompressed(opened.file, opened.name))
        refuse_no_text(opened.name, head)
        streams.append(chunks)
    yield from read_parallel(streams[0], streams[1], (source.name, target.name), report)


def _member_rows(
    opened: Opened, chunks: Iterator[bytes], columns: Columns, format: str | None, report: Report
) -> Iterator[tuple[str, Row]]:
    """Yield the rows of all files in an archive that hold pairs."""
    if opened.in_archive:
        raise DataError(f"{opened.name}: expected files of pairs, got an archive; unpack it")
    languages = (columns.source_language, columns.target_language)
    with (
        seekable(opened.path, opened.name, chunks) as content,
        opened_archive(content, opened.name) as archive,
    ):
        for group in group_parallel(members_of(archive, opened.name, languages), languages):
            with ExitStack() as stack:
                files = []
                for member in group:
                    name = f"{opened.name}/{member}"
                    file = stack.enter_context(closing(Member(archive, member, name)))
                    files.append(Opened(name, file, in_archive=True))
                yield from rows_of(files, columns, format, report)


def _required(
    read: Callable[[Report], Iterator[Row]], files: Sequence[Opened], report: Report
) -> Iterator[tuple[str, Row]]:
    """Yield all rows with the name of the first file; raise DataError if none has two texts."""
    problems: list[str] = []
    count = rows = 0
    found = False

    def heard(rule: str, name: str, line: int, detail: str) -> None:
        nonlocal count
        count += 1
        if count == 1:
            problems.append(f"line {line}: {rule}: {detail}")
        report(rule, name, line, detail)

    name = files[0].name
    for row in read(heard):
        if not found:
            rows += 1
            found = not (is_blank(row.source) or is_blank(row.target))
        yield name, row
    if not found:
        reasons = [f"{count:,} could not be read, first {problem}" for problem in problems]
        reasons += [f"{rows:,} have an empty side"] if rows else []
        why = f" ({'; '.join(reasons)})" if reasons else ""
        raise DataError(
            f"{' and '.join(file.name for file in files)}: expected pairs, got none{why}; leave "
            "the file out, or check its format, columns and languages"
        )
