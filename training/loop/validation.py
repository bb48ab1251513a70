"""Validation: loss by sentence length, and BLEU of greedy translations of all or long pairs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from longspan.training.bleu_tokenizers import choose_tokenizer
from longspan.training.buckets import BUCKETS, bucket_of
from longspan.training.corpus.batch_order import batch_starts
from longspan.training.corpus.batches import collate
from longspan.training.corpus.pair_corpus import IntArray, PairCorpus
from longspan.training.errors import DataError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.lengths import count_words
from longspan.training.loop.distributed import World
from longspan.training.loop.precision import autocast, compute_type
from longspan.training.loop.updater import LossFunction, Sums
from longspan.training.scores import corpus_bleu, long_part
from longspan.training.tokenizer.tokenizer import Tokenizer

__all__ = ["Decode", "Validation", "ValidationData", "Validator"]

# Batches may be larger than in training, since nothing is kept for a backward pass.
_BATCH_TOKENS = 4096


class Decode(Protocol):
    """Greedy search: source token ids with EOS -> target token ids without BOS and EOS."""

    def __call__(self, model: Any, sources: list[list[int]], /) -> list[list[int]]:
        """Return one translation for each source."""


@dataclass(frozen=True)
class Validation:
    """The figures of one validation.

    Joined pairs count in `bleu_long` and in buckets of their own only, because they may have far
    more words than all other pairs together.
    """

    loss: float  # nats per target token
    perplexity: float
    accuracy: float  # share of target tokens that the model ranks first
    by_bucket: dict[str, float] = field(default_factory=dict)  # loss of each non-empty bucket
    bleu: float | None = None  # 0 to 100; None if not measured
    bleu_long: float | None = None

    @property
    def metrics(self) -> dict[str, float]:
        """The figures that were measured, by their names in `metrics`."""
        names = ("loss", "perplexity", "accuracy", "bleu", "bleu_long")
        values = {f"validation:{name}": getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_record(cls, entry: Mapping[str, Any]) -> "Validation":
        """Read an entry of a run's history: the metrics, and `validation:loss_by_bucket`."""
        names = [f.name for f in fields(cls) if f.name != "by_bucket"]
        found: dict[str, Any] = {name: entry.get(f"validation:{name}") for name in names}
        return cls(**found, by_bucket=dict(entry["validation:loss_by_bucket"]))


@dataclass(frozen=True)
class ValidationData:
    """The pairs that a model is validated on."""

    corpus: PairCorpus
    tokenizer: Tokenizer
    joined: int = 0  # so many of the last pairs were joined from neighbours


