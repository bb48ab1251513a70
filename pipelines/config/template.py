"""A commented `longspan.yaml` that works without changes, on the generated sample.

Keys, defaults and comments come from the sections themselves.
"""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import yaml
from pydantic.fields import FieldInfo

from longspan.pipelines.config.config import Config
from longspan.pipelines.config.own_corpus import OwnCorpus
from longspan.pipelines.config.search_space import REASONS
from longspan.pipelines.config.section import ConfigSection

__all__ = ["SAMPLE", "default_of", "own_template", "section_of", "template", "yaml_line"]

_WIDTH = 100
_HEAD = """\
# The pipeline of `longspan run`: prepare, tune, evaluate, gate, register, deploy.
# {what}
# Keys behind a # are optional; their value is an example, or the default.
# `longspan validate` checks this file without a network. Every key: docs/config.md.
"""
_ON_THE_SAMPLE = (
    "It works without changes, on a generated corpus; `longspan init --data FILE...` is for files."
)
_ON_FILES = "Its gate fits real text: it refuses models that give all sentences the same output."

# Values other than the defaults, with which the sample takes minutes on two cores, not hours.
SAMPLE: Mapping[str, Any] = {
    "name": "longspan-sample",
    "data": {"sample": {"pairs": 20_000, "seed": 1, "validation": 240, "test_per_bucket": 60}},
    "preparation": {
        "vocabulary_size": 1000,
        "vocabulary_type": "bpe",
        # Of 240 validation pairs 30 have over 100 words: enough, and each validation is shorter.
        "joined": False,
        "instance_type": "ml.m5.xlarge",
    },
    "training": {
        "hyperparameters": {
            "rnn_num_hidden": 128,
            "num_embed_source": 96,
            "num_embed_target": 96,
            "tie_embeddings": "none",
            "learning_rate": 0.01,
            "lr_scheduler_type": "cosine",
            "lr_warmup_num_batches": 80,
            "batch_tokens": 300,
            "attention_location": "tracking",
            "length_augmentation": 0.08,
            "length_augmentation_max": 150,
            "length_curriculum": 0.3,
            "length_penalty": 1.0,
            "coverage_penalty": 0.05,
            "max_num_batches": 1300,
            "checkpoint_frequency_num_batches": 325,
            "checkpoint_threshold": 1000,
            "optimized_metric": "bleu_long",
            "bleu_sample_size": 30,
            "average_checkpoints": 1,
            # A pair is seen less than twice, so none is learned by heart.
            "embed_dropout_source": 0.0,
            "embed_dropout_target": 0.0,
            "rnn_decoder_hidden_dropout": 0.0,
            "rnn_dropout": 0.0,
            "subword_dropout": 0.0,
            "label_smoothing": 0.0,
        },
        "instance_type": "ml.m5.xlarge",
        "volume_gb": 30,
        "max_runtime_minutes": 30,
    },
    "tuning": {
        "strategy": "Hyperband",
        "jobs": 6,
        "parallel_jobs": 2,
        # In checkpoints, one every 325 updates: a quarter of a job, and a whole one.
        "hyperband": {"min_resource": 1, "max_resource": 4},
        "search_space": {
            "attention_type": ["scaled_dot", "additive"],
            "attention_heads": [1, 2, 4],
            "attention_dimension": [64, 96, 128],
            "attention_dropout": {"min": 0.0, "max": 0.1},
            "coverage_mechanism": ["none", "loss"],
        },
    },
    # A model without any of the cures.
    "baseline": {
        "hyperparameters": {
            "attention_type": "additive",
            "attention_heads": 1,
            "attention_dimension": 96,
            "attention_location": "none",
            "length_augmentation": 0.0,
            "length_curriculum": 0,
            "coverage_penalty": 0.0,
            # Translating with it takes long, and its last weights are its best.
            "checkpoint_frequency_num_batches": 1300,
        }
    },
    # Without documents, which would take longer than the rest of the run.
    "evaluation": {
        "instance_type": "ml.m5.xlarge",
        "max_runtime_minutes": 60,
        "documents": False,
    },
    # Every word of the sample can be learned, so less means that training went wrong.
    "gate": {
        "minimum_bleu_long": 75.0,
        "minimum_bleu_short": 80.0,
        "minimum_share_kept": 0.85,
        "minimum_distinct": 0.9,
        "minimum_bleu_long_change": 10.0,
        "minimum_bleu_short_change": -5.0,
    },
    "endpoint": {"instance_type": "ml.m5.large"},
    # `make run` takes five minutes on two cores with AVX2; the baseline trains beside the trials.
    "planned_seconds": {
        "preparation": 20,
        "trials": 200,
        "baseline": 100,
        "evaluation": 40,
        "rest": 40,
        "total": 300,
    },
}


