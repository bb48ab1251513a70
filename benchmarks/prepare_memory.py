"""Time and peak memory of `longspan prepare` at growing corpus sizes, as a markdown table.

    python benchmarks/prepare_memory.py [PAIRS.tsv.xz --source-column en --target-column ja]

Without a file the pairs come from `longspan sample`. Larger corpora repeat the given pairs. Each
repetition changes one word or character and the document of every pair, so that no pair is a
duplicate. Peak memory is given as the largest resident set of the prepare process, the largest of
any process that it starts, and the largest sum over all processes, sampled.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from longspan.training.pairs.pairs import Columns, Pair, join_document, read_pairs

_PAGE = os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as folder:
        source = arguments.pairs or _sample(Path(folder))
        columns = Columns(
            arguments.source_column, arguments.target_column, arguments.document_column
        )
        print("| pairs | input MB | wall s | CPU s | prepare MB | largest MB | sum MB | spool MB |")
        print("|---|---|---|---|---|---|---|---|", flush=True)
        for size in arguments.sizes:
            print(_measure(source, columns, size, Path(folder)), flush=True)


def _measure(source: Path, columns: Columns, size: int, folder: Path) -> str:
    corpus, out = folder / f"{size}.tsv", folder / "prepared"
    with corpus.open("w", encoding="utf-8") as file:
        file.write("doc\tsource\ttarget\n")
        file.writelines(_line(pair) for pair in _varied(source, columns, size))
    command = ["from longspan.pipelines.command import main; import sys; sys.exit(main())"]
    before, started = _cpu_seconds(), time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", *command, "prepare", str(corpus), "--out", str(out)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    alone, largest, together, disk = 0, 0, 0, 0
    while process.poll() is None:
        sizes = [_resident(pid) for pid in _family(process.pid)]
        if sizes:
            alone = max(alone, sizes[0])
            largest, together = max(largest, *sizes), max(together, sum(sizes))
        disk = max(disk, _disk(out.with_name(".prepared.partial") / ".work"))
        time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"prepare failed with {process.returncode} on {size} pairs")
    # The kernel's figure includes peaks between two samples.
    largest = max(largest, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
    wall, cpu = time.monotonic() - started, _cpu_seconds() - before
    megabytes = corpus.stat().st_size / 1e6
    subprocess.run(["rm", "-r", str(out), str(corpus)], check=True)
    cells = (f"{n / 1e6:.0f}" for n in (alone, largest, together, disk))
    return f"| {size:,} | {megabytes:.0f} | {wall:.0f} | {cpu:.0f} | {' | '.join(cells)} |"


def _varied(source: Path, columns: Columns, size: int) -> Iterator[Pair]:
    count, round_number = 0, 0
    while True:
        for pair in read_pairs(source, columns, listener=_Lenient()):
            if count == size:
                return
            count += 1
            yield _variant(pair, round_number)
        round_number += 1


def _variant(pair: Pair, number: int) -> Pair:
    if not number:
        return pair
    document = None if pair.document is None else f"{number}-{pair.document}"
    return Pair(f"{pair.source} {number}", f"{pair.target}{number}", document, pair.position)


class _Lenient:
    def problem(self, problem: object) -> None: ...
    def read_bytes(self, count: int) -> None: ...
    def finished(self, record: object) -> None: ...


def _line(pair: Pair) -> str:
    place = join_document(pair.document, pair.position)
    return f"{place}\t{pair.source}\t{pair.target}\n"


def _sample(folder: Path) -> Path:
    command = "from longspan.pipelines.command import main; import sys; sys.exit(main())"
    options = ["sample", "--pairs", "100000", "--seed", "1", "--out", str(folder / "sample")]
    subprocess.run([sys.executable, "-c", command, *options], check=True)
    return folder / "sample" / "train.tsv"


def _family(root: int) -> list[int]:
    family = [root]
    for pid in family:
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        except OSError:
            continue
        family += map(int, children.split())
    return family


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _disk(folder: Path) -> int:
    total = 0
    for path in folder.glob("*"):
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", nargs="?", type=Path)
    parser.add_argument("--source-column")
    parser.add_argument("--target-column")
    parser.add_argument("--document-column")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[500_000, 1_000_000, 2_000_000], metavar="N"
    )
    parser.add_argument("--scratch", type=Path, help="folder for the corpora")
    return parser.parse_args()


if __name__ == "__main__":
    main()
