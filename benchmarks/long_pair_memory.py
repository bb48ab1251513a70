"""Peak memory of training on one very long sentence pair, for every attention and coverage.

    python benchmarks/long_pair_memory.py
    python benchmarks/long_pair_memory.py --words 2000 --set attention_heads=8

Each row is a separate process that makes two updates on one pair at the default sizes. The first
update creates Adam's state, so the second one has all state in memory. On a CPU the figure is the
peak of the whole process, including Python and PyTorch, from the operating system. On a GPU it is
the peak of PyTorch's allocator.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ATTENTIONS = ("none", "dot", "scaled_dot", "bilinear", "additive")
COVERAGES = ("none", "loss", "recurrent")
TARGET_GB = 4.0
UPDATES = 2


def main(argv: Sequence[str] | None = None) -> int:
    arguments = build_parser().parse_args(argv)
    if arguments.measure:
        print(json.dumps(measure(arguments)))
        return 0
    tokens = round(arguments.words * arguments.tokens_per_word)
    given = ", ".join(["default hyperparameters", *arguments.set])
    print(
        f"One pair of {arguments.words} words, {tokens} tokens on each side; vocabularies of "
        f"{arguments.vocabulary}; {given}; {arguments.precision} on {arguments.device}\n"
    )
    print("| attention_type | coverage_mechanism | parameters | peak GB | before GB | s |")
    print("|---|---|---:|---:|---:|---:|", flush=True)
    worst = 0.0
    for attention in ATTENTIONS:
        for coverage in COVERAGES if attention != "none" else ("none",):
            row = in_child([f"attention_type={attention}", f"coverage_mechanism={coverage}"])
            worst = max(worst, row["peak_gb"])
            print(
                f"| {attention} | {coverage} | {row['parameters'] / 1e6:.1f} M "
                f"| {row['peak_gb']:.2f} | {row['before_gb']:.2f} | {row['seconds']:.1f} |",
                flush=True,
            )
    print(f"\nworst: {worst:.2f} GB; target: under {TARGET_GB:g} GB")
    return 0 if worst < TARGET_GB else 1


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--words", type=int, default=1000, help="length of the pair")
    parser.add_argument("--tokens-per-word", type=float, default=1.4)
    parser.add_argument("--vocabulary", type=int, default=16_000, help="size, each side")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    return parser


def in_child(settings: list[str]) -> dict[str, Any]:
    """Measure one row in a new process, because a process's peak memory never decreases."""
    extra = [part for setting in settings for part in ("--set", setting)]
    command = [sys.executable, str(Path(__file__)), *sys.argv[1:], *extra, "--measure"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Make two updates; return peak and before-training memory in GB, parameters and seconds."""
    import torch

    from longspan.training.corpus.batches import collate
    from longspan.training.corpus.shards import MemoryCorpus
    from longspan.training.hyperparameters import Hyperparameters
    from longspan.training.loop.distributed import World
    from longspan.training.loop.loss import sequence_loss
    from longspan.training.loop.updater import Updater
    from longspan.training.model.initialization import initialize
    from longspan.training.model.model import Model
    from longspan.training.tokenizer.vocabularies import EOS

    hyperparameters = Hyperparameters.parse(
        {"precision": arguments.precision} | dict(s.split("=", 1) for s in arguments.set)
    )
    torch.manual_seed(hyperparameters.seed)
    tokens = round(arguments.words * arguments.tokens_per_word)
    pair = torch.randint(EOS + 1, arguments.vocabulary, (2, tokens))
    pair[:, -1] = EOS
    batch = collate(MemoryCorpus([pair[0].tolist()], [pair[1].tolist()]), [(0,)])
    model = Model(hyperparameters, arguments.vocabulary, arguments.vocabulary)
    initialize(model, hyperparameters, torch.Generator().manual_seed(hyperparameters.seed))
    device = torch.device(arguments.device)
    updater = Updater(model.to(device), hyperparameters, sequence_loss, World(), device)
    before, seconds = peak_bytes(arguments.device), 0.0
    for number in range(UPDATES):
        start = time.perf_counter()
        updater.apply(batch, batch.tokens, hyperparameters.learning_rate, number)
        peak_bytes(arguments.device)  # waits for a GPU
        seconds = time.perf_counter() - start
    return {
        "peak_gb": peak_bytes(arguments.device) / 1e9,
        "before_gb": before / 1e9,
        "parameters": sum(p.numel() for p in model.parameters()),
        "seconds": seconds,
    }


def peak_bytes(device: str) -> int:
    import torch

    if device.startswith("cuda"):
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated()
    # ru_maxrss: kilobytes on Linux, bytes on macOS (getrusage(2)).
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    sys.exit(main())
