"""The account of one translation, and its repair.

A repair translates an omitted span of the source alone and inserts the translation where its
neighbours are, or removes a repeated span of the target. It is kept only if the model's score of
the whole translation rises and the account is better too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from longspan.inference.accounting.account import TextSpan, TranslationAccount
from longspan.inference.accounting.examination import Question, Questions, Scores, examine_text
from longspan.inference.accounting.units import Unit
from longspan.inference.search.hypothesis import Hypothesis
from longspan.inference.search.settings import SearchSettings
from longspan.training.tokenizer.tokenizer import EOS, Tokenizer

__all__ = ["DUPLICATED", "OMITTED", "Accounted", "account_for"]

# From these scores on a unit is omitted, or repeats an earlier one. Of the units of references that
# are whole, at most 3% have such a score (`benchmarks/omissions.py`).
OMITTED, DUPLICATED = 0.6, 0.75
_MOST = 8  # repairs that are tried

_Ids = tuple[int, ...]


@dataclass(frozen=True)
class Accounted:
    """An account, and the hypothesis that it is of where a repair changed the translation."""

    account: TranslationAccount
    repaired: Hypothesis | None = None


@dataclass(frozen=True)
class _Examined:
    """A target with its scores."""

    target: _Ids
    scores: Scores

    @property
    def gaps(self) -> list[range]:
        """The runs of omitted source units."""
        return _runs(self.scores.omission, OMITTED)

    @property
    def repeats(self) -> list[range]:
        """The runs of target units that repeat earlier ones."""
        return _runs(self.scores.duplication, DUPLICATED)

    @property
    def faults(self) -> int:
        """Tokens of gaps and repeats."""
        gaps = sum(_length(self.scores.source_units, run) for run in self.gaps)
        return gaps + sum(_length(self.scores.target_units, run) for run in self.repeats)


def account_for(
    tokenizer: Tokenizer,
    text: str,
    target: Sequence[int],
    settings: SearchSettings,
    *,
    repair: bool = False,
) -> Questions[Accounted]:
    """TranslationAccount for a target, token ids without EOS, as the translation of a text.

    `settings` are those of the search that found it. With `repair` it is repaired first.
    """
    source = tuple(tokenizer.encode_source(text)[:-1])
    scores = yield from examine_text(tokenizer, text, source, tuple(target))
    best = _Examined(tuple(target), scores)
    if not repair or not best.faults:
        return Accounted(_account(tokenizer, text, source, best))
    own = settings.replace(n_best=1)
    whole = (*source, EOS)
    [scored] = yield [Question(whole, best.target, own)]
    repairs = 0
    for _ in range(_MOST):
        candidates = yield from _candidates(best, source, own)
        better = yield from _better(tokenizer, text, source, best, scored, candidates, own)
        if better is None:
            break
        best, scored = better
        repairs += 1
    account = replace(_account(tokenizer, text, source, best), repairs=repairs)
    return Accounted(account, scored if repairs else None)


def _candidates(best: _Examined, source: _Ids, settings: SearchSettings) -> Questions[list[_Ids]]:
    """Return targets with one gap filled, or one repeat removed."""
    scores, target = best.scores, best.target
    gaps = [
        source[scores.source_units[run[0]][0] : scores.source_units[run[-1]][1]]
        for run in best.gaps
    ]
    filled: list[_Ids] = []
    if gaps:
        answers = yield [Question((*gap, EOS), None, settings) for gap in gaps]
        for run, answer in zip(best.gaps, answers, strict=True):
            filled += [
                (*target[:place], *answer.ids, *target[place:]) for place in _places(scores, run)
            ]
    removed = [
        target[: scores.target_units[run[0]][0]] + target[scores.target_units[run[-1]][1] :]
        for run in best.repeats
    ]
    return [*filled, *removed]


def _places(scores: Scores, gap: range) -> set[int]:
    """Return where in the target a gap may be filled, in tokens.

    After the translation of the unit before the gap, and before that of the unit after it.
    """
    places = set()
    units = list(zip(scores.target_units, scores.matches, strict=True))
    before = [(match, stop) for (_, stop), match in units if match is not None and match < gap[0]]
    after = [(match, start) for (start, _), match in units if match is not None and match > gap[-1]]
    if before:
        places.add(max(before)[1])
    if after:
        places.add(min(after)[1])
    return places or {units[-1][0][1] if units else 0}


def _better(
    tokenizer: Tokenizer,
    text: str,
    source: _Ids,
    best: _Examined,
    scored: Hypothesis,
    candidates: Sequence[_Ids],
    settings: SearchSettings,
) -> Questions[tuple[_Examined, Hypothesis] | None]:
    """Return the candidate of the highest score that improves score and account, None without."""
    if not candidates:
        return None
    answers = yield [Question((*source, EOS), target, settings) for target in candidates]
    for answer in sorted(answers, key=lambda one: -one.score):
        if answer.score <= scored.score:
            return None
        target = tuple(answer.ids)
        scores = yield from examine_text(tokenizer, text, source, target)
        examined = _Examined(target, scores)
        if examined.faults < best.faults:
            return examined, answer
    return None


def _account(tokenizer: Tokenizer, text: str, source: _Ids, found: _Examined) -> TranslationAccount:
    scores = found.scores
    written = tokenizer.target.decode(found.target)
    omissions = _spans(
        text,
        tokenizer.source.offsets(text, source),
        scores.source_units,
        scores.omission,
        found.gaps,
    )
    duplications = _spans(
        written, tokenizer.target.offsets(written, found.target), scores.target_units,
        scores.duplication, found.repeats,
    )  # fmt: skip
    return TranslationAccount(
        tuple(omissions),
        tuple(duplications),
        len(source),
        sum(_length(scores.source_units, run) for run in found.gaps),
        len(found.target),
        sum(_length(scores.target_units, run) for run in found.repeats),
    )


def _spans(
    text: str,
    offsets: Sequence[tuple[int, int]],
    units: Sequence[Unit],
    scores: Sequence[float],
    runs: Sequence[range],
) -> Iterator[TextSpan]:
    for run in runs:
        first, last = units[run[0]][0], units[run[-1]][1] - 1
        start, stop = offsets[first][0], offsets[last][1]
        inside = text[start:stop]
        start += len(inside) - len(inside.lstrip())
        stop -= len(inside) - len(inside.rstrip())
        weights = [units[number][1] - units[number][0] for number in run]
        total = sum(weight * scores[number] for weight, number in zip(weights, run, strict=True))
        yield TextSpan(start, stop, round(total / sum(weights), 4))


def _runs(scores: Sequence[float], least: float) -> list[range]:
    """Return the runs of numbers whose scores are at least `least`."""
    runs: list[range] = []
    for number, score in enumerate(scores):
        if score < least:
            continue
        if runs and runs[-1].stop == number:
            runs[-1] = range(runs[-1].start, number + 1)
        else:
            runs.append(range(number, number + 1))
    return runs


def _length(units: Sequence[Unit], run: range) -> int:
    return units[run[-1]][1] - units[run[0]][0]
