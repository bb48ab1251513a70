"""Training of the peers in a harness folder, with the speed of each read from its own log.

The folder holds `train_NAME.sh`. The script takes the argument `rnn` and the environment variables
PEERS, DATA, THREADS, UPDATES, BATCH and LOGF (updates between two progress lines). It writes
`$PEERS/out/logs/train_LOG.log`, each line starting with wall seconds and CPU-seconds.
"""

import itertools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rate import Rate

__all__ = ["PEERS", "Peer", "read_log", "run_peer"]


@dataclass(frozen=True)
class Peer:
    """A toolkit's script and the patterns of its progress lines."""

    script: str
    log: str
    update: str  # pattern of the update's number
    words: str | None  # pattern of target words per update since the previous line, with EOS
    perplexity: str | None
    note: str


_STEP = r"Step (\d+)/"
_BATCH = r"bsz: *\d+/ *(\d+)/"
PEERS: Mapping[str, Peer] = {
    "JoeyNMT": Peer(
        "train_joeynmt.sh", "joeynmt_rnn", r"Step:\s+(\d+),", None, None,
        "additive, input feeding",
    ),
    "OpenNMT-py": Peer(
        "train_opennmt_py.sh", "opennmt_rnn", _STEP, _BATCH, r"ppl: *([\d.]+)",
        "additive, input feeding",
    ),
    "Eole": Peer(
        "train_eole.sh", "eole_rnn", _STEP, _BATCH, r"ppl: *([\d.]+)",
        "additive, input feeding",
    ),
    "fairseq": Peer(
        "train_fairseq.sh", "fairseq_rnn", r"train_inner.* num_updates=(\d+)", r"wpb=([\d.]+)",
        r", ppl=([\d.]+)", "bilinear, input feeding",
    ),
}  # fmt: skip


def run_peer(
    name: str,
    harness: Path,
    workspace: Path,
    variables: Mapping[str, str],
    mean_words: float,
) -> Rate | str:
    """Train with one toolkit and return its rate, or the reason why there is none.

    `mean_words` is the mean number of words of an update, for a toolkit that does not count them.
    """
    peer = PEERS[name]
    log = workspace / "out" / "logs" / f"train_{peer.log}.log"
    log.unlink(missing_ok=True)
    # fairseq would resume an earlier benchmark's model, which has no updates left.
    shutil.rmtree(workspace / "out" / "models" / peer.log, ignore_errors=True)
    environment = {**os.environ, **variables, "PEERS": str(workspace)}
    for inherited in ("OUT", "VENV"):
        environment.pop(inherited, None)
    command = [str(harness / peer.script), "rnn"]
    done = subprocess.run(command, cwd=harness, env=environment, stdout=sys.stderr, check=False)
    if done.returncode or not log.exists():
        return f"failed with exit code {done.returncode}, see {log}"
    times = (workspace / "out" / "times" / f"train_{peer.log}").read_text(encoding="utf-8")
    peak = re.search(r"^maxrss_mb (\d+)", times, re.MULTILINE)
    text = log.read_text(encoding="utf-8", errors="replace")
    return read_log(peer, text, mean_words, float(peak[1]) if peak else 0.0)


def read_log(peer: Peer, text: str, mean_words: float, peak_mb: float) -> Rate | str:
    """Return the rate between the first and the last progress line."""
    points: list[tuple[int, float, float, float, float | None]] = []
    for line in text.splitlines():
        stamped = re.match(r"([\d.]+) ([\d.]+) \| (.*)", line)
        update = re.search(peer.update, stamped[3]) if stamped else None
        if stamped is None or update is None:
            continue
        words = _number(peer.words, stamped[3])
        points.append(
            (
                int(update[1]),
                float(stamped[1]),
                float(stamped[2]),
                mean_words if words is None else words,
                _number(peer.perplexity, stamped[3]),
            )
        )
    if len(points) < 2:
        return f"expected two progress lines or more, got {len(points)}"
    words = sum((after[0] - before[0]) * after[3] for before, after in itertools.pairwise(points))
    first, last = points[0], points[-1]
    return Rate(words, last[1] - first[1], last[2] - first[2], last[4], peak_mb)


def _number(pattern: str | None, text: str) -> float | None:
    found = re.search(pattern, text) if pattern else None
    return float(found[1]) if found else None
