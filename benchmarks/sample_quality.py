"""Quality of the sample's model by sentence length, as a markdown table with one row per seed.

    python benchmarks/sample_quality.py --seeds 1 2 3 --out build/sample
    python benchmarks/sample_quality.py --baseline --set attention_type=additive

Runs `longspan sample`, `prepare`, `train` and `evaluate` with the values that `longspan init`
writes, on one thread. The tuned model has the first value of each range of the search space;
`--set` changes a value. The seed is the seed of training (weights, order, dropout); the corpus is
always the same. With `--baseline` each seed also trains the baseline, in a second row.

The exit status is 1 if a tuned model's BLEU over 100 words is less than 80, or less than 90% of its
BLEU at 11 to 20 words. To limit the processor to AVX2:

    ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 python benchmarks/sample_quality.py
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longspan.pipelines.config import Config
from longspan.pipelines.config.template import SAMPLE
from longspan.pipelines.config.training import as_strings
from longspan.pipelines.definition.preparation import prepare_arguments
from longspan.training.buckets import BUCKETS
from longspan.training.processor import features, level

SHORT, LONG = "11-20", BUCKETS[-1].name


@dataclass(frozen=True)
class Spent:
    """Seconds of one command, summed over its processes."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Row:
    """Figures of one trained model."""

    name: str
    updates: int
    tokens: int  # target tokens of training
    training: Spent
    evaluation: Spent
    bleu: Mapping[str, float]  # by bucket

    @property
    def kept(self) -> float:
        """BLEU over 100 words divided by BLEU at 11 to 20 words."""
        return self.bleu[LONG] / self.bleu[SHORT] if self.bleu[SHORT] else 0.0

    @property
    def line(self) -> str:
        """The cells as one row of the table."""
        bleu = (f"{self.bleu[bucket.name]:.1f}" for bucket in BUCKETS)
        cells = [
            self.name, f"{self.updates:,}", f"{self.tokens:,}", f"{self.training.cpu:.0f}",
            f"{self.training.wall:.0f}", f"{self.evaluation.cpu:.0f}", *bleu, f"{self.kept:.0%}",
        ]  # fmt: skip
        return f"| {' | '.join(cells)} |"


@dataclass(frozen=True)
class Sample:
    """The sample in a folder, where the commands of one configuration read and write."""

    config: Config
    folder: Path

    def prepare(self) -> None:
        """Write the corpus and its shards."""
        data = self.config.data.sample
        if data is None:
            raise SystemExit("the sample's config has no data.sample")
        options = (
            (f"--{name.replace('_', '-')}", str(value)) for name, value in data.model_dump().items()
        )
        corpus = self.folder / "corpus"
        longspan("sample", *(text for pair in options for text in pair), "--out", corpus)
        longspan(
            "prepare", corpus / "train.tsv", "--validation", corpus / "validation.tsv", "--test",
            corpus / "test.tsv", "--out", self.folder / "prepared", "--overwrite",
            *prepare_arguments(self.config),
        )  # fmt: skip

    def measure(self, name: str, hyperparameters: Mapping[str, str]) -> Row:
        """Train one model and evaluate it."""
        model, evaluation = self.folder / f"{name}-model", self.folder / f"{name}-evaluation"
        settings = (text for n, v in hyperparameters.items() for text in ("--set", f"{n}={v}"))
        trained = longspan(
            "train", self.folder / "prepared", "--out", model, "--fresh", "--threads", "1",
            *settings,
        )  # fmt: skip
        evaluated = longspan(
            "evaluate", model, self.folder / "prepared/test.tsv", "--out", evaluation,
            "--threads", "1",
        )  # fmt: skip
        details = _read(model / "config.json")["details"]
        groups = _read(evaluation / "evaluation.json")["buckets"]
        bleu = {group["name"]: group["bleu"] or 0.0 for group in groups}
        return Row(name, details["updates"], details["tokens"], trained, evaluated, bleu)


def main() -> int:
    """Print a row for each model and return the exit status."""
    arguments = _arguments()
    config = Config.model_validate(SAMPLE)
    changes = dict(setting.split("=", 1) for setting in arguments.set)
    print(f"processor: {level(features())}", flush=True)
    print(_head(), flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        sample = Sample(config, arguments.out or Path(scratch))
        sample.prepare()
        poor = []
        for seed in arguments.seeds:
            values = {"seed": str(seed), **changes}
            row = sample.measure(f"tuned-{seed}", _tuned(config) | values)
            print(row.line, flush=True)
            poor += _problems(row, arguments)
            if arguments.baseline:
                values = as_strings(config.baseline.hyperparameters) | {"seed": str(seed)}
                values = as_strings(config.training.hyperparameters) | values
                print(sample.measure(f"baseline-{seed}", values).line, flush=True)
    print("\n".join(poor or ["every tuned model holds over 100 words"]), flush=True)
    return 1 if poor else 0


def longspan(*arguments: str | Path) -> Spent:
    """Run the command on one thread; exit if it fails."""
    command = [sys.executable, "-m", "longspan.pipelines.command", *map(str, arguments)]
    started, before = time.monotonic(), os.times()
    done = subprocess.run(
        command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True
    )
    after = os.times()
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    cpu = after.children_user - before.children_user
    return Spent(time.monotonic() - started, cpu + after.children_system - before.children_system)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], metavar="N")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--baseline", action="store_true", help="train the baseline too")
    parser.add_argument("--minimum", type=float, default=80.0, metavar="BLEU")
    parser.add_argument("--minimum-kept", type=float, default=0.9, metavar="SHARE")
    parser.add_argument("--out", type=Path, help="keep corpus, models and evaluations here")
    return parser.parse_args()


def _tuned(config: Config) -> dict[str, str]:
    """Return the config's hyperparameters with the first value of each range of the search."""
    space = config.tuning.search_space
    first = {name: _first(values) for name, values in space.items()}
    return as_strings(config.training.hyperparameters) | as_strings(first)


def _first(values: Any) -> Any:
    return values[0] if isinstance(values, list) else values.min


def _problems(row: Row, arguments: argparse.Namespace) -> Iterator[str]:
    if row.bleu[LONG] < arguments.minimum:
        yield f"{row.name}: expected BLEU {LONG} words of at least {arguments.minimum:g}, got " + (
            f"{row.bleu[LONG]:.1f}"
        )
    if row.kept < arguments.minimum_kept:
        yield (
            f"{row.name}: expected {LONG} words at least {arguments.minimum_kept:.0%} of the BLEU "
            f"at {SHORT}, got {row.kept:.0%}"
        )


def _head() -> str:
    names = ["model", "updates", "target tokens", "train CPU s", "wall s", "evaluate CPU s"]
    names += [*(bucket.name for bucket in BUCKETS), f"{LONG} / {SHORT}"]
    return f"| {' | '.join(names)} |\n|{'---|' * len(names)}"


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())
