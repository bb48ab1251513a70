"""Translation speed of a model in float32 and int8, and of CTranslate2 in int8, in the same run.

    python benchmarks/translation_speed.py --model MODEL --text FILE
    python benchmarks/translation_speed.py --model MODEL --text FILE --peer PYTHON --rounds 3

FILE has one sentence per line, tokenised for the model's vocabulary. Every output is forced to 12
tokens, as in the peers' harness, so that good and bad models do equal work. PYTHON is an
interpreter with CTranslate2. Its model is built by `ctranslate2_peer.py` or given by --peer-model.
Each measurement is a separate process. The systems run in turn, and the table shows the median of
the rounds. On a machine with other work, compare CPU-seconds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

TOKENS = 12
CASES = ((1, 32), (1, 1), (5, 32), (5, 1))
SENTENCES = {32: 512, 1: 100}
HERE = Path(__file__).parent


def main(argv: Sequence[str] | None = None) -> int:
    arguments = build_parser().parse_args(argv)
    if arguments.measure:
        print(json.dumps(measure(arguments)))
        return 0
    systems = ["longspan fp32", "longspan int8", *(["CTranslate2 int8"] if arguments.peer else [])]
    print("| system | beam | batch | sentences / s | sentences / CPU-s |", flush=True)
    print("|---|---:|---:|---:|---:|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        peer = arguments.peer_model or _build_peer(arguments, Path(folder))
        for beam, batch in CASES:
            text = _text(arguments.text, SENTENCES[batch], Path(folder))
            found: dict[str, list[Mapping[str, float]]] = {name: [] for name in systems}
            for _ in range(arguments.rounds):
                for name in systems:
                    found[name].append(_run(arguments, name, beam, batch, text, peer))
            for name in systems:
                wall, cpu = (_median(found[name], unit) for unit in ("wall", "cpu"))
                print(f"| {name} | {beam} | {batch} | {wall:.0f} | {cpu:.0f} |", flush=True)
    return 0


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="model directory")
    parser.add_argument("--text", required=True, type=Path, help="one sentence per line")
    parser.add_argument("--threads", type=int, default=1, help="threads of each system (default 1)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each (default 3)")
    parser.add_argument("--peer", help="path of a Python with CTranslate2")
    parser.add_argument("--peer-model", help="CTranslate2's model (default: random weights)")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)  # precision, beam, batch
    return parser


def measure(arguments: argparse.Namespace) -> dict[str, float]:
    import torch

    from longspan.inference.search.settings import SearchSettings
    from longspan.inference.translation.ready_model import load_ready
    from longspan.inference.translation.translator import Translator

    precision, beam, batch = arguments.measure[0], *map(int, arguments.measure[1:])
    torch.set_num_threads(arguments.threads)
    ready = load_ready(arguments.model, "cpu", precision)
    settings = SearchSettings(
        beam_size=beam,
        length_penalty=0.6 if beam > 1 else 0.0,
        min_length=TOKENS,
        max_length=TOKENS,
    )
    translator = Translator(ready.model, ready.tokenizer, settings, report=lambda _: None)
    lines = arguments.text.read_text(encoding="utf-8").splitlines()
    # Batch sentences of similar length, as CTranslate2 does.
    ordered = sorted(lines, key=lambda line: len(line.split()))
    groups = [ordered[start : start + batch] for start in range(0, len(ordered), batch)]

    def run() -> None:
        for group in groups:
            translator.translate(group)

    run()
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return {
        "sentences": len(lines),
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
    }


def _run(
    arguments: argparse.Namespace, name: str, beam: int, batch: int, text: Path, peer: str
) -> Mapping[str, float]:
    threads = str(arguments.threads)
    if name.startswith("longspan"):
        command = [
            sys.executable, str(HERE / "translation_speed.py"), "--model", arguments.model,
            "--text", str(text), "--threads", threads,
            "--measure", name.split()[1], str(beam), str(batch),
        ]  # fmt: skip
    else:
        numbers = [str(beam), str(batch), threads, str(TOKENS)]
        script = str(HERE / "ctranslate2_peer.py")
        command = [arguments.peer, script, "time", peer, str(text), *numbers]
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    found: Mapping[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _build_peer(arguments: argparse.Namespace, folder: Path) -> str:
    if not arguments.peer:
        return ""
    from longspan.training.tokenizer.tokenizer import Tokenizer

    tokenizer = Tokenizer.load(Path(arguments.model) / "tokenizer")
    sizes = [str(len(tokenizer.source)), str(len(tokenizer.target))]
    script, out = str(HERE / "ctranslate2_peer.py"), str(folder / "peer")
    subprocess.run([arguments.peer, script, "build", out, *sizes], check=True)
    return out


def _text(source: Path, sentences: int, folder: Path) -> Path:
    """Write the first `sentences` lines to a file; repeat the lines if there are fewer."""
    lines = source.read_text(encoding="utf-8").splitlines()
    chosen = (lines * (sentences // len(lines) + 1))[:sentences]
    path = folder / f"{sentences}.txt"
    path.write_text("\n".join(chosen) + "\n", encoding="utf-8")
    return path


def _median(found: Sequence[Mapping[str, float]], unit: str) -> float:
    return statistics.median(one["sentences"] / one[unit] for one in found)


if __name__ == "__main__":
    sys.exit(main())
