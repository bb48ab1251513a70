"""Responses: answers as bytes of the media type that the client accepts.

JSON is written piece by piece. One call to the library for an alignment of millions of cells holds
the interpreter for seconds, and other threads wait.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from longspan.inference.accounting.account import TextSpan, TranslationAccount
from longspan.inference.requests.media_types import CSV, JSON, JSON_LINES, RECORDIO, TEXT
from longspan.inference.requests.request import Request, RequestItem
from longspan.inference.translation.answers import Answer
from longspan.inference.translation.translations import Candidate, Translation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["dump", "json_line", "partial_line", "remarks", "render", "spans_of"]


def render(request: Request, answers: Sequence[Answer], media: str) -> bytes:
    """Return the body of the answers to the items of `request`."""
    if media == RECORDIO:
        # Here, since it imports numpy.
        from longspan.training.corpus.recordio import encode_targets

        return encode_targets(answer.ids for answer in answers)
    return _WRITERS[media](request, answers).encode("utf-8", "replace")


def remarks(answers: Iterable[Answer]) -> dict[str, int]:
    """Count the texts that were split, the translations that were stopped or looped, and the spans
    that are omitted or said twice.

    Counts of 0 are left out. They go into a header, for formats without a place for them.
    """
    found = list(answers)
    accounts = [answer.account for answer in found if answer.account is not None]
    counts = {
        "split": sum(1 for answer in found if answer.at),
        "unfinished": sum(1 for answer in found if not answer.finished),
        "looping": sum(1 for answer in found if answer.looping),
        "omissions": sum(len(one.omissions) for one in accounts),
        "duplications": sum(len(one.duplications) for one in accounts),
    }
    return {name: count for name, count in counts.items() if count}


def json_line(item: RequestItem, answer: Answer, index: int | None = None) -> str:
    """Return one answer as a line, with the number of its text if there is one."""
    numbered = {} if index is None else {"index": index}
    return dump(numbered | _record(item, answer)) + "\n"


def partial_line(text: str, index: int) -> str:
    """Return a line with the text of an unfinished translation."""
    return dump({"index": index, "partial": text}) + "\n"


def _json(request: Request, answers: Sequence[Answer]) -> str:
    records = [_record(item, answer) for item, answer in zip(request.items, answers, strict=True)]
    if request.wrapping == "one":
        return dump(records[0])
    return dump(records if request.wrapping == "list" else {request.wrapping: records})


def _json_lines(request: Request, answers: Sequence[Answer]) -> str:
    pairs = zip(request.items, answers, strict=True)
    return "".join(json_line(item, answer) for item, answer in pairs)


def _csv(request: Request, answers: Sequence[Answer]) -> str:
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows([answer.text] for answer in answers)
    return file.getvalue()


def _text(request: Request, answers: Sequence[Answer]) -> str:
    if request.wrapping == "one":
        return answers[0].text
    return "".join(f"{_one_line(answer.text)}\n" for answer in answers)


_WRITERS: Mapping[str, Callable[[Request, Sequence[Answer]], str]] = {
    JSON: _json,
    JSON_LINES: _json_lines,
    CSV: _csv,
    TEXT: _text,
}


def _record(item: RequestItem, answer: Answer) -> dict[str, Any]:
    own = _built_in(item, answer) if item.built_in else _plain(item, answer)
    return {**item.carried, **own}


def _built_in(item: RequestItem, answer: Answer) -> dict[str, Any]:
    """Return the answer with the built-in's names; other fields only where they say something."""
    record: dict[str, Any] = {"target": answer.text}
    if item.options.alignment:
        record["matrix"] = _matrix(answer.alignment)
        record["source_tokens"] = answer.source_tokens
        record["target_tokens"] = answer.tokens
    if len(answer.parts) == 1 and (item.options.n_best or 1) > 1:
        record["n_best"] = [_candidate(item, c) for c in answer.parts[0].n_best]
    return record | _remark(item, answer)


def _plain(item: RequestItem, answer: Answer) -> dict[str, Any]:
    record: dict[str, Any] = {
        "translation": answer.text,
        "log_probability": answer.log_probability,
        "finished": answer.finished,
    }
    if len(answer.parts) == 1:
        record["score"] = answer.parts[0].score
        if (item.options.n_best or 1) > 1:
            record["n_best"] = [_candidate(item, c) for c in answer.parts[0].n_best]
    if item.options.alignment:
        record["alignment"] = _matrix(answer.alignment)
        record["source_tokens"] = answer.source_tokens
        record["target_tokens"] = answer.tokens
    return record | _remark(item, answer)


