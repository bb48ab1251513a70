"""Cost of length augmentation per target token, in CPU-seconds (or GPU time) of training.

    python benchmarks/length_augmentation_cost.py PREPARED
    python benchmarks/length_augmentation_cost.py PREPARED --config benchmarks/sample.yaml

PREPARED is the output of `longspan prepare`. Updates with and without joined examples alternate, so
that other load on the machine affects both equally.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
import yaml

from longspan.training.corpus.batches import Batch, collate, plan_epoch
from longspan.training.corpus.prepared import Prepared
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.distributed import World
from longspan.training.loop.loss import sequence_loss
from longspan.training.loop.updater import Updater
from longspan.training.model.initialization import initialize
from longspan.training.model.model import Model

_WARM_UP = 5


def main(argv: Sequence[str] | None = None) -> int:
    """Measure each setting and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prepared", type=Path)
    parser.add_argument("--config", type=Path, help="hyperparameters as YAML")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.03, 0.1, 0.3])
    parser.add_argument("--updates", type=int, default=150)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    values = yaml.safe_load(arguments.config.read_text()) if arguments.config else {}
    values = {name: str(value) for name, value in values.items()}
    values |= dict(setting.split("=", 1) for setting in arguments.set)
    prepared = Prepared.open(arguments.prepared)
    print("| `length_augmentation` | joined tokens | ms per 1,000 target tokens | ratio |")
    print("|---:|---:|---:|---:|")
    shares = [0.0, *arguments.shares]
    settings = [
        Hyperparameters.parse(values | {"length_augmentation": str(s), "length_curriculum": "0"})
        for s in shares
    ]
    costs = _measure(prepared, settings, arguments.updates, torch.device(arguments.device))
    for share, h, cost in zip(shares, settings, costs, strict=True):
        joined = _joined_tokens(prepared, h)
        print(f"| {share:g} | {joined:.0%} | {1e6 * cost:.1f} | {cost / costs[0]:.2f} |")
    return 0


def _measure(
    prepared: Prepared, settings: Sequence[Hyperparameters], updates: int, device: torch.device
) -> list[float]:
    """Return the seconds per target token of each setting."""
    vocabularies = len(prepared.tokenizer.source), len(prepared.tokenizer.target)
    model = Model(settings[0], *vocabularies)
    initialize(model, settings[0], torch.Generator().manual_seed(1))
    model = model.to(device)
    updater = Updater(model, settings[0], sequence_loss, World.from_environment({}), device)
    batches = [_batches(prepared, h) for h in settings]
    seconds, tokens = [0.0] * len(settings), [0] * len(settings)
    for update in range(updates + _WARM_UP):
        for number, of_setting in enumerate(batches):
            batch = next(of_setting)
            spent = _timed(updater, batch, device)
            if update >= _WARM_UP:
                seconds[number] += spent
                tokens[number] += batch.tokens
        print(f"\r{update + 1} of {updates + _WARM_UP}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return [s / t for s, t in zip(seconds, tokens, strict=True)]


def _timed(updater: Updater, batch: Batch, device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        started = time.perf_counter()
        updater.apply(batch, batch.tokens, 1e-4, 0)
        torch.cuda.synchronize(device)
        return time.perf_counter() - started
    started = time.process_time()
    updater.apply(batch, batch.tokens, 1e-4, 0)
    return time.process_time() - started


def _batches(prepared: Prepared, h: Hyperparameters) -> Iterator[Batch]:
    """Yield the batches of all epochs in order."""
    epoch = 0
    while True:
        for examples in plan_epoch(prepared.train, h, epoch):
            yield collate(prepared.train, examples)
        epoch += 1


def _joined_tokens(prepared: Prepared, h: Hyperparameters) -> float:
    """Return the share of an epoch's target tokens that are in joined examples."""
    planned = plan_epoch(prepared.train, h, 0)
    if not planned.joined:
        return 0.0
    single = int(prepared.train.target_lengths.sum()) if not planned.left_out else 0
    return 1 - single / int(planned.tokens.sum())


if __name__ == "__main__":
    sys.exit(main())
