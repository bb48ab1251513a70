"""The table of quality by length, for a terminal or a log."""

from collections.abc import Mapping, Sequence

from longspan.inference.evaluation.bootstrap import Paired
from longspan.inference.evaluation.evaluation import Evaluation, Group, Quality, compare_evaluations
from longspan.training.buckets import MEDIUM
from longspan.training.model.outcome import TrainingOutcome, outcome_warnings
from longspan.training.tables import align_rows

__all__ = ["render_table"]

_HEAD = (
    "words", "segments", "BLEU", "95% interval", "chrF", "length", "repeated", "empty", "cut",
    "loops",
)  # fmt: skip
_CHECK_HEAD = ("omitted", "doubled")
_AGAINST_HEAD = ("against", "gain", "p")
_NONE = "-"


def render_table(
    evaluation: Evaluation,
    against: Evaluation | None = None,
    training: Mapping[str, TrainingOutcome | None] | None = None,
) -> str:
    """Return the table as aligned text: a row for each bucket, for all segments, and for `long`.

    A bucket of joined segments is marked. A bucket of both kinds has a row for each kind below it.
    With `against` there are its BLEU, the gain on it and the p-value of the gain. A line names a
    system whose training ended early.
    """
    paired = compare_evaluations(evaluation, against) if against is not None else {}
    checked = evaluation.all.quality.omission_rate is not None
    head = [*_HEAD, *(_CHECK_HEAD if checked else ())]
    rows: list[Sequence[str]] = [[*head, *(_AGAINST_HEAD if against is not None else ())]]
    names = [group.name for group in evaluation.buckets]
    groups = [*zip(names, evaluation.buckets, strict=True), ("all", evaluation.all)]
    others = [*against.buckets, against.all, against.long] if against is not None else []
    groups.append(("long", evaluation.long))
    for number, (name, group) in enumerate(groups):
        label = f"long: {group.name}" if name == "long" else name
        if group.joined.segments and not group.natural.segments:
            label += " (joined)"
        cells = _cells(label, group.quality, checked=checked)
        if others:
            cells += _against_cells(others[number], paired.get(name))
        rows.append(cells)
        if group.natural.segments and group.joined.segments:
            rows.append(_cells("  natural", group.natural, checked=checked))
            rows.append(_cells("  joined", group.joined, checked=checked))
    lines = align_rows(rows)
    rule = "-" * max(map(len, lines))
    body = [lines[0], rule, *lines[1:]]
    return "\n".join([*body, rule, *_footer(evaluation), *outcome_warnings(training or {})])


def _cells(label: str, quality: Quality, *, checked: bool) -> list[str]:
    around = quality.bleu_interval
    return [
        label,
        str(quality.segments),
        _number(quality.bleu, 1),
        f"{around.low:.1f} to {around.high:.1f}" if around is not None else _NONE,
        _number(quality.chrf, 1),
        _number(quality.length_ratio, 2),
        _share(quality.repetition_rate),
        _share(quality.empty_rate),
        _share(quality.unfinished_rate),
        _share(quality.looping_rate),
        *([_share(quality.omission_rate), _share(quality.duplication_rate)] if checked else []),
    ]


def _against_cells(other: Group, paired: Paired | None) -> list[str]:
    if paired is None:
        return [_NONE] * 3
    return [_number(other.quality.bleu, 1), f"{paired.difference:+z.1f}", f"{paired.p_value:.3f}"]


def _footer(evaluation: Evaluation) -> list[str]:
    lines = [] if evaluation.kept is None else [_kept(evaluation)]
    lines += [
        f"BLEU: {evaluation.bleu_signature}",
        f"chrF: {evaluation.chrf_signature}",
        f"words of BLEU: {evaluation.tokenizer} ({evaluation.tokenizer_reason})",
    ]
    reference = evaluation.all.quality.reference_repetition_rate
    lines.append(
        "length: tokens over the reference's; repeated: 4-grams that occurred earlier in their "
        f"segment (references: {_share(reference)}); cut: stopped at the length "
        "limit; loops: stopped because it repeated itself"
    )
    if evaluation.segments.accounts is not None:
        lines.append(
            "omitted: source tokens in clauses that the translation omits; doubled: tokens in "
            "clauses that say something again"
        )
    return lines + [f"note: {note}" for note in evaluation.notes]


def _kept(evaluation: Evaluation) -> str:
    return f"kept, {evaluation.long.name}: {_share(evaluation.kept)} of BLEU at {MEDIUM} words"


def _number(value: float | None, digits: int) -> str:
    return _NONE if value is None else f"{value:.{digits}f}"


def _share(value: float | None) -> str:
    return _NONE if value is None else f"{100 * value:.1f}%"
