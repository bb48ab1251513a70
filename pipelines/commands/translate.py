"""Translate lines of text from a file or standard input to standard output.

Each line of output translates the same line of input; a blank line stays blank. With --n-best
above 1 a line of output is the number of the input line, the score and the translation, separated
by tabs. With --json each line of output is a JSON object.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from io import BufferedReader
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from longspan.inference.search.options import (
    add_search_arguments,
    add_split_argument,
    search_changes,
    set_threads,
)
from longspan.training.errors import DataError, OptionError
from longspan.training.languages import language_argument

if TYPE_CHECKING:
    from longspan.inference.translation.translator import Translation

__all__ = ["EXAMPLE", "HELP", "add_arguments", "line_chunks", "run"]

HELP = "translate lines of text"
EXAMPLE = 'longspan translate model --text "The red book is on the table."'

_LINES = 500  # the most lines to translate together
_BLOCK = 1 << 16  # bytes to read from standard input at a time
_SHOWN = 10  # the most line numbers in a warning


@dataclass
class _Stopped:
    """Numbers of lines whose translation was stopped: at the length limit, or in a loop."""

    cut: list[int] = field(default_factory=list)
    looping: list[int] = field(default_factory=list)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan translate`."""
    parser.add_argument("model", metavar="MODEL", help="model directory")
    given = parser.add_mutually_exclusive_group()
    given.add_argument(
        "file", metavar="FILE", nargs="?", default="-", help="text (default: standard input)"
    )
    given.add_argument("--text", help="translate this text instead of a file")
    parser.add_argument(
        "--n-best", type=int, default=1, metavar="N", help="translations of each line (default: 1)"
    )
    parser.add_argument(
        "--json", action="store_true", help="write JSON lines with scores and tokens"
    )
    parser.add_argument(
        "--alignment", action="store_true", help="write JSON lines with attention weights"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write JSON lines with what the translation omits and what it says twice",
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        help="translate omitted spans again and remove repeated ones, where that scores better",
    )
    add_split_argument(parser)
    parser.add_argument(
        "--source-language",
        type=language_argument,
        default="en",
        metavar="CODE",
        help="language whose rules say where a sentence ends (default: en)",
    )
    add_search_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Translate all lines, and warn of those whose translation was stopped; return 0."""
    from longspan.inference.search.search import SearchSettings
    from longspan.inference.translation.translator import Translator, choose_device
    from longspan.training.model.directory import load_model
    from longspan.training.progress import Progress

    n_best = arguments.n_best
    if n_best > 1 and arguments.split == "sentences":
        raise OptionError(
            f"--n-best: expected 1 with --split sentences, got {n_best}; leave out one of the two, "
            "because a line of several sentences has no list of best translations"
        )
    set_threads(arguments)
    device = choose_device(arguments.device)
    loaded = load_model(arguments.model, device)
    changes = search_changes(arguments)
    # A search has as many candidates as its beam is wide.
    if changes["beam_size"] is None and n_best > loaded.hyperparameters.beam_size:
        changes["beam_size"] = n_best
    settings = SearchSettings.from_hyperparameters(
        loaded.hyperparameters, n_best=n_best, with_alignment=arguments.alignment, **changes
    )
    translator = Translator(
        loaded.model, loaded.tokenizer, settings, device, arguments.batch_tokens, _be_quiet,
        check=arguments.check, repair=arguments.repair,
    )  # fmt: skip
    translate: Callable[[list[str]], list[Translation]] = translator.translate
    if arguments.split == "sentences":
        translate = partial(translator.translate_by_sentence, language=arguments.source_language)
    as_json = arguments.json or arguments.alignment or arguments.check
    write = _json_lines if as_json else partial(_plain, n_best)
    with ExitStack() as open_files:
        chunks, name = _input(arguments, open_files)
        count: Callable[[int], None] = lambda _: None  # noqa: E731
        # On a terminal, progress would stand between the translations.
        if name == arguments.file and not sys.stdout.isatty():
            count = open_files.enter_context(Progress(unit="line", label="translate")).add
        stopped = _translate(translate, chunks, write, sys.stdout.buffer, count)
    _report(stopped, name)
    return 0


def _input(arguments: argparse.Namespace, open_files: ExitStack) -> tuple[Iterable[list[str]], str]:
    from longspan.training.pairs.compression import decompressed
    from longspan.training.pairs.streams import raw_file

    if arguments.text is not None:
        return [[arguments.text]], "--text"
    if arguments.file == "-":
        # read1 returns what is available, so that a translation does not wait for more input.
        stream = cast("BufferedReader", sys.stdin.buffer)
        blocks: Iterator[bytes] = iter(partial(stream.read1, _BLOCK), b"")
        return line_chunks(blocks, "standard input", _LINES), "standard input"
    file = raw_file(arguments.file, lambda _: None)
    open_files.callback(file.close)
    name = str(arguments.file)
    return line_chunks(decompressed(file, name), name, _LINES), name


def _translate(
    translate: "Callable[[list[str]], list[Translation]]",
    chunks: Iterable[list[str]],
    write: "Callable[[int, str, Translation], str]",
    output: BinaryIO,
    count: Callable[[int], None],
) -> _Stopped:
    """Write each chunk as soon as it is translated; return the lines that were stopped."""
    number, stopped = 0, _Stopped()
    for texts in chunks:
        for text, translation in zip(texts, translate(texts), strict=True):
            number += 1
            # A --text that is not UTF-8 reaches Python as surrogates, which UTF-8 cannot encode.
            output.write(write(number, text, translation).encode(errors="backslashreplace"))
            if not translation.finished:
                (stopped.looping if translation.looping else stopped.cut).append(number)
        output.flush()
        count(len(texts))
    return stopped


def _plain(n_best: int, number: int, text: str, translation: "Translation") -> str:
    if n_best == 1:
        return _one_line(translation.text) + "\n"
    candidates = translation.n_best or (translation,)
    return "".join(f"{number}\t{c.score:.6f}\t{_one_line(c.text)}\n" for c in candidates)


def _json_lines(number: int, text: str, translation: "Translation") -> str:
    import json

    from longspan.inference.requests.responses import spans_of

    record: dict[str, Any] = {
        "line": number,
        "source": text,
        "translation": translation.text,
        "score": translation.score,
        "log_probability": translation.log_probability,
        "finished": translation.finished,
        "looping": translation.looping,
        "source_tokens": translation.source_tokens,
        "tokens": translation.tokens,
    }
    if translation.alignment is not None:
        record["alignment"] = _rounded(translation.alignment)
    if (account := translation.account) is not None:
        record["omissions"] = spans_of(text, account.omissions)
        record["duplications"] = spans_of(translation.text, account.duplications)
        record["repairs"] = account.repairs
    if len(translation.n_best) > 1:
        record["n_best"] = [
            {
                "translation": c.text,
                "score": c.score,
                "log_probability": c.log_probability,
                "finished": c.finished,
                "looping": c.looping,
                "tokens": c.tokens,
            }
            | ({"alignment": _rounded(c.alignment)} if c.alignment is not None else {})
            for c in translation.n_best
        ]
    return json.dumps(record, ensure_ascii=False) + "\n"


def _rounded(matrix: Any) -> list[list[float]]:
    """Round (target, source) weights to four decimals, which is enough to draw them."""
    return [[round(float(weight), 4) for weight in row] for row in matrix]


def _one_line(text: str) -> str:
    """Replace line breaks in an output, which would shift all later lines."""
    return text.replace("\r\n", " ").replace("\n", " ").replace("\r", " ")


def _report(stopped: _Stopped, name: str) -> None:
    if cut := stopped.cut:
        _warn(
            f"{name}: {len(cut)} translations reached the length limit and are unfinished: line "
            f"{_some(cut)}; --max-length-factor allows longer ones"
        )
    if looping := stopped.looping:
        _warn(
            f"{name}: {len(looping)} translations repeated themselves and were stopped: line "
            f"{_some(looping)}; --no-repeat-ngram-size 4 prevents repetition"
        )


def _some(lines: list[int]) -> str:
    return ", ".join(map(str, lines[:_SHOWN])) + (", ..." if len(lines) > _SHOWN else "")


def _warn(message: str) -> None:
    print(f"longspan: warning: {message}", file=sys.stderr)


def _be_quiet(message: str) -> None:
    """Drop the translator's own report: the command reports line numbers instead."""


_MARK = b"\xef\xbb\xbf"


def line_chunks(blocks: Iterable[bytes], name: str, most: int) -> Iterator[list[str]]:
    r"""Yield lists of up to `most` lines, without `\n` or `\r\n`, in order.

    The complete lines of a block are yielded before the next block is read, so lines from a slow
    writer do not wait. A byte order mark is dropped.

    Raises DataError with the number of the line for text that is not UTF-8, after the lines
    before it.
    """
    rest, number = b"", 0
    for block in _without_mark(blocks):
        # The last piece may go on in the next block.
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
        # A mark may be split over blocks: wait until there is enough to tell.
        start += block
        if len(start) >= len(_MARK) or not _MARK.startswith(start):
            started = True
            yield start.removeprefix(_MARK)
    if not started:
        yield start.removeprefix(_MARK)
