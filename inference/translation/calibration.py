"""Calibration: the search penalties that suit a trained model, found on validation pairs.

Nothing is trained. The pairs are translated with a few settings, and the best setting is stored
with the model. The right penalties depend on how early a model ends its outputs and how sharp its
attention is, so one value for all models would be worse (Wu et al. 2016 tuned theirs, table 2).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from longspan.inference.search.search import SearchSettings
from longspan.inference.translation.translator import Translator
from longspan.training.bleu_tokenizers import choose_tokenizer
from longspan.training.corpus.shards import PairCorpus
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.lengths import count_words
from longspan.training.model.model import Model
from longspan.training.scores import corpus_bleu, long_part
from longspan.training.tokenizer.tokenizer import Tokenizer

__all__ = ["Calibrated", "calibrate", "calibrate_on"]

_LENGTH_PENALTIES = (1.0, 0.6)
_COVERAGE_PENALTIES = (0.0, 0.05, 0.1, 0.2)
# The most pairs that are translated, of all pairs and of the long ones.
_PAIRS = 64


@dataclass(frozen=True)
class Calibrated:
    """The best penalties. `score` is the mean of BLEU on all pairs and BLEU on long pairs."""

    length_penalty: float
    coverage_penalty: float
    score: float
    tried: tuple[tuple[float, float, float], ...]  # length penalty, coverage penalty, score

    @property
    def changes(self) -> dict[str, float]:
        """The penalties by the names of the hyperparameters."""
        return {"length_penalty": self.length_penalty, "coverage_penalty": self.coverage_penalty}

    @property
    def line(self) -> str:
        """One line for a log: the penalties and all that were tried."""
        tried = "; ".join(f"{a:g} and {b:g}: {score:.1f}" for a, b, score in self.tried)
        return (
            f"length_penalty={self.length_penalty:g} coverage_penalty={self.coverage_penalty:g} "
            f"by validation BLEU, the mean of all and of long pairs ({tried})"
        )


def calibrate_on(score: Callable[[float, float], float], *, has_attention: bool) -> Calibrated:
    """Return the penalties with the best `score(length_penalty, coverage_penalty)`.

    Each try translates all pairs, so the penalties are not tried in all combinations: first the
    coverage penalty grows as long as that helps, then the length penalty is tried. The first of
    equal scores wins.
    """
    tried: list[tuple[float, float, float]] = []

    def attempt(length: float, coverage: float) -> float:
        tried.append((length, coverage, score(length, coverage)))
        return tried[-1][2]

    best = attempt(_LENGTH_PENALTIES[0], 0.0)
    for coverage in _COVERAGE_PENALTIES[1:] if has_attention else ():
        found = attempt(_LENGTH_PENALTIES[0], coverage)
        if found <= best:
            break
        best = found
    _, coverage, _ = max(tried, key=lambda one: one[2])
    for length in _LENGTH_PENALTIES[1:]:
        attempt(length, coverage)
    # `max` returns the first of equal scores.
    length, coverage, best = max(tried, key=lambda one: one[2])
    return Calibrated(length, coverage, best, tuple(tried))


def calibrate(
    model: Model,
    tokenizer: Tokenizer,
    validation: PairCorpus,
    hyperparameters: Hyperparameters,
    device: torch.device,
) -> Calibrated:
    """Return the best penalties for `model` on a sample of validation pairs.

    The score is the mean of BLEU on all pairs and BLEU on long pairs. The sample depends on the
    seed of the hyperparameters alone.
    """
    sources = [
        tokenizer.source.decode(validation.source(i).tolist()) for i in range(len(validation))
    ]
    words = [count_words(source) for source in sources]
    generator = np.random.default_rng(hyperparameters.seed)
    parts = [
        _some(np.arange(len(sources)), generator),
        _some(long_part(words).members, generator),
    ]
    references = {
        i: tokenizer.decode_target(validation.target(i).tolist()) for part in parts for i in part
    }
    tokens = choose_tokenizer(list(references.values()), wanted=hyperparameters.bleu_tokenizer).name

    def score(length_penalty: float, coverage_penalty: float) -> float:
        settings = SearchSettings.from_hyperparameters(
            hyperparameters, length_penalty=length_penalty, coverage_penalty=coverage_penalty
        )
        translator = Translator(model, tokenizer, settings, device, report=lambda _: None)
        found = translator.translate([sources[i] for i in references])
        texts = dict(zip(references, (one.text for one in found), strict=True))
        return float(
            np.mean(
                [
                    corpus_bleu([texts[i] for i in p], [references[i] for i in p], tokens)
                    for p in parts
                ]
            )
        )

    return calibrate_on(score, has_attention=model.has_attention)


def _some(
    members: "np.typing.NDArray[np.integer]", generator: np.random.Generator
) -> Sequence[int]:
    if len(members) > _PAIRS:
        members = np.sort(generator.choice(members, _PAIRS, replace=False))
    chosen: list[int] = members.tolist()
    return chosen