class Validator:
    """The measurement of a model on validation pairs, in batches that are planned once.

    No pair is left out for its length. Raises DataError without a pair that is not joined.
    """

    def __init__(
        self,
        data: ValidationData,
        hyperparameters: Hyperparameters,
        loss: LossFunction,
        world: World,
        device: torch.device,
        *,
        decode: Decode,
    ) -> None:
        corpus, tokenizer, joined = data.corpus, data.tokenizer, data.joined
        if not len(corpus) - joined:
            only = f"only {joined} joined ones" if joined else "none"
            raise DataError(f"validation data: expected pairs, got {only}; prepare some")
        self.vocabulary_size = len(tokenizer.target)
        self._natural = len(corpus) - joined
        self._corpus = corpus
        self._tokenizer = tokenizer
        self._hyperparameters = hyperparameters
        self._limits = _larger_batches(hyperparameters)
        self._loss = loss
        self._world = world
        self._device = device
        self._decode = decode
        self._compute = compute_type(hyperparameters.precision, device)
        texts = (tokenizer.source.decode(corpus.source(i)) for i in range(len(corpus)))
        words = [count_words(text) for text in texts]
        buckets = np.array([BUCKETS.index(bucket_of(n)) for n in words], dtype=np.int64)
        # Joined pairs have groups of their own, after those of all buckets.
        self._groups = buckets + len(BUCKETS) * (np.arange(len(words)) >= self._natural)
        self._batches = list(self._plan())
        self.long = long_part(words)

    def measure(
        self,
        model: nn.Module,
        *,
        check: Callable[[], None],
        bleu: bool,
        bleu_long: bool,
        known: Validation | None = None,
    ) -> Validation:
        """Measure loss, and BLEU if asked for; `check` is called between batches.

        Figures that are `known` of the same weights are not measured again.
        """
        model.eval()
        with torch.inference_mode():
            found = known or Validation(**_figures(self._sums(model, check)))
            if bleu and found.bleu is None:
                found = replace(found, bleu=self._bleu(model, np.arange(self._natural), check))
            if bleu_long and found.bleu_long is None:
                found = replace(found, bleu_long=self._bleu(model, self.long.members, check))
            return found

    def _sums(self, model: nn.Module, check: Callable[[], None]) -> list[Sums]:
        # (group, [nll, correct, tokens]); the second half is that of joined pairs
        totals = torch.zeros(2 * len(BUCKETS), 3, dtype=torch.float64, device=self._device)
        for group, pairs in self._batches:
            check()
            # Every rank measures its share of each batch; the sums are added at the end.
            share = pairs[self._world.rank :: self._world.size]
            if not len(share):
                continue
            batch = collate(self._corpus, [(int(pair),) for pair in share]).to(self._device)
            with autocast(self._device, self._compute):
                sums = self._loss(model, batch, self._hyperparameters, label_smoothing=0.0)
            counts = (sums.nll, sums.correct, sums.tokens)
            totals[group] += torch.stack([count.double() for count in counts])
        return [Sums(*row) for row in self._world.add(totals).tolist()]

    def _bleu(self, model: nn.Module, pairs: IntArray, check: Callable[[], None]) -> float:
        size = self._hyperparameters.bleu_sample_size
        if size and size < len(pairs):
            generator = np.random.default_rng(self._hyperparameters.seed)
            # By the seed alone, so that all checkpoints of a run are measured on the same sample.
            pairs = np.sort(generator.choice(pairs, size, replace=False))
        # By falling length, so that the searches of a batch end together. BLEU ignores the order.
        lengths = self._corpus.source_lengths[pairs]
        pairs = pairs[np.argsort(-lengths.astype(np.int64), kind="stable")]
        mine = pairs[self._world.rank :: self._world.size]
        translations = self._world.gather(self._translate(model, mine, check))
        references = [self._tokenizer.decode_target(self._target(pair)) for pair in pairs]
        tokens = choose_tokenizer(references, wanted=self._hyperparameters.bleu_tokenizer).name
        return corpus_bleu(translations, references, tokens)

    def _translate(self, model: nn.Module, pairs: IntArray, check: Callable[[], None]) -> list[str]:
        lengths = self._corpus.source_lengths[pairs]
        starts = batch_starts(lengths, lengths, self._limits)
        ids: list[list[int]] = []
        for chunk in np.split(pairs, starts[1:]) if len(pairs) else []:
            if self._world.size == 1:  # ranks have different numbers of batches here
                check()
            sources = [self._corpus.source(int(pair)).tolist() for pair in chunk]
            with autocast(self._device, self._compute):
                ids += self._decode(model, sources)
        return [self._tokenizer.decode_target(row) for row in ids]

    def _target(self, pair: int) -> list[int]:
        ids: list[int] = self._corpus.target(int(pair)).tolist()
        return ids

    def _plan(self) -> Iterator[tuple[int, IntArray]]:
        """Yield batches with the number of their group: a length bucket, of joined pairs or not."""
        sources, targets = self._corpus.source_lengths, self._corpus.target_lengths
        # By group, then target length, then source length: the last key of `lexsort` comes first.
        order = np.lexsort((sources, targets, self._groups))
        for group in np.unique(self._groups).tolist():
            pairs = order[self._groups[order] == group]
            starts = batch_starts(sources[pairs], targets[pairs], self._limits)
            for chunk in np.split(pairs, starts[1:]):
                yield group, chunk


def _larger_batches(hyperparameters: Hyperparameters) -> Hyperparameters:
    """Return the settings with at least `_BATCH_TOKENS` tokens a batch; `batch_size` stays."""
    budget = hyperparameters.token_budget
    if budget is None or budget >= _BATCH_TOKENS:
        return hyperparameters
    return hyperparameters.replace(batch_tokens=_BATCH_TOKENS)


def _figures(by_group: Sequence[Sums]) -> dict[str, Any]:
    """Return the fields of `Validation` without BLEU, from the sums of each group."""
    natural = by_group[: len(BUCKETS)]
    whole = Sums(*(sum(getattr(s, name) for s in natural) for name in ("nll", "correct", "tokens")))
    names = [bucket.name for bucket in BUCKETS]
    names += [f"{name} joined" for name in names]
    return {
        "loss": whole.loss,
        "perplexity": whole.perplexity,
        "accuracy": whole.accuracy,
        "by_bucket": {n: s.loss for n, s in zip(names, by_group, strict=True) if s.tokens},
    }
