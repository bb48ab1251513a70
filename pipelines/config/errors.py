"""What is wrong with a config, one line for each mistake."""

from collections.abc import Mapping, Sequence

from longspan.pipelines.config.section import Mistake, Place
from longspan.training.errors import LongspanError

__all__ = ["ConfigError", "nearest_line"]


class ConfigError(LongspanError):
    """A config that cannot be used; `lines` has all of its mistakes, `str` the first one."""

    def __init__(
        self,
        mistakes: Sequence[Mistake],
        source: str = "config",
        line_numbers: Mapping[Place, int] | None = None,
    ) -> None:
        self.mistakes = tuple(mistakes)
        self.lines = tuple(_line(m, source, line_numbers or {}) for m in self.mistakes)
        more = len(self.lines) - 1
        hint = f" (and {more} more: longspan validate shows all)" if more else ""
        super().__init__(self.lines[0] + hint)


def _line(mistake: Mistake, source: str, line_numbers: Mapping[Place, int]) -> str:
    number = nearest_line(mistake.path, line_numbers)
    place = f"{source}:{number}" if number else source
    name = _dotted(mistake.path)
    return f"{place}: {name}: {mistake.text}" if name else f"{place}: {mistake.text}"


def nearest_line(path: Place, line_numbers: Mapping[Place, int]) -> int | None:
    """The line of the value, or of the nearest one around it that the file has."""
    for length in range(len(path), 0, -1):
        if path[:length] in line_numbers:
            return line_numbers[path[:length]]
    return None


def _dotted(path: Place) -> str:
    """`data.pairs[1]`, as the value would be written."""
    text = ""
    for part in path:
        text += f".{part}" if isinstance(part, str) else f"[{part}]"
    return text.removeprefix(".")
