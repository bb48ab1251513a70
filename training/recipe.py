"""The recipe: hyperparameters for a corpus and a device, where the user gave none.

    pairs, tokens, device, what was given  ->  groups of values, each with its reason

The defaults of `Hyperparameters` are those of SageMaker's built-in algorithm, for jobs that bring
its data. On prepared text this module chooses what suits the size of the corpus, and the cure of
long sentences: joined examples, and attention that knows how far both sides were read. Whatever was
given stays. `docs/results.md` has the measurements.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from longspan.training.corpus.pair_corpus import PairCorpus
from longspan.training.hyperparameters import Hyperparameters

__all__ = ["Choice", "CorpusSize", "Device", "Recipe", "recommend"]

Device = Literal["cpu", "gpu"]

# Long enough for the lengths on which attention must not fail: 150 words and more.
_JOINED_SOURCE_TOKENS = 300
# Of all training tokens, those in joined examples.
_JOINED_TOKENS = 1 / 3
_CHECKPOINTS = 25
_FEWEST_UPDATES = 50  # between two checkpoints, so that a short run is not all validation
_AVERAGED = 5
# Validation is a small part of the time, and 500 pairs tell two checkpoints apart.
_BLEU_PAIRS = 500


@dataclass(frozen=True)
class CorpusSize:
    """The size of a training corpus, in pairs and tokens with EOS."""

    pairs: int
    source_tokens: int
    target_tokens: int

    @classmethod
    def of(cls, corpus: PairCorpus) -> "CorpusSize":
        """Measure a corpus."""
        source, target = (
            int(lengths.sum(dtype=np.int64))
            for lengths in (corpus.source_lengths, corpus.target_lengths)
        )
        return cls(len(corpus), source, target)


@dataclass(frozen=True)
class Choice:
    """Hyperparameters that belong together, and why they have their values."""

    values: Mapping[str, Any]
    reason: str

    @property
    def line(self) -> str:
        """One line for a log: REASON: NAME=VALUE ..."""
        return f"{self.reason}: " + " ".join(f"{n}={_text(v)}" for n, v in self.values.items())


@dataclass(frozen=True)
class Recipe:
    """Complete hyperparameters, and the choices in them that the user did not make."""

    hyperparameters: Hyperparameters
    choices: tuple[Choice, ...]

    @property
    def lines(self) -> list[str]:
        """Lines for a log: what was chosen, and why."""
        if not self.choices:
            return []
        head = "chosen for this corpus and device; a value that is given replaces any of these:"
        return [head, *(f"  {choice.line}" for choice in self.choices)]


@dataclass(frozen=True)
class _Sizes:
    """Sizes, dropout and batch for a corpus up to a number of pairs."""

    pairs: float  # at most
    units: int  # of a recurrent layer or a Transformer's
    embedding: int
    layers: int
    dropout: float
    subword_dropout: float
    batch_tokens: int


# By measurement up to 500,000 pairs on a CPU (docs/results.md); beyond, by the published
# experience that a corpus ten times as large bears a network twice as wide with less dropout.
_SIZES: Mapping[Device, tuple[_Sizes, ...]] = {
    "cpu": (
        _Sizes(100_000, 256, 256, 1, 0.3, 0.1, 1000),
        _Sizes(1_000_000, 512, 256, 1, 0.2, 0.1, 2000),
        _Sizes(float("inf"), 512, 512, 1, 0.1, 0.0, 3000),
    ),
    "gpu": (
        _Sizes(100_000, 512, 512, 1, 0.3, 0.1, 3000),
        _Sizes(1_000_000, 1024, 512, 2, 0.2, 0.1, 12_000),
        _Sizes(float("inf"), 1024, 1024, 2, 0.1, 0.0, 25_000),
    ),
}
# The learning rate of Adam at 256 units; wider layers bear less (inversely, as in Yang et al. 2022,
# "Tensor Programs V").
_RATE, _RATE_UNITS = 0.003, 256
_LONG_RUN = 1000  # updates
_WARM_UP = 200  # updates, at most a tenth of those that were asked for


def recommend(corpus: CorpusSize, device: Device, given: Hyperparameters) -> Recipe:
    """Return complete hyperparameters for a corpus and a device.

    What was set in `given` (its `model_fields_set`) is kept, and the rest follows it.
    """
    sizes = next(s for s in _SIZES[device] if corpus.pairs <= s.pairs)
    place = f"{corpus.pairs:,} pairs on a {device.upper()}"
    choices: list[Choice] = []
    values = {name: getattr(given, name) for name in given.model_fields_set}
    for values_of, reason in (
        (_network, place),
        (_attention, "attention that holds on long sentences"),
        (_joining, "sentences of training are joined, so that long ones translate as short ones"),
        (_optimisation, "by the width of the network"),
        (_duration, f"{corpus.target_tokens:,} target tokens"),
        (_regularisation, "so that few pairs are not learned by heart"),
        (_selection, "the best checkpoints by validation BLEU"),
    ):
        wanted = values_of(corpus, sizes, Hyperparameters(**values))
        chosen = {name: value for name, value in wanted.items() if name not in values}
        values |= chosen
        if chosen:
            choices.append(Choice(chosen, reason))
    return Recipe(Hyperparameters(**values), tuple(choices))


def _network(corpus: CorpusSize, sizes: _Sizes, h: Hyperparameters) -> dict[str, Any]:
    layers = {"num_layers_encoder": sizes.layers, "num_layers_decoder": sizes.layers}
    if h.architecture == "transformer":
        return {
            **{name: layer + 2 for name, layer in layers.items()},
            "transformer_num_hidden": sizes.units,
            "transformer_feed_forward": 4 * sizes.units,
            "transformer_heads": max(4, sizes.units // 64),
            "tie_embeddings": "target",
        }
    return {
        **layers,
        "rnn_num_hidden": sizes.units,
        "num_embed_source": sizes.embedding,
        "num_embed_target": sizes.embedding,
        "rnn_residual_connections": sizes.layers > 1,
        "tie_embeddings": "target",
    }


def _attention(corpus: CorpusSize, sizes: _Sizes, h: Hyperparameters) -> dict[str, Any]:
    if h.attention_type == "none":
        return {}
    set_names = h.model_fields_set
    dimension = h.attention_dimension if "attention_dimension" in set_names else h.units
    heads = h.attention_heads if "attention_heads" in set_names else _heads(dimension)
    return {
        "attention_type": "scaled_dot",
        "attention_dimension": dimension if dimension % heads == 0 else heads * 64,
        "attention_heads": heads,
        "attention_location": "tracking",
    }


def _heads(dimension: int) -> int:
    """Return the number of heads, at most 4, that divides the attention dimension."""
    return next(heads for heads in (4, 2, 1) if dimension % heads == 0)


def _optimisation(corpus: CorpusSize, sizes: _Sizes, h: Hyperparameters) -> dict[str, Any]:
    # A short run would be over before the rate has risen.
    warmup = min(_WARM_UP, max(1, (h.max_num_batches or _WARM_UP * 10) // 10))
    values: dict[str, Any] = {"lr_scheduler_type": "cosine", "lr_warmup_num_batches": warmup}
    if h.optimizer_type == "adam":
        values["learning_rate"] = round(_RATE * min(1.0, _RATE_UNITS / h.units), 6)
    if h.batch_size is None and h.batch_tokens is None:
        values["batch_tokens"] = sizes.batch_tokens
    return values


def _joining(corpus: CorpusSize, sizes: _Sizes, h: Hyperparameters) -> dict[str, Any]:
    if h.attention_type == "none":
        return {}  # a fixed vector cannot hold a long sentence, and loses short ones to it
    longest = h.length_augmentation_max
    if "length_augmentation_max" not in h.model_fields_set:
        longest = _JOINED_SOURCE_TOKENS
    # Of f tokens in joined examples, whose mean is half of the longest, and 1 - f in plain ones.
    plain = corpus.source_tokens / max(1, corpus.pairs)
    joined = _JOINED_TOKENS / (1 - _JOINED_TOKENS) * plain / (longest / 2)
    return {
        "length_augmentation": round(joined / (1 + joined), 3),
        "length_augmentation_max": longest,
        "length_curriculum": round(0.05 * _epochs(corpus), 2),
    }


def _duration(corpus: CorpusSize, sizes: _Sizes, h: Hyperparameters) -> dict[str, Any]:
    # Only the end of a run depends on its limits. With more updates it could not be resumed
    # if the rest did.
    epochs = _epochs(corpus)
    frequency = max(_FEWEST_UPDATES, _updates(corpus, h, epochs) // _CHECKPOINTS)
    limited = h.max_num_batches is not None or h.max_num_epochs is not None or h.max_minutes
    length = {} if limited else {"max_num_epochs": epochs}
    return {**length, "checkpoint_frequency_num_batches": frequency}


def _regularisation(corpus: CorpusSize, sizes: _Sizes, h: Hyperparameters) -> dict[str, Any]:
    layers = (
        {"transformer_dropout": sizes.dropout}
        if h.architecture == "transformer"
        else {"rnn_decoder_hidden_dropout": sizes.dropout, "rnn_dropout": sizes.dropout}
    )
    return {
        "embed_dropout_source": sizes.dropout,
        "embed_dropout_target": sizes.dropout,
        **layers,
        "subword_dropout": sizes.subword_dropout,
        "label_smoothing": 0.1,
    }


def _selection(corpus: CorpusSize, sizes: _Sizes, h: Hyperparameters) -> dict[str, Any]:
    given = h.model_fields_set
    return {
        "optimized_metric": "bleu",
        "bleu_sample_size": _BLEU_PAIRS,
        "average_checkpoints": _AVERAGED,
        # The learning rate falls to the end, and quality rises with it.
        "checkpoint_threshold": _CHECKPOINTS,
        # Penalties that were given are not chosen again. Choosing them translates the validation
        # pairs several times, which pays only for a model that was trained for long.
        "calibrate_penalties": h.attention_type != "none"
        and (h.max_num_batches or _LONG_RUN) >= _LONG_RUN
        and not {"length_penalty", "coverage_penalty"} & given,
    }


def _epochs(corpus: CorpusSize) -> int:
    """Return the number of epochs: a small corpus bears many, a large one needs few."""
    return round(min(60.0, max(2.0, 40 * (50_000 / max(1, corpus.pairs)) ** 0.65)))


def _updates(corpus: CorpusSize, h: Hyperparameters, epochs: int) -> int:
    """Return about how many updates a number of epochs takes, joined examples included."""
    share = h.length_augmentation
    plain = corpus.source_tokens / max(1, corpus.pairs)
    growth = 1 + share / (1 - share) * (h.length_augmentation_max / 2) / max(1.0, plain)
    if h.batch_size is not None:
        batches = corpus.pairs / (1 - share) / h.batch_size
    else:
        batches = corpus.target_tokens * growth / (h.token_budget or 1)
    return max(1, round(epochs * batches))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