def template(values: Mapping[str, Any] = SAMPLE) -> str:
    """Return a commented config with these values and the defaults of all other keys."""
    what = _ON_THE_SAMPLE if values is SAMPLE else _ON_FILES
    head = _HEAD.format(what=what)
    return head + "".join(f"{line}\n" for line in _section(Config, values, 0))


def own_template(corpus: OwnCorpus, instance_type: str) -> str:
    """Return a commented config for files of pairs, with hyperparameters that suit them.

    `instance_type` is the machine of training jobs. All other keys have their defaults.
    """
    lines = template(corpus.values(instance_type)).splitlines()
    for choice in corpus.choices(instance_type):
        # Above the first value of each group, below the key `hyperparameters` of `training`.
        first = next(iter(choice.values))
        start = lines.index("training:")
        place = next(i for i in range(start, len(lines)) if lines[i].startswith(f"    {first}: "))
        lines[place:place] = _comment(choice.reason, "    ")
    return "\n".join(lines) + "\n"


def _section(model: type[ConfigSection], values: Mapping[str, Any], depth: int) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield from _entry(name, field, values.get(name), depth)


def _entry(name: str, field: FieldInfo, value: Any, depth: int) -> Iterator[str]:
    inner = section_of(field.annotation)
    pad = "  " * depth
    if depth == 0:
        yield ""
    if inner is not None:
        lines = [f"{pad}{name}:", *_section(inner, value or {}, depth + 1)]
        # An optional section that is not set is shown as a comment.
        wanted = value is not None or default_of(field) is not None
        yield from _comment(field.description or "", pad)
        yield from lines if wanted else (_commented(line, pad) for line in lines)
    elif name == "search_space":
        yield from _comment(field.description or "", pad)
        yield f"{pad}{name}:"
        yield from _space(value or default_of(field), depth + 1)
    else:
        yield from _leaf(name, field, value, pad)


def _leaf(name: str, field: FieldInfo, value: Any, pad: str) -> Iterator[str]:
    shown = default_of(field) if value is None else value
    example = field.examples[0] if field.examples else None
    if field.is_required():
        yield from _with_comment(f"{pad}{name}: {yaml_line(example)}", field.description, pad)
    elif shown is None:
        yield from _with_comment(f"{pad}# {name}: {yaml_line(example)}", field.description, pad)
    elif isinstance(shown, dict) and shown:
        yield from _comment(field.description or "", pad)
        yield f"{pad}{name}:"
        yield from (f"{pad}  {key}: {yaml_line(item)}" for key, item in shown.items())
    else:
        yield from _with_comment(f"{pad}{name}: {yaml_line(shown)}", field.description, pad)


def _space(space: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Yield each range below its reason."""
    pad = "  " * depth
    for name, values in space.items():
        if name in REASONS:
            yield from _comment(REASONS[name], pad)
        plain = values if isinstance(values, list | dict) else values.model_dump()
        yield f"{pad}{name}: {yaml_line(plain)}"


def _with_comment(line: str, comment: str | None, pad: str) -> list[str]:
    """Put the comment behind the value, or above it if the line would get too long."""
    if len(line) + len(comment or "") + 4 <= _WIDTH:
        return [f"{line}  # {comment}"]
    return [*_comment(comment or "", pad), line]


def _comment(text: str, pad: str) -> list[str]:
    """Return the text as lines of comment, none longer than a line of the file may be."""
    return textwrap.wrap(text, _WIDTH, initial_indent=f"{pad}# ", subsequent_indent=f"{pad}# ")


def _commented(line: str, pad: str) -> str:
    """Return the line as a comment, with # at the indentation of its block."""
    rest = line.removeprefix(pad)
    return line if rest.lstrip().startswith("#") else f"{pad}# {rest}"


def default_of(field: FieldInfo) -> Any:
    """Return the default of a key; None if the key is required."""
    return None if field.is_required() else field.get_default(call_default_factory=True)


def section_of(annotation: Any) -> type[ConfigSection] | None:
    """Return the section that a key holds, or None."""
    if isinstance(annotation, type) and issubclass(annotation, ConfigSection):
        return annotation
    # Their keys are the user's, such as the names in the search space.
    if getattr(annotation, "__origin__", None) in (dict, list):
        return None
    found = (section_of(part) for part in get_args(annotation))
    return next((model for model in found if model is not None), None)


def yaml_line(value: Any) -> str:
    """Return a value as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False)
    # PyYAML ends a document that is a single plain value with `...`.
    return text.removesuffix("\n").removesuffix("\n...")
