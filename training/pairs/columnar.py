"""Parquet and Arrow: tables with named and typed columns, read in batches."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from longspan.training.errors import DataError
from longspan.training.pairs.columns import Columns, places_by_name
from longspan.training.pairs.rows import MALFORMED, NO_STRINGS, Report, Row, checked_row, decode

__all__ = ["read_arrow", "read_parquet"]

_BATCH_ROWS = 4096
_FILE_MARK = b"ARROW1"


def read_parquet(
    content: str | BinaryIO, name: str, columns: Columns, report: Report
) -> Iterator[Row]:
    """Yield rows of a Parquet file, given by path or open, in batches; nested names with a dot.

    Raises DataError when it is not Parquet or a column is missing.
    """
    from pyarrow import parquet  # slow to import, and needed for few formats

    with (
        _explained(name, "a Parquet file"),
        parquet.ParquetFile(content, pre_buffer=False) as file,
    ):
        table = _Table(file.schema_arrow, name, columns, report)
        for batch in file.iter_batches(_BATCH_ROWS, columns=table.names, use_threads=False):
            yield from table.rows(batch)


def read_arrow(
    content: str | BinaryIO, name: str, columns: Columns, report: Report
) -> Iterator[Row]:
    """Yield rows of an Arrow file or stream, as `read_parquet` does.

    Raises DataError when it is not Arrow or a column is missing.
    """
    import pyarrow
    from pyarrow import ipc

    with (
        _explained(name, "an Arrow file"),
        pyarrow.PythonFile(content, "r")
        if not isinstance(content, str)
        else pyarrow.OSFile(content) as file,
    ):
        mark = file.read(len(_FILE_MARK))
        file.seek(0)
        reader = ipc.open_file(file) if mark == _FILE_MARK else ipc.open_stream(file)
        table = _Table(reader.schema, name, columns, report)
        for batch in _batches(reader):
            yield from table.rows(batch)


def _batches(reader: Any) -> Iterator[Any]:
    """Yield the batches of an Arrow file, which has numbers for them, or of a stream."""
    if not hasattr(reader, "num_record_batches"):
        yield from reader
        return
    for number in range(reader.num_record_batches):
        yield reader.get_batch(number)


class _Table:
    """The columns of a table that are read, and its rows so far."""

    def __init__(self, schema: Any, name: str, columns: Columns, report: Report) -> None:
        self._paths = list(_leaves(schema, ()))
        self._places = places_by_name([".".join(path) for path in self._paths], columns, name)
        self._name, self._report = name, report
        self._row = 0
        places = self._places
        wanted = (places.source, places.target, places.document, places.joined)
        self._wanted = sorted({place for place in wanted if place is not None})

    @property
    def names(self) -> list[str]:
        """Names of the columns to read, nested ones with a dot."""
        return [".".join(self._paths[place]) for place in self._wanted]

    def rows(self, batch: Any) -> Iterator[Row]:
        """Yield the rows of a batch that have two texts, and report the others."""
        for start in range(0, batch.num_rows, _BATCH_ROWS):
            part = batch.slice(start, _BATCH_ROWS)
            part.validate()
            fields: list[list[Any]] = [[None] * part.num_rows for _ in self._paths]
            for place in self._wanted:
                fields[place] = _values(part, self._paths[place])
            for values in zip(*fields, strict=True):
                self._row += 1
                decoded = _decode_values(values, self._name, self._row, self._report)
                if decoded is None:
                    continue
                row = checked_row(self._row, decoded, self._places)
                if row is None:
                    self._report(MALFORMED, self._name, self._row, NO_STRINGS)
                else:
                    yield row


def _leaves(fields: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the path of each column, or of each field of a column of structs."""
    import pyarrow

    for field in fields:
        inner = (*path, field.name)
        if pyarrow.types.is_struct(field.type):
            yield from _leaves(field.type, inner)
        else:
            yield inner


def _values(batch: Any, path: tuple[str, ...]) -> list[Any]:
    """Return the values of a column, strings as bytes."""
    import pyarrow
    import pyarrow.compute

    head, *rest = path
    # By number: a name with a dot, or one that occurs twice, finds no column.
    column = batch.column(batch.schema.names.index(head))
    for part in rest:
        column = pyarrow.compute.struct_field(column, [column.type.get_field_index(part)])
    kind = column.type
    # As bytes, so that one value that is not UTF-8 does not fail its whole batch.
    if pyarrow.types.is_string(kind):
        column = column.view(pyarrow.binary())
    elif pyarrow.types.is_large_string(kind):
        column = column.view(pyarrow.large_binary())
    # Wrong offsets of a damaged file would be read outside of its memory.
    column.validate(full=True)
    return list(column.to_pylist())


def _decode_values(
    values: tuple[Any, ...], name: str, number: int, report: Report
) -> list[Any] | None:
    decoded = []
    for value in values:
        if isinstance(value, bytes):
            value = decode(value, name, number, report)
            if value is None:
                return None
        decoded.append(value)
    return decoded


@contextmanager
def _explained(name: str, kind: str) -> Iterator[None]:
    import pyarrow

    try:
        yield
    # A file that is cut off is an OSError, and wrong bytes in a name are a UnicodeError.
    except (pyarrow.ArrowException, OSError, UnicodeError) as error:
        raise DataError(
            f"{name}: expected {kind}, got: {error}; is it whole and of this format?"
        ) from error
