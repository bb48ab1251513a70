"""Speed of CTranslate2 in int8: run by `translation_speed.py` with a Python that has CTranslate2.

    python benchmarks/ctranslate2_peer.py build DIR SOURCE_WORDS TARGET_WORDS
    python benchmarks/ctranslate2_peer.py time DIR TEXT BEAM BATCH THREADS TOKENS

`build` makes a Transformer of 3 + 3 layers, 256 units, 1024 feed-forward units and 4 heads, the
size in the peers' harness. Its weights are random, because the time of a given number of tokens
does not depend on their values. `time` prints sentences, wall seconds and CPU-seconds as JSON.
"""

import json
import sys
import time
from pathlib import Path

import ctranslate2
import numpy as np
from ctranslate2.specs import transformer_spec

UNITS, INNER, LAYERS, HEADS = 256, 1024, 3, 4


def main() -> None:
    command, *rest = sys.argv[1:]
    if command == "build":
        build(Path(rest[0]), int(rest[1]), int(rest[2]))
    else:
        directory, text, *numbers = rest
        print(json.dumps(measure(directory, text, *map(int, numbers))))


def measure(
    directory: str, text: str, beam: int, batch: int, threads: int, tokens: int
) -> dict[str, float]:
    translator = ctranslate2.Translator(
        directory, device="cpu", compute_type="int8", inter_threads=1, intra_threads=threads
    )
    words = json.loads((Path(directory) / "source_vocabulary.json").read_text())
    lines = Path(text).read_text(encoding="utf-8").splitlines()
    sources = [[words[hash(word) % (len(words) - 8) + 4] for word in s.split()] for s in lines]
    settings = {"beam_size": beam, "min_decoding_length": tokens, "max_decoding_length": tokens}

    def run() -> None:
        if batch == 1:
            for source in sources:
                translator.translate_batch([source], **settings)
        else:
            translator.translate_batch(sources, max_batch_size=batch, **settings)

    run()
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return {
        "sentences": len(sources),
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
    }


def build(directory: Path, source_words: int, target_words: int) -> None:
    generator = np.random.default_rng(0)

    def matrix(*shape: int) -> np.ndarray:
        return (generator.standard_normal(shape) * shape[-1] ** -0.5).astype(np.float32)

    def fill(path: tuple[str, ...], layer: object) -> None:
        for name, value in list(vars(layer).items()):
            if name.startswith("_"):
                continue
            if isinstance(value, list):
                for number, one in enumerate(value):
                    fill((*path, f"{name}_{number}"), one)
            elif hasattr(value, "_visit"):
                fill((*path, name), value)
            elif value is None:
                setattr(layer, name, weight((*path, name)))

    def weight(path: tuple[str, ...]) -> np.ndarray | None:
        words = target_words if path[0] == "decoder" else source_words
        name = path[-1]
        if name in ("gamma", "beta"):
            return np.full(UNITS, float(name == "gamma"), np.float32)
        if name not in ("weight", "bias"):
            return None  # optional parts, missing in this model
        if "projection" in path or any(part.startswith("embeddings") for part in path):
            return matrix(words, UNITS) if name == "weight" else np.zeros(words, np.float32)
        first = path[-2] == "linear_0"
        if "ffn" in path:
            shape = (INNER, UNITS) if first else (UNITS, INNER)
        elif "self_attention" in path:
            shape = (3 * UNITS if first else UNITS, UNITS)
        else:
            shape = (2 * UNITS if path[-2] == "linear_1" else UNITS, UNITS)
        return matrix(*shape) if name == "weight" else np.zeros(shape[0], np.float32)

    spec = transformer_spec.TransformerSpec.from_config(
        num_layers=(LAYERS, LAYERS), num_heads=HEADS, pre_norm=True
    )
    fill(("encoder",), spec.encoder)
    fill(("decoder",), spec.decoder)
    special = ["<blank>", "<unk>", "<s>", "</s>"]
    spec.register_source_vocabulary([*special, *(f"s{i}" for i in range(source_words - 4))])
    spec.register_target_vocabulary([*special, *(f"t{i}" for i in range(target_words - 4))])
    spec.validate()
    spec.optimize(quantization="int8")
    directory.mkdir(parents=True, exist_ok=True)
    spec.save(str(directory))


if __name__ == "__main__":
    main()
