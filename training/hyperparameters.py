"""Hyperparameters: their names, defaults and allowed values, parsed in one place.

Names are those of SageMaker's built-in seq2seq algorithm wherever it has the same thing
(https://docs.aws.amazon.com/sagemaker/latest/dg/seq-2-seq-hyperparameters.html), so that a
job description moves over. Values arrive as strings. Imports nothing heavy: the pipeline
reads the search space's names from here.
"""

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from longspan.training.built_in_names import KNOWN_NAMES, translate
from longspan.training.errors import HyperparameterError
from longspan.training.rules import Rule, choice, flag, integer, real

__all__ = ["Hyperparameters"]


@dataclass(frozen=True)
class Hyperparameters:
    """One training job's settings; defaults follow the built-in algorithm where it has them.

    `batch_size` counts sentences, `batch_tokens` target tokens; at most one may be set, and
    with neither a batch holds `DEFAULT_BATCH_TOKENS` target tokens.
    """

    # The encoder and the decoder.
    architecture: str = choice("rnn", ("rnn", "transformer"), "which network")
    rnn_cell_type: str = choice("lstm", ("lstm", "gru"), "recurrent cell")
    num_layers_encoder: int = integer(1, 1, 16, "layers; of an rnn the first is bidirectional")
    num_layers_decoder: int = integer(1, 1, 16, "layers; of an rnn the first makes the query")
    rnn_num_hidden: int = integer(1024, 1, 8192, "units of a layer, both directions together")
    num_embed_source: int = integer(512, 1, 8192, "source embedding dimension")
    num_embed_target: int = integer(512, 1, 8192, "target embedding dimension")
    rnn_residual_connections: bool = flag(False, "add a layer's input to its output")
    rnn_first_residual_layer: int = integer(2, 2, 16, "lowest layer with a residual connection")
    rnn_decoder_state_init: str = choice(
        "last", ("last", "avg", "zero"), "decoder's first state, from the encoder's states"
    )
    input_feeding: bool = flag(False, "feed the last attentional state back (slower: a loop)")
    transformer_num_hidden: int = integer(512, 1, 8192, "width of a Transformer's layers")
    transformer_feed_forward: int = integer(2048, 1, 65536, "units of its inner networks")
    transformer_heads: int = integer(8, 1, 128, "heads of its self-attention")
    transformer_positions: str = choice(
        "rotary", ("rotary", "alibi"), "relative positions: Su et al. 2021 | Press et al. 2022"
    )
    transformer_window: int = integer(
        0, 0, 10**6, "tokens to each side that self-attention reads; 0 is all"
    )
    tie_embeddings: str = choice(
        "none", ("none", "target", "all"), "share target input and output (and source) embeddings"
    )

    # Attention and coverage.
    attention_type: str = choice(
        "additive", ("none", "dot", "scaled_dot", "bilinear", "additive"), "score function"
    )
    attention_heads: int = integer(1, 1, 64, "heads; must divide the attention dimension")
    attention_dimension: int = integer(512, 1, 8192, "sum of the heads' dimensions")
    attention_dropout: float = real(0.0, 0, 1, "on the attention weights", below=True)
    attention_location: str = choice(
        "none",
        ("none", "progress", "tracking"),
        "score by how far both sides have been read | and correct that by where attention was",
    )
    coverage_mechanism: str = choice(
        "none", ("none", "loss", "recurrent"), "See et al. 2017 | Tu et al. 2016 (slower: a loop)"
    )
    coverage_loss_weight: float = real(1.0, 0, 100, "of a sentence's, over its perplexity")
    coverage_dimension: int = integer(16, 1, 1024, "units of the recurrent coverage vector")

    # Regularisation.
    embed_dropout_source: float = real(0.0, 0, 1, "on source embeddings", below=True)
    embed_dropout_target: float = real(0.0, 0, 1, "on target embeddings", below=True)
    rnn_decoder_hidden_dropout: float = real(0.0, 0, 1, "on the attentional state", below=True)
    rnn_dropout: float = real(0.0, 0, 1, "between recurrent layers, on encoder output", below=True)
    transformer_dropout: float = real(0.1, 0, 1, "on what a layer adds", below=True)
    label_smoothing: float = real(0.0, 0, 1, "mass taken from the reference token", below=True)
    weight_decay: float = real(0.0, 0, 1, "decoupled for adam, L2 for the others")

    # Optimisation.
    optimizer_type: str = choice("adam", ("adam", "sgd", "rmsprop"), "optimiser")
    learning_rate: float = real(0.0003, 1e-9, 100, "initial, or peak after warm-up")
    momentum: float = real(0.9, 0, 1, "of sgd and rmsprop", below=True)
    lr_scheduler_type: str = choice(
        "plateau_reduce",
        ("plateau_reduce", "fixed_rate_inv_t", "fixed_rate_inv_sqrt_t", "cosine", "constant"),
        "learning-rate schedule",
    )
    lr_warmup_num_batches: int = integer(0, 0, 10**9, "batches of linear warm-up")
    fixed_rate_lr_half_life: float = real(10, 1e-9, 1e9, "checkpoints to half the rate (inv_t)")
    plateau_reduce_lr_factor: float = real(0.5, 0, 1, "rate multiplier", below=True)
    plateau_reduce_lr_threshold: int = integer(3, 1, 10**6, "checkpoints without gain before")
    clip_gradient: float = real(1.0, 0, 1e9, "largest norm of the whole gradient; 0 is off")
    weight_init_type: str = choice("xavier", ("uniform", "xavier"), "weight initialisation")
    weight_init_scale: float = real(2.34, 0, 1e3, "uniform: half-width; xavier: magnitude")
    xavier_factor_type: str = choice("in", ("in", "out", "avg"), "fan that xavier divides by")

    # Batches and lengths.
    batch_size: int | None = integer(None, 1, 10**6, "sentences of a batch")
    batch_tokens: int | None = integer(None, 1, 10**8, "target tokens of a batch")
    bucketing_enabled: bool = flag(True, "batches of sentences of like length")
    bucket_width: int = integer(10, 1, 1000, "tokens between two buckets' bounds")
    max_seq_len_source: int = integer(2000, 1, 10**6, "longer pairs are left out and counted")
    max_seq_len_target: int = integer(2000, 1, 10**6, "longer pairs are left out and counted")
    length_augmentation: float = real(
        0.0, 0, 1, "share of training examples that are joined from several pairs", below=True
    )
    length_curriculum: float = real(
        0.0, 0, 1e6, "epochs over which joined examples get as many and as long as asked for"
    )
    length_augmentation_max: int = integer(200, 2, 10**5, "source tokens of a joined example")
    length_augmentation_lengths: str = choice(
        "uniform",
        ("uniform", "log_uniform", "longest"),
        "of joined examples: each length as often | as many tokens of each | all as long as may be",
    )

    # How long, how judged.
    max_num_epochs: int | None = integer(None, 1, 10**9, "stop after so many epochs")
    min_num_epochs: int = integer(0, 0, 10**9, "no early stop before")
    max_num_batches: int | None = integer(None, 1, 10**12, "stop after so many updates")
    max_minutes: float = real(0, 0, 1e6, "safety net: end early after so many; 0 is none")
    checkpoint_frequency_num_batches: int = integer(1000, 1, 10**9, "updates per checkpoint")
    checkpoint_threshold: int = integer(8, 1, 10**6, "checkpoints without gain to stop early")
    optimized_metric: str = choice(
        "perplexity", ("perplexity", "accuracy", "bleu", "bleu_long"), "early stopping, best model"
    )
    bleu_sample_size: int = integer(0, 0, 10**9, "validation pairs decoded for bleu; 0 is all")
    average_checkpoints: int = integer(1, 1, 100, "last best checkpoints averaged in the model")
    precision: str = choice("auto", ("auto", "bf16", "fp32"), "auto: bf16 where it is fast")
    seed: int = integer(1, 0, 2**31 - 1, "of weights, dropout and order")

    # Search, stored with the model as its defaults.
    beam_size: int = integer(5, 1, 1000, "hypotheses kept; 1 is greedy")
    length_penalty: float = real(0.6, 0, 10, "alpha of Wu et al. 2016")
    coverage_penalty: float = real(0.0, 0, 10, "beta of Wu et al. 2016")
    no_repeat_ngram_size: int = integer(
        0, 0, 100, "so many tokens in a row come once at most in an output; 0: any number of times"
    )
    max_length_factor: float = real(
        0.0, 0, 20, "most target tokens, so many times the source's, and 20; 0: by training pairs"
    )
    calibrate_penalties: bool = flag(False, "choose both penalties by validation BLEU at the end")

    DEFAULT_BATCH_TOKENS = 3000

    @classmethod
    def parse(cls, values: Mapping[str, str]) -> "Hyperparameters":
        """From strings, as SageMaker hands them over.

        Raises HyperparameterError naming the key, its value and what is allowed.
        """
        known = {f.name: f for f in fields(cls)}
        parsed: dict[str, Any] = {}
        for given, raw in values.items():
            for name, value in translate(given, str(raw).strip().strip('"')).items():
                if name not in known:
                    raise HyperparameterError(_unknown(given, known))
                if name in parsed and name != given:
                    continue  # our own name was given too, and wins over the built-in's
                parsed[name] = _parse(known[name], given, value)
        return cls(**parsed)

    def __post_init__(self) -> None:
        if self.batch_size is not None and self.batch_tokens is not None:
            raise HyperparameterError(
                f"batch_size={self.batch_size} and batch_tokens={self.batch_tokens}: "
                "give one of the two; batch_size counts sentences, batch_tokens target tokens"
            )
        if self.attention_type != "none" and self.attention_dimension % self.attention_heads:
            near = _next_multiple(self.attention_dimension, self.attention_heads)
            raise HyperparameterError(
                f"attention_heads={self.attention_heads}: must divide "
                f"attention_dimension={self.attention_dimension}; for example "
                f"attention_dimension={near}"
            )
        self._check_transformer()
        if self.rnn_num_hidden % 2:
            raise HyperparameterError(
                f"rnn_num_hidden={self.rnn_num_hidden}: must be even, "
                "since the encoder's two directions share it"
            )
        if self.attention_type == "none" and self.coverage_mechanism != "none":
            raise HyperparameterError(
                f"coverage_mechanism={self.coverage_mechanism}: needs attention, and "
                "attention_type is none; allowed here: none"
            )
        if self.attention_type == "none" and self.attention_location != "none":
            raise HyperparameterError(
                f"attention_location={self.attention_location}: needs attention, and "
                "attention_type is none; allowed here: none"
            )
        if self.attention_type == "none" and self.coverage_penalty > 0:
            raise HyperparameterError(
                f"coverage_penalty={self.coverage_penalty:g}: needs attention, and "
                "attention_type is none; allowed here: 0"
            )
        if self.tie_embeddings == "all" and self.num_embed_source != self.num_embed_target:
            raise HyperparameterError(
                f"tie_embeddings=all: needs num_embed_source={self.num_embed_source} equal to "
                f"num_embed_target={self.num_embed_target}"
            )

    def _check_transformer(self) -> None:
        """Self-attention's heads, and what only a recurrent network can do."""
        if self.architecture != "transformer":
            return
        if self.transformer_num_hidden % (2 * self.transformer_heads):
            near = _next_multiple(self.transformer_num_hidden, 2 * self.transformer_heads)
            raise HyperparameterError(
                f"transformer_heads={self.transformer_heads}: twice it must divide "
                f"transformer_num_hidden={self.transformer_num_hidden}; for example "
                f"transformer_num_hidden={near}"
            )
        if self.coverage_mechanism == "recurrent":
            raise HyperparameterError(
                "coverage_mechanism=recurrent: goes step by step, and architecture is "
                "transformer; allowed here: none | loss"
            )
        if self.input_feeding:
            raise HyperparameterError(
                "input_feeding=true: architecture is transformer; allowed here: false"
            )

    @property
    def units(self) -> int:
        """Width of the decoder's states."""
        transformer = self.architecture == "transformer"
        return self.transformer_num_hidden if transformer else self.rnn_num_hidden

    def to_dict(self) -> dict[str, Any]:
        """Plain values by name, in the order of the fields; `from_dict` reads it back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Hyperparameters":
        """The inverse of `to_dict`, with the checks of `parse`."""
        return cls.parse({k: "none" if v is None else str(v) for k, v in values.items()})

    def replace(self, **changes: Any) -> "Hyperparameters":
        """A copy with some values changed, checked again."""
        return dataclasses.replace(self, **changes)

    @property
    def token_budget(self) -> int | None:
        """Target tokens of a batch, or None when batches are counted in sentences."""
        if self.batch_size is not None:
            return None
        return self.batch_tokens or self.DEFAULT_BATCH_TOKENS

    @classmethod
    def describe(cls) -> list[tuple[str, Any, str, str]]:
        """(name, default, allowed values, meaning) of each, for `--help` and the docs."""
        rows = []
        for f in fields(cls):
            rule: Rule = f.metadata["rule"]
            rows.append((f.name, f.default, rule.allowed, rule.help))
        return rows


def _parse(known: "dataclasses.Field[Any]", given: str, value: str) -> Any:
    rule: Rule = known.metadata["rule"]
    try:
        return rule.parse(value)
    except (ValueError, KeyError, OverflowError):
        raise HyperparameterError(f"{given}={value}: allowed: {rule.allowed}") from None


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    names = [*known, *KNOWN_NAMES]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; known: {', '.join(sorted(names))}"
    return f"{name}: not a hyperparameter{hint}"


def _next_multiple(number: int, factor: int) -> int:
    return -(-number // factor) * factor
