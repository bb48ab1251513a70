"""Training speed of this project's model and of other toolkits in the same run.

    python benchmarks/training_speed.py --data DIR
    python benchmarks/training_speed.py --data DIR --peers HARNESS --rounds 3
    python benchmarks/training_speed.py --data DIR --device cuda --threads 4 --updates 400

DIR has train.en and train.ja, tokenised, one sentence per line. All systems train on them with the
same sizes: embeddings 256, bidirectional LSTM of 2 x 256, decoder LSTM of 512, attention of 512,
dropout 0.2, Adam at 0.001, label smoothing 0.1, gradient norm 1, 128 sentences per update, every
word of the training data in the vocabulary. Each measurement is a separate process. Its rate is
measured between two updates, without start-up. README.md has the details.
"""

import argparse
import dataclasses
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from peer_harness import PEERS, run_peer
from rate import Rate

BATCH = 128
SETTINGS: Mapping[str, str] = {
    "num_embed_source": "256",
    "num_embed_target": "256",
    "rnn_num_hidden": "512",
    "attention_type": "additive",
    "attention_dimension": "512",
    "embed_dropout_source": "0.2",
    "embed_dropout_target": "0.2",
    "rnn_dropout": "0.2",
    "rnn_decoder_hidden_dropout": "0.2",
    "label_smoothing": "0.1",
    "learning_rate": "0.001",
    "lr_scheduler_type": "constant",
    "clip_gradient": "1",
    "batch_size": str(BATCH),
}
# The measured variants of this project: name -> settings added to the common ones, and a note.
OWN: Mapping[str, tuple[Mapping[str, str], str]] = {
    "longspan bf16": ({"precision": "bf16"}, "additive"),
    "longspan fp32": ({"precision": "fp32"}, "additive"),
    "longspan fp32 with input feeding": (
        {"precision": "fp32", "input_feeding": "true"},
        "additive, input feeding",
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if arguments.updates % arguments.first or arguments.updates <= arguments.first:
        parser.error("--updates must be larger than --first, and a multiple of it")
    if arguments.peers and arguments.device != "cpu":
        parser.error("--peers run only on the CPU; remove --device")
    wanted = [f"{part}.{side}" for part in _parts(arguments) for side in ("en", "ja")]
    if missing := [name for name in wanted if not (arguments.data / name).is_file()]:
        parser.error(f"--data {arguments.data}: expected {', '.join(missing)}, found none")
    if arguments.measure:
        from own_run import run_own

        settings = {**SETTINGS, **OWN[arguments.measure][0]}
        settings |= dict(setting.split("=", 1) for setting in arguments.set)
        window = (arguments.first, arguments.updates)
        rate, parameters = run_own(arguments.data, settings, *window, arguments.device)
        print(json.dumps([dataclasses.asdict(rate), parameters]))
        return 0
    runs = measure_all(arguments)
    print(render(arguments, runs))
    return 0 if all(runs.values()) else 1


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--updates", type=int, default=40, help="updates of each run")
    parser.add_argument("--first", type=int, default=10, help="update at which measuring starts")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1, help="runs of each system (default 1)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 ...")
    parser.add_argument("--only", nargs="+", choices=[*OWN, *PEERS], help="systems to measure")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="another hyperparameter of this project's model")  # fmt: skip
    parser.add_argument("--peers", type=Path, metavar="HARNESS", help="folder of train_*.sh")
    parser.add_argument("--peers-workspace", type=Path, metavar="DIR",
                        default=os.environ.get("PEERS", Path(tempfile.gettempdir()) / "nmt-peers"),
                        help="folder in which the toolkits are installed")  # fmt: skip
    parser.add_argument("--measure", choices=OWN, help=argparse.SUPPRESS)
    return parser


def _parts(arguments: argparse.Namespace) -> list[str]:
    return ["train", "dev", "test"] if arguments.peers else ["train"]


