"""Hyperparameters: their names, defaults and allowed values, parsed in one place.

Names are those of SageMaker's built-in seq2seq algorithm wherever it has the same thing
(https://docs.aws.amazon.com/sagemaker/latest/dg/seq-2-seq-hyperparameters.html), so that a
job description moves over. Values arrive as strings. Imports no torch: the pipeline reads the
names of the search space from here.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from longspan.training.bleu_tokenizers import BleuTokenizerName
from longspan.training.built_in_names import KNOWN_NAMES, translate
from longspan.training.errors import HyperparameterError
from longspan.training.values import Settings

__all__ = ["Hyperparameters"]


class Hyperparameters(Settings):
    """One training job's settings; defaults follow the built-in algorithm where it has them.

    `batch_size` counts sentences, `batch_tokens` target tokens; at most one may be set, and
    with neither a batch holds `DEFAULT_BATCH_TOKENS` target tokens. Raises HyperparameterError for
    values that are not allowed, alone or together.
    """

    refusal: ClassVar[type[Exception]] = HyperparameterError
    DEFAULT_BATCH_TOKENS: ClassVar[int] = 3000

    # The encoder and the decoder.
    architecture: Literal["rnn", "transformer"] = Field("rnn", description="which network")
    rnn_cell_type: Literal["lstm", "gru"] = Field("lstm", description="recurrent cell")
    num_layers_encoder: int = Field(
        1, ge=1, le=16, description="layers; of an rnn the first is bidirectional"
    )
    num_layers_decoder: int = Field(
        1, ge=1, le=16, description="layers; of an rnn the first makes the query"
    )
    rnn_num_hidden: int = Field(
        1024, ge=1, le=8192, description="units of a layer, both directions together"
    )
    num_embed_source: int = Field(512, ge=1, le=8192, description="source embedding dimension")
    num_embed_target: int = Field(512, ge=1, le=8192, description="target embedding dimension")
    rnn_residual_connections: bool = Field(False, description="add a layer's input to its output")
    rnn_first_residual_layer: int = Field(
        2, ge=2, le=16, description="lowest layer with a residual connection"
    )
    rnn_decoder_state_init: Literal["last", "avg", "zero"] = Field(
        "last", description="decoder's first state, from the encoder's states"
    )
    input_feeding: bool = Field(
        False, description="feed the last attentional state back (slower: a loop)"
    )
    transformer_num_hidden: int = Field(
        512, ge=1, le=8192, description="width of a Transformer's layers"
    )
    transformer_feed_forward: int = Field(
        2048, ge=1, le=65536, description="units of its inner networks"
    )
    transformer_heads: int = Field(8, ge=1, le=128, description="heads of its self-attention")
    transformer_positions: Literal["rotary", "alibi"] = Field(
        "rotary", description="relative positions: Su et al. 2021 | Press et al. 2022"
    )
    transformer_window: int = Field(
        0, ge=0, le=10**6, description="tokens to each side that self-attention reads; 0 is all"
    )
    tie_embeddings: Literal["none", "target", "all"] = Field(
        "none", description="share target input and output (and source) embeddings"
    )

    # Attention and coverage.
    attention_type: Literal["none", "dot", "scaled_dot", "bilinear", "additive"] = Field(
        "additive", description="score function"
    )
    attention_heads: int = Field(
        1, ge=1, le=64, description="heads; must divide the attention dimension"
    )
    attention_dimension: int = Field(512, ge=1, le=8192, description="sum of the heads' dimensions")
    attention_dropout: float = Field(0.0, ge=0, lt=1, description="on the attention weights")
    attention_location: Literal["none", "progress", "tracking"] = Field(
        "none",
        description="score by how far both sides were read | corrected by where attention was",
    )
    coverage_mechanism: Literal["none", "loss", "recurrent"] = Field(
        "none", description="See et al. 2017 | Tu et al. 2016 (slower: a loop)"
    )
    coverage_loss_weight: float = Field(
        1.0, ge=0, le=100, description="of a sentence's, over its perplexity"
    )
    coverage_dimension: int = Field(
        16, ge=1, le=1024, description="units of the recurrent coverage vector"
    )

    # Regularisation.
    embed_dropout_source: float = Field(0.0, ge=0, lt=1, description="on source embeddings")
    embed_dropout_target: float = Field(0.0, ge=0, lt=1, description="on target embeddings")
    rnn_decoder_hidden_dropout: float = Field(
        0.0, ge=0, lt=1, description="on the attentional state"
    )
    rnn_dropout: float = Field(
        0.0, ge=0, lt=1, description="between recurrent layers, on encoder output"
    )
    transformer_dropout: float = Field(0.1, ge=0, lt=1, description="on what a layer adds")
    subword_dropout: float = Field(
        0.0, ge=0, lt=1, description="chance that a training token is split into shorter ones"
    )
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="mass taken from the reference token"
    )
    weight_decay: float = Field(
        0.0, ge=0, le=1, description="decoupled for adam, L2 for the others"
    )

    # Optimisation.
    optimizer_type: Literal["adam", "sgd", "rmsprop"] = Field("adam", description="optimiser")
    learning_rate: float = Field(
        0.0003, ge=1e-9, le=100, description="initial, or peak after warm-up"
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="of sgd and rmsprop")
    lr_scheduler_type: Literal[
        "plateau_reduce", "fixed_rate_inv_t", "fixed_rate_inv_sqrt_t", "cosine", "constant"
    ] = Field("plateau_reduce", description="learning-rate schedule")
    lr_warmup_num_batches: int = Field(0, ge=0, le=10**9, description="batches of linear warm-up")
    fixed_rate_lr_half_life: float = Field(
        10, ge=1e-9, le=1e9, description="checkpoints to half the rate (inv_t)"
    )
    plateau_reduce_lr_factor: float = Field(0.5, ge=0, lt=1, description="rate multiplier")
    plateau_reduce_lr_threshold: int = Field(
        3, ge=1, le=10**6, description="checkpoints without gain before"
    )
    clip_gradient: float = Field(
        1.0, ge=0, le=1e9, description="largest norm of the whole gradient; 0 is off"
    )
    weight_init_type: Literal["uniform", "xavier"] = Field(
        "xavier", description="weight initialisation"
    )
    weight_init_scale: float = Field(
        2.34, ge=0, le=1e3, description="uniform: half-width; xavier: magnitude"
    )
    xavier_factor_type: Literal["in", "out", "avg"] = Field(
        "in", description="fan that xavier divides by"
    )

    # Batches and lengths.
    batch_size: int | None = Field(None, ge=1, le=10**6, description="sentences of a batch")
    batch_tokens: int | None = Field(None, ge=1, le=10**8, description="target tokens of a batch")
    bucketing_enabled: bool = Field(True, description="batches of sentences of like length")
    bucket_width: int = Field(10, ge=1, le=1000, description="tokens between two buckets' bounds")
    max_seq_len_source: int = Field(
        2000, ge=1, le=10**6, description="longer pairs are left out and counted"
    )
    max_seq_len_target: int = Field(
        2000, ge=1, le=10**6, description="longer pairs are left out and counted"
    )
    length_augmentation: float = Field(
        0.0, ge=0, lt=1, description="share of training examples that are joined from several pairs"
    )
    length_curriculum: float = Field(
        0.0,
        ge=0,
        le=1e6,
        description="epochs over which joined examples get as many and as long as asked for",
    )
    length_augmentation_max: int = Field(
        200, ge=2, le=10**5, description="source tokens of a joined example"
    )
    length_augmentation_lengths: Literal["uniform", "log_uniform", "longest"] = Field(
        "uniform",
        description="lengths of joined examples: uniform over lengths | over tokens | the longest",
    )

    # How long, how judged.
    max_num_epochs: int | None = Field(
        None, ge=1, le=10**9, description="stop after so many epochs"
    )
    min_num_epochs: int = Field(0, ge=0, le=10**9, description="no early stop before")
    max_num_batches: int | None = Field(
        None, ge=1, le=10**12, description="stop after so many updates"
    )
    max_minutes: float = Field(
        0, ge=0, le=1e6, description="safety net: end early after so many; 0 is none"
    )
    checkpoint_frequency_num_batches: int = Field(
        1000, ge=1, le=10**9, description="updates per checkpoint"
    )
    checkpoint_threshold: int = Field(
        8, ge=1, le=10**6, description="checkpoints without gain to stop early"
    )
    optimized_metric: Literal["perplexity", "accuracy", "bleu", "bleu_long"] = Field(
        "perplexity", description="early stopping, best model"
    )
    bleu_sample_size: int = Field(
        0, ge=0, le=10**9, description="validation pairs decoded for bleu; 0 is all"
    )
    bleu_tokenizer: BleuTokenizerName = Field(
        "auto", description="words of bleu, by sacreBLEU; auto: by the target language"
    )
    average_checkpoints: int = Field(
        1, ge=1, le=100, description="last best checkpoints averaged in the model"
    )
    precision: Literal["auto", "bf16", "fp32"] = Field(
        "auto", description="auto: bf16 where it is fast"
    )
    seed: int = Field(1, ge=0, le=2**31 - 1, description="of weights, dropout and order")

    # Search, stored with the model as its defaults.
    beam_size: int = Field(5, ge=1, le=1000, description="hypotheses kept; 1 is greedy")
    length_penalty: float = Field(0.6, ge=0, le=10, description="alpha of Wu et al. 2016")
    coverage_penalty: float = Field(0.0, ge=0, le=10, description="beta of Wu et al. 2016")
    no_repeat_ngram_size: int = Field(
        0,
        ge=0,
        le=100,
        description="n of the n-grams that an output has once at most; 0 allows repeats",
    )
    max_length_factor: float = Field(
        0.0,
        ge=0,
        le=20,
        description="most target tokens, so many times the source's, and 20; 0: by training pairs",
    )
    min_length: int = Field(
        0, ge=0, le=20_000, description="least target tokens of an output, its end not counted"
    )
    calibrate_penalties: bool = Field(
        False, description="choose both penalties by validation BLEU at the end"
    )

    @classmethod
    def parse(cls, values: Mapping[str, str]) -> "Hyperparameters":
        """Return the hyperparameters of strings, as SageMaker hands them over.

        Raises HyperparameterError naming the key, its value and what is allowed.
        """
        texts: dict[str, str] = {}
        names: dict[str, str] = {}
        for given, raw in values.items():
            for name, text in translate(given, str(raw).strip().strip('"')).items():
                if name not in cls.model_fields:
                    raise HyperparameterError(_unknown(given, cls.model_fields))
                if name in texts and name != given:
                    continue  # our own name was given too, and wins over the built-in's
                texts[name], names[name] = text, given
        return cls.from_texts(texts, names)

    @model_validator(mode="after")
    def _check_together(self) -> "Hyperparameters":
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
        return self

    def _check_transformer(self) -> None:
        """Check the heads of self-attention, and what only a recurrent network can do."""
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
        """Return plain values by name, in the order of the fields; `from_dict` reads them back."""
        return self.model_dump()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Hyperparameters":
        """Return the hyperparameters of a dictionary that `to_dict` made, checked as by `parse`."""
        return cls.parse({k: "none" if v is None else str(v) for k, v in values.items()})

    @property
    def token_budget(self) -> int | None:
        """Target tokens of a batch, or None when batches are counted in sentences."""
        if self.batch_size is not None:
            return None
        return self.batch_tokens or self.DEFAULT_BATCH_TOKENS


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    import difflib

    names = [*known, *KNOWN_NAMES]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; known: {', '.join(sorted(names))}"
    return f"{name}: not a hyperparameter{hint}"


def _next_multiple(number: int, factor: int) -> int:
    return -(-number // factor) * factor
