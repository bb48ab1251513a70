"""The ledger of one translation: which source units each target unit says.

Attention over a whole text is no witness here. It goes on in the model's own order, so it passes
over a clause that the target leaves out, and after that it is a clause behind. So each target unit
is scored against each source unit near it, alone, as a short pair (see `examination`). A token t of
the target unit comes from one of these source units i, or from none:

    share(t, i) ~ weight(i) P(t | tokens before it in its unit, source unit i)

The weights of the units are those under which the target unit is the most probable (EM). Within a
source unit, its shares go to its tokens by the attention of the short pair. Their sum over the
target is the coverage of the source. It is the coverage of Tu et al. 2016, read from short pairs;
that the probability of a translation shows what it leaves out is from Vamvas and Sennrich 2022, "As
Little as Possible, as Much as Necessary".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from longspan.inference.accounting.units import Unit
from longspan.inference.search.arrays import Doubles, Integers

__all__ = ["Evidence", "Ledger", "shares"]

_NOTHING = -7.0  # log-probability of a token that comes from no source unit
_NOTHING_WEIGHT = 0.3  # at the start; a source unit at its place has 1
_NEAR = 20.0  # tokens at which a unit's first weight has fallen to 1/e
_ROUNDS = 8
_MATCHED = 0.5  # share of a target unit from which it is the translation of one source unit


@dataclass(frozen=True)
class Evidence:
    """A target unit scored against one source unit.

    `chances` (target,) are log-probabilities of the unit's tokens, `weights` (target, source) the
    attention between the tokens of both units, 0 without attention.
    """

    source: int  # number of the source unit
    chances: Doubles
    weights: Doubles


def shares(chances: Doubles, weights: Doubles) -> Doubles:
    """Return the share of each candidate in each token: (tokens, candidates), rows sum to 1.

    chances (tokens, candidates) are log-probabilities, weights (candidates,) the first weights of
    the candidates. Each round replaces the weights by the mean shares (Dempster et al. 1977). At
    the end they are squared: small ones come from words that many clauses have.
    """
    relative = np.exp(chances - chances.max(axis=1, keepdims=True))
    for _ in range(_ROUNDS):
        weights = _divided(relative * weights).mean(axis=0)
    return _divided(relative * weights**2)


def _divided(rows: Doubles) -> Doubles:
    """Return rows divided by their sums."""
    divided: Doubles = rows / rows.sum(axis=1, keepdims=True)
    return divided


class Ledger:
    """Coverage of the source by the target units entered so far, which come in their order."""

    def __init__(self, source_units: Sequence[Unit], target_units: Sequence[Unit]) -> None:
        self.source_units = source_units
        self.target_units = target_units
        starts, stops = np.array(source_units).reshape(-1, 2).T
        self._lengths: Integers = stops - starts  # (source unit,)
        self._places: Doubles = (starts + stops) / 2  # in tokens
        self._covered: Doubles = np.zeros(stops[-1] if len(stops) else 0)  # (source token,)
        self._received: Doubles = np.zeros(len(source_units))  # target tokens of each unit
        self._given = self._expected = 0.0
        self.duplication: list[float] = []  # of each target unit entered, from 0 to 1
        self.matches: list[int | None] = []  # the source unit of each target unit entered

    def enter(self, evidence: Sequence[Evidence], place: float) -> None:
        """Enter the next target unit. `place` is where its source is expected, in source tokens."""
        numbers: Integers = np.array([one.source for one in evidence])
        chances = np.stack([one.chances for one in evidence], axis=1)  # (tokens, candidates)
        length = len(chances)
        nothing = np.full((length, 1), _NOTHING)
        near = np.exp(-np.abs(self._places[numbers] - place) / _NEAR)
        found = shares(np.hstack([chances, nothing]), np.append(near, _NOTHING_WEIGHT))[:, :-1]
        twice = 0.0
        for column, one in enumerate(evidence):
            # (source token,): target tokens of this unit that say each token of the source unit
            said = found[:, column] @ _normalised(one.weights)
            covered = self._covered[slice(*self.source_units[one.source])]  # a view
            twice += float(np.minimum(said, covered).sum())
            covered += said
        self.duplication.append(twice / length)
        self._received[numbers] += found.sum(axis=0)
        weights = found.mean(axis=0)
        self._given += float(found.sum())
        self._expected += float(weights @ self._lengths[numbers])
        best = int(weights.argmax())
        self.matches.append(int(numbers[best]) if weights[best] >= _MATCHED else None)

    @property
    def omission(self) -> Doubles:
        """How far no target unit says each source unit: (source unit,), from 0 to 1.

        It is 0 for a unit with as many target tokens as units of its length have that are said.
        """
        if not self._expected:
            return np.ones(len(self.source_units))
        wanted = self._lengths * (self._given / self._expected)
        missing: Doubles = 1 - np.minimum(1, self._received / np.maximum(wanted, 1e-9))
        return missing


def _normalised(weights: Doubles) -> Doubles:
    """Return rows that sum to 1, also where a model without attention has none."""
    sums = weights.sum(axis=1, keepdims=True)
    even = np.full_like(weights, 1 / max(1, weights.shape[1]))
    rows: Doubles = np.where(sums > 1e-6, weights / np.maximum(sums, 1e-6), even)
    return rows
