"""Models small enough to search by hand: a table, and a random-weights width-small Model."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.directory import save_model
from longspan.training.model.model import Model
from longspan.training.tokenizer.settings import VocabularySettings
from longspan.training.tokenizer.tokenizer import EOS, Tokenizer, WordVocabulary
from longspan.training.tokenizer.vocabulary_training import train_tokenizer


@dataclass(frozen=True)
class TableMemory:
    mask: Tensor  # (batch, source)
    key: Tensor  # (batch,): decides the sentence's distribution

    def select(self, index: Tensor) -> "TableMemory":
        return TableMemory(self.mask[index], self.key[index])


@dataclass(frozen=True)
class TableState:
    position: Tensor  # (batch,)

    def select(self, index: Tensor) -> "TableState":
        return TableState(self.position[index])


@dataclass(frozen=True)
class TableDecoded:
    output: Tensor


class TableModel:
    """Logits looked up by sentence, position and previous token; no network at all."""

    PERIOD = 11
    own_walk = None

    def __init__(self, vocabulary: int = 7, *, seed: int = 0, attention: bool = True) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.table = 1.5 * torch.randn(
            self.PERIOD, vocabulary, vocabulary, generator=generator
        )  # (phase, previous, next)
        self.gaze = 2 * torch.randn(2, self.PERIOD, 64, generator=generator)  # (head, phase, j)
        self.attention = attention
        self.rows: list[int] = []  # rows of each step, to see the batch shrink

    def encode(self, source: Tensor, lengths: Tensor) -> TableMemory:
        mask = torch.arange(source.shape[1])[None] < lengths[:, None]
        return TableMemory(mask, (source * mask).sum(1))

    def initial_state(self, memory: TableMemory) -> TableState:
        return TableState(torch.zeros_like(memory.key))

    def step(
        self, previous: Tensor, state: TableState, memory: TableMemory
    ) -> tuple[Tensor, TableState, Tensor | None]:
        self.rows.append(len(previous))
        phase = (memory.key + state.position) % self.PERIOD
        weights = None
        if self.attention:
            gaze = self.gaze[:, phase + 0 * previous].transpose(0, 1)  # (batch, head, 64)
            gaze = gaze[..., : memory.mask.shape[1]] + previous[:, None, None] % 3
            weights = gaze.masked_fill(~memory.mask[:, None], -torch.inf).softmax(-1)
        return self.table[phase, previous], TableState(state.position + 1), weights

    def decode(self, target_input: Tensor, memory: TableMemory) -> TableDecoded:
        positions = torch.arange(target_input.shape[1])
        phase = (memory.key[:, None] + positions) % self.PERIOD
        return TableDecoded(self.table[phase, target_input])

    def project(self, output: Tensor) -> Tensor:
        return output


@pytest.fixture
def table_model():
    return TableModel


@pytest.fixture
def tiny_model():
    """Build a Model of random weights, wide enough to prefer something and to end."""

    def build(vocabulary: int = 9, seed: int = 0, **changes: str) -> Model:
        values = {
            "rnn_num_hidden": "8",
            "num_embed_source": "6",
            "num_embed_target": "6",
            "attention_dimension": "8",
            "attention_heads": "2",
        }
        torch.manual_seed(seed)
        model = Model(Hyperparameters.parse(values | changes), vocabulary, vocabulary)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(0.0, 0.8)
            model.projection.bias[EOS] = 2.0
        return model.eval()

    return build


@pytest.fixture
def sources():
    """Padded random sentences of the given lengths, EOS counted: (source, lengths)."""

    def build(lengths: list[int], vocabulary: int = 7, seed: int = 0) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        source = torch.zeros(len(lengths), max(lengths), dtype=torch.long)
        for row, length in enumerate(lengths):
            source[row, :length] = torch.randint(4, vocabulary, (length,), generator=generator)
            source[row, length - 1] = 3
        return source, torch.tensor(lengths)

    return build


@pytest.fixture(scope="session")
def model_directory(tmp_path_factory) -> Path:
    """A model directory with random weights: 12 words, w0 to w11, on each side."""
    return _save(tmp_path_factory.mktemp("served") / "model", eos_bias=2.0)


@pytest.fixture(scope="session")
def endless_model_directory(tmp_path_factory) -> Path:
    """The same, but its translations have no end: each goes on to its length limit."""
    return _save(tmp_path_factory.mktemp("endless") / "model", eos_bias=-1000.0)


@pytest.fixture(scope="session")
def spelling_tokenizer(tmp_path_factory) -> Tokenizer:
    """SentencePiece, English to Japanese, which spells in bytes what it has not seen."""
    folder = tmp_path_factory.mktemp("spelling")
    samples = folder / "source", folder / "target"
    samples[0].write_text("the cat sees a dog .\n彼は本を読む。\n" * 50, encoding="utf-8")
    samples[1].write_text("猫が犬を見る。\n「はい。」\n" * 50, encoding="utf-8")
    return train_tokenizer(samples, (" ", ""), VocabularySettings(size=300), folder)


@pytest.fixture(scope="session")
def spelling_model_directory(tmp_path_factory, spelling_tokenizer) -> Path:
    """A model directory with random weights and that tokenizer."""
    return _save(tmp_path_factory.mktemp("spelling-served") / "model", 2.0, spelling_tokenizer)


def _words() -> Tokenizer:
    words = ["<pad>", "<unk>", "<s>", "</s>", *(f"w{i}" for i in range(12))]
    return Tokenizer(WordVocabulary(words), WordVocabulary(words))


def _save(directory: Path, eos_bias: float, tokenizer: Tokenizer | None = None) -> Path:
    tokenizer = tokenizer or _words()
    hyperparameters = Hyperparameters.parse(
        {
            "rnn_num_hidden": "16",
            "num_embed_source": "8",
            "num_embed_target": "8",
            "attention_dimension": "16",
            "attention_heads": "2",
        }
    )
    torch.manual_seed(1)
    model = Model(hyperparameters, len(tokenizer.source), len(tokenizer.target))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.6)
        model.projection.bias[EOS] = eos_bias
    save_model(directory, model, hyperparameters, tokenizer)
    return directory
