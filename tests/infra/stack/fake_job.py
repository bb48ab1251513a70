"""What a job of the pipeline leaves, without its work: `train`, `prepare`, `evaluate`; `serve`.

Pairs that begin with `slow`, and the variable SLOW, make a job that lasts until it is stopped.
"""

import http.server
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
    (BASE / "model/config.json").write_text("{}")


def evaluate() -> None:
    from longspan.inference.evaluation.evaluation import evaluate_translations
    from longspan.inference.evaluation.files import write_evaluation

    folder = OUTPUT / "evaluation"
    # Of 82 BLEU: good enough for most gates, and not for one of 99.
    found = evaluate_translations(
        ["a"], ["u v w x y z"], ["u v w x y"], tokenize="none", resamples=2
    )
    write_evaluation(folder, found)
    for name in ("report.html", "evidence.json"):
        (folder / name).write_text("{}")


class Handler(http.server.BaseHTTPRequestHandler):
    """An endpoint that translates everything alike."""

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(json.dumps({"predictions": [{"target": "so"}]}).encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve() -> None:
    address = ("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"]))
    http.server.ThreadingHTTPServer(address, Handler).serve_forever()


if __name__ == "__main__":
    print(sys.argv[1], flush=True)
    jobs = {"train": train, "prepare": prepare, "evaluate": evaluate, "serve": serve}
    jobs[sys.argv[1]]()
