"""Hyperparameters of the built-in seq2seq algorithm, translated to those of longspan.

https://docs.aws.amazon.com/sagemaker/latest/dg/seq-2-seq-hyperparameters.html
"""

import re

from longspan.training.errors import HyperparameterError

__all__ = ["BUILT_IN_NAMES", "KNOWN_NAMES", "translate"]

# Name of the built-in -> name of longspan; different values are in `_ATTENTION`.
BUILT_IN_NAMES = {
    "rnn_attention_type": "attention_type",
    "rnn_attention_num_hidden": "attention_dimension",
}
_ATTENTION = {"fixed": "none", "dot": "dot", "bilinear": "bilinear", "mlp": "additive"}

# Settings that this model does not have, with the values that are the same as not having them.
_INERT: dict[str, tuple[str, ...]] = {
    "encoder_type": ("rnn",),
    "decoder_type": ("rnn",),
    "loss_type": ("cross-entropy",),
    "training_metric": ("perplexity", "accuracy"),
    "rnn_attention_in_upper_layers": ("true",),
}

# Settings of the built-in's convolutional network, which its recurrent network ignores too.
_IGNORED = frozenset(
    {
        "cnn_activation_type",
        "cnn_hidden_dropout",
        "cnn_kernel_width_decoder",
        "cnn_kernel_width_encoder",
        "cnn_num_hidden",
    }
)

# Names that are accepted beside those of longspan.
KNOWN_NAMES = frozenset({*BUILT_IN_NAMES, *_INERT, *_IGNORED})

# Values of the built-in that mean "no limit", "all", "off" and "the default".
_SAME_VALUES: dict[tuple[str, str], dict[str, str]] = {
    ("max_num_batches", "-1"): {"max_num_batches": "none"},
    ("bleu_sample_size", "-1"): {"bleu_sample_size": "0"},
    ("momentum", "none"): {},
    ("rnn_attention_num_hidden", "none"): {},
}


def translate(name: str, value: str) -> dict[str, str]:
    """Translate a name and value to those of longspan; empty if the setting has no effect.

    Raises HyperparameterError for a setting of the built-in that this model does not have.
    """
    if name in _IGNORED:
        return {}
    if (name, value.lower()) in _SAME_VALUES:
        return _SAME_VALUES[name, value.lower()]
    if name == "clip_gradient" and re.fullmatch(r"-[0-9.]+", value):
        return {name: "0"}  # any negative value means "off" for the built-in
    if name in _INERT:
        if value.lower() in _INERT[name]:
            return {}
        raise HyperparameterError(f"{name}: expected {' | '.join(_INERT[name])}, got {value!r}")
    if name == "rnn_attention_type":
        if value not in _ATTENTION:
            raise HyperparameterError(f"{name}: expected {' | '.join(_ATTENTION)}, got {value!r}")
        return {"attention_type": _ATTENTION[value]}
    return {BUILT_IN_NAMES.get(name, name): value}
