"""Gain of preparing a corpus on several machines, as a markdown table.

    python benchmarks/sharded_preparation.py [--pairs 400000] [--machines 4]
    python benchmarks/sharded_preparation.py --corpus PAIRS.tsv -- --source-column en ...

The pairs come from `longspan sample`, one file per machine. The processing job `collect` runs once
for each machine's share, then the job `prepare` on the collected parts. For comparison, `prepare`
also runs on all files. CPU seconds are those of the jobs' processes, which depend little on other
load of the machine. The last column is the time of the slowest machine plus that of the merge. Both
results must have the same bytes.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

OPTIONS = ("--vocabulary-size", "8000", "--validation-size", "2000", "--test-size", "2000")


@dataclass(frozen=True)
class Spent:
    wall: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=400_000)
    parser.add_argument("--corpus", type=Path, help="a TSV file with a header, instead of a sample")
    parser.add_argument("--machines", type=int, default=4)
    parser.add_argument("--scratch", type=Path, help="a folder on a disk with room")
    parser.add_argument("options", nargs="*", help="options of prepare, after --")
    arguments = parser.parse_args()
    options = (*OPTIONS, *arguments.options)
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as name:
        folder = Path(name)
        corpus = arguments.corpus or _sample(folder, arguments.pairs)
        files, pairs = _split(folder, corpus, arguments.machines)
        collects = [_collect(folder, path, files, options) for path in files]
        merge = _prepare(folder / "merge", folder / "collected", options)
        alone = _alone(folder, files, options)
        assert _digests(folder / "merge") == _digests(folder / "alone"), "the corpora differ"
        _print(pairs, collects, merge, alone, _bytes(folder / "collected"))


def _sample(folder: Path, pairs: int) -> Path:
    command = ["sample", "--pairs", str(pairs), "--seed", "1", "--out", str(folder / "sample")]
    _run([sys.executable, "-m", "longspan.pipelines.command", *command], {})
    return folder / "sample/train.tsv"


def _split(folder: Path, corpus: Path, count: int) -> tuple[list[Path], int]:
    """Split the lines equally into files; return the files and the number of lines."""
    paths = [folder / "shards" / f"{number:03d}.tsv" for number in range(count)]
    paths[0].parent.mkdir()
    with corpus.open(encoding="utf-8") as lines:
        total = sum(1 for _ in lines) - 1
        lines.seek(0)
        header = next(lines)
        for path in paths:
            with path.open("w", encoding="utf-8") as file:
                file.write(header)
                file.writelines(islice(lines, -(-total // count)))
    return paths, total


def _collect(folder: Path, path: Path, files: list[Path], options: Sequence[str]) -> Spent:
    hosts = [f"algo-{other.stem}" for other in files]
    base = folder / path.stem
    config = base / "config/resourceconfig.json"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps({"hosts": hosts, "current_host": f"algo-{path.stem}"}))
    _place(path, base / "processing/input/pairs")
    spent = _job(base, "collect", options)
    for part in (base / "processing/output/collected").iterdir():
        shutil.move(part, folder / "collected" / part.name)
    return spent


def _prepare(base: Path, collected: Path, options: Sequence[str]) -> Spent:
    target = base / "processing/input/collected"
    target.parent.mkdir(parents=True)
    target.symlink_to(collected)
    return _job(base, "prepare", options)


def _alone(folder: Path, files: list[Path], options: Sequence[str]) -> Spent:
    for path in files:
        _place(path, folder / "alone/processing/input/pairs")
    return _job(folder / "alone", "prepare", options)


def _place(path: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / path.name).hardlink_to(path)
    collected = path.parents[1] / "collected"
    collected.mkdir(exist_ok=True)


def _job(base: Path, name: str, options: Sequence[str]) -> Spent:
    print(f"{name} in {base.name}", file=sys.stderr)
    command = [sys.executable, "-m", "longspan.pipelines.jobs", name, *options]
    return _run(command, {"LONGSPAN_BASE": str(base)})


def _run(command: list[str], variables: dict[str, str]) -> Spent:
    started, before = time.monotonic(), os.times()
    subprocess.run(command, env={**os.environ, **variables}, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    cpu = after.children_user - before.children_user
    cpu += after.children_system - before.children_system
    return Spent(time.monotonic() - started, cpu)


def _digests(base: Path) -> dict[str, bytes]:
    output = base / "processing/output/prepared"
    return {
        path.relative_to(output).as_posix(): path.read_bytes()
        for path in output.rglob("*")
        if path.is_file()
    }


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _print(pairs: int, collects: list[Spent], merge: Spent, alone: Spent, size: int) -> None:
    print("| job | machines | CPU s of each | wall s of the slowest |")
    print("|---|---|---|---|")
    each = sum(spent.cpu for spent in collects) / len(collects)
    slowest = max(spent.wall for spent in collects)
    print(f"| `collect` | {len(collects)} | {each:.1f} | {slowest:.1f} |")
    print(f"| `prepare` of the parts | 1 | {merge.cpu:.1f} | {merge.wall:.1f} |")
    print(f"| together | | | {slowest + merge.wall:.1f} |")
    print(f"| `prepare` alone | 1 | {alone.cpu:.1f} | {alone.wall:.1f} |")
    print(f"\n{pairs:,} pairs, parts of {size / 1e6:.0f} MB; equal bytes")


if __name__ == "__main__":
    main()
