"""Time and memory of translating one document in one piece, by its length.

    python benchmarks/document_length.py
    python benchmarks/document_length.py --words 500 4000 --beam-size 5 --set attention_heads=4

Each row is a separate process with a model of random weights, which translates one text of so many
tokens into as many. Linear time is the same CPU-seconds a token on every row, linear memory the
same bytes a token. The table has the growth of both from the first row to the last.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

WARM_UP = 20  # tokens


def main(argv: Sequence[str] | None = None) -> int:
    arguments = build_parser().parse_args(argv)
    if arguments.measure:
        print(json.dumps(measure(arguments, arguments.measure)))
        return 0
    given = ", ".join(["default hyperparameters", *arguments.set])
    print(
        f"One text, {arguments.tokens_per_word:g} tokens a word on each side; vocabularies of "
        f"{arguments.vocabulary}; {given}; beam {arguments.beam_size}; {arguments.precision}, one "
        "thread\n"
    )
    print("| words | tokens | CPU-seconds | ms a token | to the first | memory | kB a token |")
    print("|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    first = None
    for words in arguments.words:
        tokens = round(words * arguments.tokens_per_word)
        row = in_child(tokens, sys.argv[1:] if argv is None else argv)
        each = 1000 * row["seconds"] / tokens
        first = first or each
        print(
            f"| {words:,} | {tokens:,} | {row['seconds']:.1f} | {each:.2f} | {each / first:.2f} "
            f"| {row['bytes'] / 1e6:.0f} MB | {row['bytes'] / 1e3 / tokens:.1f} |",
            flush=True,
        )
    return 0


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--words", type=int, nargs="+", default=[500, 1000, 2000, 4000])
    parser.add_argument("--tokens-per-word", type=float, default=1.4)
    parser.add_argument("--vocabulary", type=int, default=8000)
    parser.add_argument("--beam-size", type=int, default=1)
    parser.add_argument("--precision", choices=("fp32", "int8"), default="fp32")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    return parser


def in_child(tokens: int, given: Sequence[str]) -> dict[str, Any]:
    command = [sys.executable, __file__, *given, "--measure", str(tokens)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return dict(json.loads(done.stdout))


def measure(arguments: argparse.Namespace, tokens: int) -> dict[str, float]:
    import torch

    from longspan.inference.compression.compressed_model import CompressedModel
    from longspan.inference.search.search import search
    from longspan.inference.search.settings import SearchSettings
    from longspan.inference.search.spelling import Spelling
    from longspan.training.hyperparameters import Hyperparameters
    from longspan.training.model.model import Model
    from longspan.training.tokenizer.tokenizer import EOS, Tokenizer
    from longspan.training.tokenizer.vocabularies import WordVocabulary

    torch.set_num_threads(1)
    torch.manual_seed(1)
    size = arguments.vocabulary
    words = WordVocabulary(["<pad>", "<unk>", "<s>", "</s>", *(f"w{n}" for n in range(size - 4))])
    h = Hyperparameters.parse(dict(pair.split("=", 1) for pair in arguments.set))
    plain = Model(h, size, size).eval()
    model = CompressedModel(plain, h) if arguments.precision == "int8" else plain
    spelling = Spelling.of(Tokenizer(words, words))

    def translate(count: int) -> None:
        source = torch.randint(4, size, (1, count))
        source[0, -1] = EOS
        settings = SearchSettings(beam_size=arguments.beam_size, min_length=count, max_length=count)
        with torch.inference_mode():
            (found,) = search(model, source, torch.tensor([count]), settings, spelling)
        # A model of random weights repeats itself, which ends a search early.
        if len(found[0].ids) < count - 1:
            raise SystemExit(f"expected {count} tokens, got {len(found[0].ids)}: it looped")

    translate(WARM_UP)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    translate(tokens)
    seconds = time.process_time() - began
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": seconds, "bytes": 1024 * (after - before)}


if __name__ == "__main__":
    sys.exit(main())