def _remark(item: RequestItem, answer: Answer) -> dict[str, Any]:
    record = _account(item, answer)
    if not answer.finished:
        record["finished"] = False
    if answer.looping:
        record["looping"] = True
    if answer.at:
        parts = zip(answer.sources, answer.parts, strict=True)
        record["split"] = {
            "at": answer.at,
            "parts": [_part(item, source, part) for source, part in parts],
        }
    return record


def _account(item: RequestItem, answer: Answer) -> dict[str, Any]:
    """Return what the translation omits and says twice, where the item asks for it."""
    account = answer.account
    if not item.options.checks:
        return {}
    if account is None:  # of a blank text
        account = TranslationAccount()
    record: dict[str, Any] = {
        "omissions": spans_of(item.text, account.omissions),
        "duplications": spans_of(answer.text, account.duplications),
    }
    return record | ({"repairs": account.repairs} if item.options.repair else {})


def spans_of(text: str, spans: Iterable[TextSpan]) -> list[dict[str, Any]]:
    """Return spans of a text for JSON: places in characters, the text there, the score."""
    return [
        {
            "start": span.start,
            "stop": span.stop,
            "text": text[span.start : span.stop],
            "score": span.score,
        }
        for span in spans
    ]


def _part(item: RequestItem, source: str, part: Translation) -> dict[str, Any]:
    record: dict[str, Any] = {
        "source": source,
        "translation": part.text,
        "score": part.score,
        "finished": part.finished,
    }
    if part.looping:
        record["looping"] = True
    if (item.options.n_best or 1) > 1:
        record["n_best"] = [_candidate(item, candidate) for candidate in part.n_best]
    return record


def _candidate(item: RequestItem, candidate: Candidate) -> dict[str, Any]:
    record: dict[str, Any] = {
        "translation": candidate.text,
        "score": candidate.score,
        "log_probability": candidate.log_probability,
        "finished": candidate.finished,
    }
    if candidate.looping:
        record["looping"] = True
    if item.options.alignment:
        record["alignment"] = _matrix(candidate.alignment)
        record["target_tokens"] = candidate.tokens
    return record


def _matrix(alignment: Any) -> Any:
    return [] if alignment is None else alignment


def _one_line(text: str) -> str:
    """Replace line breaks, because each line is one answer."""
    return text.replace("\r\n", " ").replace("\n", " ").replace("\r", " ")


_DIGITS = 4  # of an attention weight, enough to draw it


def dump(value: Any) -> str:
    """Return `value` as compact JSON; a matrix becomes a list of rounded rows."""
    return "".join(_pieces(value))


def _pieces(value: Any) -> Iterator[str]:
    # A flat value is one call of the library; anything else is written member by member.
    if _is_array(value):
        yield from _between("[]", ([_flat(row)] for row in _rows(value)))
    elif isinstance(value, dict) and not _is_flat(value.values()):
        members = ([_flat(name), ":", *_pieces(one)] for name, one in value.items())
        yield from _between("{}", members)
    elif isinstance(value, list) and not _is_flat(value):
        yield from _between("[]", (_pieces(one) for one in value))
    else:
        yield _flat(value)


def _between(marks: str, members: Iterable[Iterable[str]]) -> Iterator[str]:
    before = marks[0]
    for member in members:
        yield before
        yield from member
        before = ","
    # Where `before` is still the opening mark there was no member.
    yield marks[1] if before == "," else marks


def _rows(matrix: "NDArray[np.float32]") -> Iterator[list[float]]:
    for row in matrix:
        # In double precision, because rounded float32 numbers would show more digits.
        yield row.astype("f8").round(_DIGITS).tolist()


def _is_array(value: Any) -> bool:
    """Tell without numpy, which is not imported before a request asks for an alignment."""
    return hasattr(value, "dtype")


def _is_flat(values: Iterable[Any]) -> bool:
    return not any(isinstance(value, dict | list) or _is_array(value) for value in values)


def _flat(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
