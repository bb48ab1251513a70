"""Training of this project's model with its own `Trainer`, timed between two updates."""

import collections
import contextlib
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from rate import Rate

from longspan.training.corpus.shards import MemoryCorpus
from longspan.training.errors import Interrupted
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.checkpoint import CheckpointStore
from longspan.training.loop.distributed import World
from longspan.training.loop.loss import LossSums, sequence_loss
from longspan.training.loop.setup import RunCheckpoints, TrainingEnvironment, TrainingTask
from longspan.training.loop.trainer import Trainer
from longspan.training.loop.training_log import TrainingLog
from longspan.training.loop.updater import Sums
from longspan.training.loop.validation import ValidationData, Validator
from longspan.training.model.initialization import initialize
from longspan.training.model.model import Model
from longspan.training.tokenizer.tokenizer import Tokenizer
from longspan.training.tokenizer.vocabularies import SPECIAL_WORDS, WordVocabulary

__all__ = ["run_own"]


class _Clock:
    """Clock in the trainer's `stop` callback: records the time of updates and ends after `last`."""

    def __init__(self, first: int, last: int, device: torch.device) -> None:
        self.first, self.last, self.updates = first, last, 0
        self.started = self.ended = (0.0, 0.0)
        self.device = device

    def __call__(self) -> bool:
        self.updates += 1
        if self.updates == self.first:
            self.started = self._now()
        if self.updates == self.last:
            self.ended = self._now()
        return self.updates >= self.last

    def _now(self) -> tuple[float, float]:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter(), time.process_time()  # user and system, all threads


class _Loss:
    """The project's loss that also records the sums of each update."""

    def __init__(self) -> None:
        self.batches: list[LossSums] = []

    def __call__(
        self, model: Model, batch: Any, hyperparameters: Hyperparameters, /,
        *, label_smoothing: float,
    ) -> LossSums:  # fmt: skip
        sums = sequence_loss(model, batch, hyperparameters, label_smoothing=label_smoothing)
        detached = LossSums(sums.loss.detach(), sums.nll, sums.correct, sums.tokens, sums.coverage)
        self.batches.append(detached)
        return sums

    def total(self, updates: slice) -> Sums:
        """Return the sums over the batches of some updates."""
        chosen = self.batches[updates]
        names = ("nll", "correct", "tokens")
        return Sums(*(float(sum(getattr(batch, name) for batch in chosen)) for name in names))


def run_own(
    data: Path, settings: Mapping[str, str], first: int, last: int, device_name: str
) -> tuple[Rate, int]:
    """Train on `train.en` and `train.ja`; return the rate and the number of parameters."""
    h = Hyperparameters.parse(settings)
    device, world = torch.device(device_name), World()
    tokenizer, corpus = _words_corpus(data)
    model = Model(h, len(tokenizer.source), len(tokenizer.target))
    initialize(model, h, torch.Generator().manual_seed(h.seed))
    model = model.to(device)
    clock, loss = _Clock(first, last, device), _Loss()
    few = MemoryCorpus([corpus.source(0)], [corpus.target(0)])
    data_to_validate = ValidationData(few, tokenizer)
    validator = Validator(data_to_validate, h, loss, world, device, decode=_no_search)
    with tempfile.TemporaryDirectory() as folder:
        store = CheckpointStore(folder, warn=_to_stderr)
        trainer = Trainer(
            TrainingTask(model, corpus, validator, h, loss),
            RunCheckpoints(store, {}),
            TrainingEnvironment(world, device, TrainingLog(write=_to_stderr)),
            clock,
        )
        with contextlib.suppress(Interrupted):  # raised by the clock
            trainer.run()
    measured = loss.total(slice(first, last))
    wall, cpu = (end - start for end, start in zip(clock.ended, clock.started, strict=True))
    ending = loss.total(slice(last - 10, last))
    rate = Rate(measured.tokens, wall, cpu, ending.perplexity, _peak_mb())
    return rate, sum(p.numel() for p in model.parameters())


def _words_corpus(data: Path) -> tuple[Tokenizer, MemoryCorpus]:
    sources, targets = (
        (data / f"train.{language}").read_text(encoding="utf-8").splitlines()
        for language in ("en", "ja")
    )
    tokenizer = Tokenizer(_vocabulary(sources), _vocabulary(targets))
    return tokenizer, MemoryCorpus(
        [tokenizer.encode_source(line) for line in sources],
        [tokenizer.encode_target(line) for line in targets],
    )


def _vocabulary(lines: Iterable[str]) -> WordVocabulary:
    """Return every word of the training data, the most frequent first."""
    counts = collections.Counter(word for line in lines for word in line.split())
    ordered = sorted(counts.keys() - set(SPECIAL_WORDS), key=lambda word: (-counts[word], word))
    return WordVocabulary([*SPECIAL_WORDS, *ordered])


def _no_search(model: Any, sources: list[list[int]], /) -> list[list[int]]:
    raise AssertionError("nothing is translated in so few updates")


def _to_stderr(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


def _peak_mb() -> float:
    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, else kilobytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
