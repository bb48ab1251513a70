"""Fixtures that several folders share."""

import os
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.devtools import Page, find_chromium

# Tiny models run fastest on one thread, above all beside each other; torch reads it when loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# How long an example takes tells of the machine's load. `long` is for an hour of its own, see
# docs/development.md.
settings.register_profile("longspan", deadline=None)
settings.register_profile("long", deadline=None, max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "longspan"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Forget the session that boto3 keeps, and with it the keys of an earlier test's cloud."""
    if (boto3 := sys.modules.get("boto3")) is not None:
        boto3.DEFAULT_SESSION = None  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def write_prepared() -> Callable[..., Path]:
    """Writes a tiny prepared folder: sources of random words, targets the same words reversed."""
    from longspan.training.corpus.shards import ShardWriter
    from longspan.training.tokenizer.tokenizer import Tokenizer, WordVocabulary

    def write(directory: Path, pairs: int = 60, seed: int = 1, longest: int = 9) -> Path:
        draw = random.Random(seed)
        words = [f"w{i}" for i in range(12)]
        special = ["<pad>", "<unk>", "<s>", "</s>"]
        tokenizer = Tokenizer(WordVocabulary(special + words), WordVocabulary(special + words))
        tokenizer.save(directory / "tokenizer")
        for name, count in (("train", pairs), ("validation", max(1, pairs // 3))):
            with ShardWriter(
                directory / name, vocabulary_size=16, tokenizer=tokenizer.fingerprint
            ) as writer:
                for number in range(count):
                    text = draw.choices(words, k=draw.randint(1, longest))
                    writer.add(
                        tokenizer.encode_source(" ".join(text)),
                        tokenizer.encode_target(" ".join(reversed(text))),
                        document=number // 5,
                        position=number % 5,
                    )
        return directory

    return write


@pytest.fixture(scope="session")
def tiny_settings() -> dict[str, str]:
    """Hyperparameters of a model that trains in milliseconds an update."""
    return {
        "rnn_num_hidden": "8",
        "num_embed_source": "8",
        "num_embed_target": "8",
        "attention_dimension": "8",
        "batch_tokens": "60",
        "learning_rate": "0.01",
        "checkpoint_frequency_num_batches": "10",
        "max_num_batches": "30",
        "precision": "fp32",
    }


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Iterator[Page]:
    """An empty page of headless Chromium."""
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with Page(program, tmp_path_factory.mktemp("browser")) as opened:
        yield opened
