"""What a job of the pipeline leaves, without its work: `train`, `prepare` or `evaluate`.

Pairs that begin with `slow`, and the variable SLOW, make a job that lasts until it is stopped.
"""

import json
import os
import sys
import time
from pathlib import Path

BASE = Path(os.environ["LONGSPAN_BASE"])
OUTPUT = BASE / "processing/output"
SECONDS = 600


def prepare() -> None:
    pairs = next((BASE / "processing/input/pairs").rglob("*.tsv"))
    if pairs.read_text(encoding="utf-8").startswith("slow"):
        time.sleep(SECONDS)
    (OUTPUT / "prepared/manifest.json").write_text("{}")


def train() -> None:
    if "SLOW" in os.environ:
        time.sleep(SECONDS)
    checkpoints = BASE / "checkpoints"
    checkpoints.mkdir(exist_ok=True)
    old, new = checkpoints / "old", checkpoints / "new"
    old.write_text("1")
    time.sleep(6)  # the cloud mirrors them every 5 s, and removes there what has gone here
    old.unlink()
    new.write_text("2")
    for metric in ("bleu_long", "bleu", "loss"):
        print(f"validation:{metric}=1.0", flush=True)
    (BASE / "model/tiny.json").write_text(json.dumps({"name": "fake"}))
    (BASE / "model/config.json").write_text("{}")


def evaluate() -> None:
    folder = OUTPUT / "evaluation"
    gate = {
        "bleu_long": 20.0,
        "bleu_short": 20.0,
        "bleu_short_change": 0.0,
        "bleu_long_change": 0.0,
    }
    (folder / "evaluation.json").write_text(json.dumps({"gate": gate}))
    for name in ("report.html", "evidence.json"):
        (folder / name).write_text("{}")


if __name__ == "__main__":
    print(sys.argv[1], flush=True)
    {"train": train, "prepare": prepare, "evaluate": evaluate}[sys.argv[1]]()
