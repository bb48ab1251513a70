"""Collection: input files are read once, cleaned, and their pairs written to a spool."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from longspan.training.pairs.pairs import Pair, Problem, read_pairs
from longspan.training.pairs.streams import STANDARD_INPUT, InputRecord
from longspan.training.preparation.cleaning import Removals, broken_rule, normalised, unusable
from longspan.training.preparation.settings import CleaningRules, CollectSettings
from longspan.training.preparation.spool import Spool, Spooled
from longspan.training.progress import Progress

__all__ = ["Collected", "Collection", "Rejections", "collect"]

_SHOWN = 10
_HEADER = "origin\trule\tdetail\n"


class Collection(Protocol):
    """The pairs of all input files, collected here or on several machines."""

    @property
    def spool(self) -> Spooled:
        """The clean pairs."""
        ...

    @property
    def removals(self) -> Removals:
        """The removed pairs; later steps add to them."""
        ...

    @property
    def inputs(self) -> Sequence[InputRecord]:
        """The files that were read."""
        ...

    @property
    def read(self) -> int:
        """Number of rows that were read."""
        ...


class Rejections:
    """Rows that could not be read: all are written to `rejected.tsv`, and the first are shown."""

    def __init__(self, path: Path, notify: Callable[[str], None]) -> None:
        self._path, self._notify, self._count = path, notify, 0

    def add(self, problem: Problem) -> None:
        """Write one row to the file, and show it if it is one of the first."""
        self._count += 1
        fields = (Path(problem.origin).name, problem.rule, problem.detail)
        # A tab or line break within a field would begin another one.
        self._file.write("\t".join(" ".join(field.split()) for field in fields) + "\n")
        if self._count <= _SHOWN:
            self._notify(f"{problem.origin}: {problem.rule}: {problem.detail}")
        elif self._count == _SHOWN + 1:
            self._notify(f"more rows could not be read: see {self._path.name}")

    def copy(self, path: Path) -> None:
        """Add the rows that another `Rejections` has written to `path`."""
        with path.open(encoding="utf-8", newline="\n") as lines:
            self._file.writelines(line for line in lines if line != _HEADER)

    def __enter__(self) -> Self:
        self._file = self._path.open("w", encoding="utf-8", newline="\n", errors="replace")
        self._file.write(_HEADER)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()


class Collected:
    """A listener of `read_pairs` that spools clean pairs and counts the others."""

    def __init__(self, spool: Spool, rejections: Rejections, shown: Progress) -> None:
        self.spool = spool
        self.removals = Removals()
        self.inputs: list[InputRecord] = []
        self.read = 0
        self._rejections, self._shown = rejections, shown

    def problem(self, problem: Problem) -> None:
        """Count and write a row that could not be read."""
        self.read += 1
        self.removals.add_problem(problem)
        self._rejections.add(problem)

    def read_bytes(self, count: int) -> None:
        """Show progress by `count` more bytes."""
        self._shown.add(count)

    def finished(self, record: InputRecord) -> None:
        """Record size and hash of a file for the manifest."""
        self.inputs.append(record)

    def add(self, pair: Pair, rules: CleaningRules, *, whole: bool) -> None:
        """Spool a pair that breaks no rule; with `whole` only the rules of `unusable` hold."""
        self.read += 1
        pair = normalised(pair, rules)
        broken = unusable(pair) if whole else broken_rule(pair, rules)
        if broken is None:
            self.spool.add(pair)
        else:
            self.removals.add_pair(broken, pair)


def collect(
    paths: Sequence[str],
    settings: CollectSettings,
    spool: Spool,
    rejections: Rejections,
    *,
    whole: bool = False,
) -> Collected:
    """Read and clean the files into `spool`.

    `whole` is for a validation or test file, of which only rows without two texts are removed.
    Raises DataError as `read_pairs` does.
    """
    label = "reading " + (Path(paths[0]).name if len(paths) == 1 else f"{len(paths)} files")
    with Progress(_size(paths), "B", label) as shown, spool:
        collected = Collected(spool, rejections, shown)
        for pair in read_pairs(paths, settings.columns, format=settings.format, listener=collected):
            collected.add(pair, settings.cleaning, whole=whole)
    return collected


def _size(paths: Sequence[str]) -> int | None:
    if STANDARD_INPUT in paths or not all(Path(path).is_file() for path in paths):
        return None
    return sum(Path(path).stat().st_size for path in paths)
