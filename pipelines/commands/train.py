"""Train a model on prepared text, or resume an earlier run.

DIR is a directory that `longspan prepare` wrote. The same command resumes a run that was stopped
or killed. Exit status: 0 trained, 1 error, 130 stopped by SIGTERM or Ctrl-C with everything saved.
On several GPUs or processes:

  torchrun --nproc-per-node 2 -m longspan.pipelines.command train DIR --out MODEL
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longspan.training.errors import DataError, HyperparameterError
from longspan.training.tables import align_rows

if TYPE_CHECKING:
    from longspan.training.hyperparameters import Hyperparameters

__all__ = ["EXAMPLE", "HELP", "add_arguments", "read_hyperparameters", "run"]

HELP = "train a model"
EXAMPLE = "longspan train prepared --out model --set attention_type=additive --updates 20000"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan train`."""
    parser.add_argument(
        "directory",
        metavar="DIR",
        nargs="?",
        type=Path,
        help="directory that `longspan prepare` wrote",
    )
    parser.add_argument("--out", metavar="MODEL", type=Path, help="model directory to write")
    parser.add_argument(
        "--from",
        dest="start",
        metavar="MODEL",
        type=Path,
        help="continue from this model on the pairs of DIR, which was prepared with "
        "--tokenizer-from MODEL; the architecture stays that of MODEL",
    )
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a hyperparameter; repeatable; wins over --config",
    )
    parser.add_argument(
        "--config", metavar="FILE", type=Path, help="YAML file of hyperparameters, NAME: VALUE"
    )
    parser.add_argument(
        "--updates", metavar="N", help="train for N updates: the hyperparameter max_num_batches"
    )
    parser.add_argument(
        "--max-minutes",
        metavar="M",
        help="safety net: end early after M minutes; as the only limit, it makes the result "
        "depend on the machine's speed",
    )
    parser.add_argument("--seed", metavar="N", help="seed of weights, order, dropout (default: 1)")
    parser.add_argument("--threads", metavar="N", type=int, help="CPU threads (default: all cores)")
    parser.add_argument(
        "--checkpoints",
        metavar="DIR",
        type=Path,
        help="directory of checkpoints to resume from (default: MODEL.checkpoints beside MODEL)",
    )
    parser.add_argument(
        "--fresh", action="store_true", help="delete the checkpoints of an earlier run first"
    )
    parser.add_argument("--list", action="store_true", help="list the hyperparameters and exit")


def run(arguments: argparse.Namespace) -> int:
    """Train, or list the hyperparameters; return 0."""
    if arguments.list:
        print(_table())
        return 0
    if arguments.directory is None or arguments.out is None:
        raise DataError("expected DIR and --out MODEL, got no such options; see --help")
    hyperparameters = read_hyperparameters(
        arguments.set,
        arguments.config,
        {
            "max_num_batches": arguments.updates,
            "max_minutes": arguments.max_minutes,
            "seed": arguments.seed,
        },
    )
    return _train(arguments, hyperparameters, os.environ)


def read_hyperparameters(
    settings: Sequence[str], config: Path | None, options: Mapping[str, str | None]
) -> "Hyperparameters":
    """Read hyperparameters from a YAML file, `NAME=VALUE` settings and options; later ones win.

    Raises HyperparameterError with the name and value of what is wrong.
    """
    from longspan.training.hyperparameters import Hyperparameters

    values = _read_config(config) if config is not None else {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name.strip():
            raise HyperparameterError(
                f"--set {setting}: expected NAME=VALUE, for example attention_heads=4"
            )
        values[name.strip()] = value
    given = {name: value for name, value in options.items() if value is not None}
    return Hyperparameters.parse(values | given)


def _train(
    arguments: argparse.Namespace,
    hyperparameters: "Hyperparameters",
    environment: Mapping[str, str],
) -> int:
    from longspan.pipelines.jobs.model_training import ModelTraining, check_precision

    if arguments.threads is not None:
        import torch

        if arguments.threads < 1:
            raise HyperparameterError(f"--threads: expected at least 1, got {arguments.threads}")
        torch.set_num_threads(arguments.threads)
    if arguments.start is not None and arguments.start.resolve() == arguments.out.resolve():
        raise DataError(
            f"--out: expected another directory than --from, got {arguments.out}; a resumed run "
            "still needs the model that it continues from"
        )
    check_precision(hyperparameters)  # before --fresh deletes anything
    out: Path = arguments.out
    checkpoints = arguments.checkpoints or out.with_name(f"{out.name}.checkpoints")
    run = ModelTraining(
        arguments.directory,
        out,
        checkpoints,
        hyperparameters,
        fresh=arguments.fresh,
        start=arguments.start,
    )
    log = run.train(environment)
    log.note(f"model: {out}")
    log.note(f"next: longspan translate {out} --text 'Your sentence.'")
    return 0


def _read_config(path: Path) -> dict[str, str]:
    import yaml

    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise HyperparameterError(f"{path}: expected a YAML file, got: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise HyperparameterError(f"{path}: expected YAML, got something else: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict) or any(
        isinstance(value, dict | list) for value in content.values()
    ):
        raise HyperparameterError(f"{path}: expected lines NAME: VALUE, got something else")
    # YAML's null is the hyperparameter's `none`.
    return {str(name): "none" if v is None else str(v) for name, v in content.items()}


def _table() -> str:
    from longspan.training.hyperparameters import Hyperparameters

    rows = [
        (name, "none" if default is None else str(default).lower(), allowed, meaning)
        for name, default, allowed, meaning in Hyperparameters.describe()
    ]
    return "\n".join(align_rows([("NAME", "DEFAULT", "ALLOWED", "MEANING"), *rows], "<"))