def measure_all(arguments: argparse.Namespace) -> dict[str, list[Rate]]:
    """Return rates by name; all systems run in turn in each round, under the same other load."""
    names = [*(PEERS if arguments.peers else []), *OWN]
    runs: dict[str, list[Rate]] = {n: [] for n in names if n in (arguments.only or names)}
    for number in range(arguments.rounds):
        for name, rates in runs.items():
            print(f"round {number + 1}: {name}, load {_load()}", file=sys.stderr, flush=True)
            rate = _own(arguments, name) if name in OWN else _peer(arguments, name)
            if rate is not None:
                rates.append(rate)
                text = f"{rate.per_cpu:.0f} target words a CPU-second, {rate.per_wall:.0f} a second"
                print(f"  {name}: {text}", file=sys.stderr, flush=True)
    return runs


def _own(arguments: argparse.Namespace, name: str) -> Rate | None:
    threads = str(arguments.threads)
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    command = [sys.executable, str(Path(__file__)), "--measure", name]
    command += ["--data", str(arguments.data), "--device", arguments.device]
    command += ["--updates", str(arguments.updates), "--first", str(arguments.first)]
    command += [part for setting in arguments.set for part in ("--set", setting)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        print(f"  {name}: failed with exit code {done.returncode}", file=sys.stderr)
        return None
    values, parameters = json.loads(done.stdout)
    print(f"  {parameters:,} parameters", file=sys.stderr)
    return Rate(**values)


def _peer(arguments: argparse.Namespace, name: str) -> Rate | None:
    data = arguments.data.resolve()
    words = (data / "train.ja").read_text(encoding="utf-8").splitlines()
    mean = BATCH * sum(len(line.split()) + 1 for line in words) / len(words)
    variables = {
        "DATA": str(data),
        "THREADS": str(arguments.threads),
        "UPDATES": str(arguments.updates),
        "LOGF": str(arguments.first),
        "BATCH": str(BATCH),
    }
    workspace = Path(arguments.peers_workspace).resolve()
    result = run_peer(name, arguments.peers.resolve(), workspace, variables, mean)
    if isinstance(result, Rate):
        return result
    print(f"  {name}: {result}", file=sys.stderr)
    return None


def render(arguments: argparse.Namespace, runs: Mapping[str, Sequence[Rate]]) -> str:
    """Return the markdown table; ratios are relative to the fastest peer in the same column."""
    fastest = {
        column: max(
            (_median(rates, column) for name, rates in runs.items() if name in PEERS and rates),
            default=0.0,
        )
        for column in ("per_cpu", "per_wall")
    }
    lines = [
        f"{platform.machine()}, {_processor()}; {arguments.threads} threads, {arguments.device}; "
        f"updates {arguments.first} to {arguments.updates} of {BATCH} sentences, "
        f"{arguments.rounds} rounds (median); load at the end {_load()}",
        "",
        "| | attention | target words a CPU-second | ratio | a second | ratio | perplexity | MB |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, rates in runs.items():
        note = OWN[name][1] if name in OWN else PEERS[name].note
        cells = ["failed"] + [""] * 5 if not rates else _cells(rates, fastest)
        lines.append(f"| {name} | {note} | {' | '.join(cells)} |")
    if missing := [name for name in PEERS if arguments.peers and not runs.get(name)]:
        lines += ["", f"Ratios are without {', '.join(missing)}, of which there is no rate here."]
    return "\n".join(lines)


def _cells(rates: Sequence[Rate], fastest: Mapping[str, float]) -> list[str]:
    cells = []
    for column, best in fastest.items():
        value = _median(rates, column)
        every = sorted(getattr(rate, column) for rate in rates)
        spread = f" ({every[0]:.0f}-{every[-1]:.0f})" if len(every) > 1 else ""
        cells += [f"{value:.0f}{spread}", f"{value / best:.2f}" if best else ""]
    perplexity = rates[0].perplexity
    cells.append("" if perplexity is None else f"{perplexity:.0f}")
    return [*cells, f"{statistics.median(rate.peak_mb for rate in rates):.0f}"]


def _median(rates: Sequence[Rate], column: str) -> float:
    values: list[float] = [getattr(rate, column) for rate in rates]
    return statistics.median(values)


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if not information.exists():
        return platform.processor() or "unknown processor"
    found = re.search(r"model name\s*: (.*)", information.read_text(encoding="utf-8"))
    return f"{found[1] if found else 'unknown processor'} x {os.cpu_count()}"


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    sys.exit(main())
