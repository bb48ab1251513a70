"""The container's `train`: one SageMaker training job from its folders to a model directory.

`docs/training-job.md` describes the contract.
"""

import os
import shutil
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from longspan.pipelines.jobs.channels import MODEL, PREPARED
from longspan.pipelines.jobs.model_training import ModelTraining, check_precision
from longspan.pipelines.jobs.workers import run_workers, worker_environments
from longspan.training.container.paths import ContainerPaths
from longspan.training.corpus import built_in
from longspan.training.errors import (
    DataError,
    HyperparameterError,
    Interrupted,
    LongspanError,
    OptionError,
    explain_os_error,
)
from longspan.training.hyperparameters import Hyperparameters

__all__ = ["PROCESSES", "main", "parse_hyperparameters"]

# The variable that sets the number of worker processes on each machine.
PROCESSES = "LONGSPAN_PROCESSES"

# Keys that SageMaker adds to the hyperparameters: for SDKs that upload source code, and for
# tuning jobs.
_SAGEMAKER_PREFIX = "sagemaker_"
_SAGEMAKER_KEYS = frozenset({"_tuning_objective_metric"})


def main(options: Sequence[str], environment: Mapping[str, str] = os.environ) -> int:
    """Run the job and return its exit status; a failure leaves its reason in `output/failure`.

    The job takes no options: SageMaker hands it hyperparameters in a file.
    """
    paths = ContainerPaths.from_environment(environment)
    is_worker = "RANK" in environment
    try:
        if options:
            raise OptionError(f"expected no options, got {' '.join(options)}; leave them out")
        # A worker must not delete the reason that another one has written.
        if not is_worker:
            paths.failure.unlink(missing_ok=True)
        return _work(paths, environment) if is_worker else _start(paths, environment)
    except Interrupted as stop:
        # The checkpoint is saved, so the job has not failed. One worker is enough to say so.
        if environment.get("RANK", "0") == "0":
            print(stop, flush=True)
        return 0
    except LongspanError as error:
        return _fail(paths, " ".join(str(error).split()))
    except OSError as error:
        return _fail(paths, explain_os_error(error))
    except Exception as error:
        traceback.print_exc()
        return _fail(paths, f"{type(error).__name__}: {' '.join(str(error).split())}")


def parse_hyperparameters(given: Mapping[str, str]) -> Hyperparameters:
    """Parse the job's hyperparameters without the keys that SageMaker adds.

    Raises HyperparameterError with the key, its value and the allowed values.
    """
    return Hyperparameters.parse(
        {
            name: value
            for name, value in given.items()
            if not name.startswith(_SAGEMAKER_PREFIX) and name not in _SAGEMAKER_KEYS
        }
    )


def _start(paths: ContainerPaths, environment: Mapping[str, str]) -> int:
    """Check everything, convert the data once, then train here or in several processes."""
    hyperparameters = parse_hyperparameters(paths.read_hyperparameters())
    hosts = paths.read_hosts()
    processes = _count_processes(environment)
    check_precision(hyperparameters)
    prepared = _prepare(paths)
    if processes * len(hosts.names) == 1:
        _train(paths, prepared, hyperparameters, environment)
        return 0
    print(f"{processes} processes on each of {len(hosts.names)} machines", flush=True)
    command = [sys.executable, "-m", "longspan.pipelines.jobs", "train"]
    # The processes share the cores: together they have one thread per core.
    threads = {"OMP_NUM_THREADS": str(max(1, len(os.sched_getaffinity(0)) // processes))}
    additions = worker_environments(hosts, processes)
    # In the order in which they ended: the first failure is the cause of the others.
    for number, status in run_workers(command, threads | dict(environment), additions).items():
        if status < 0:
            # A killed worker wrote no reason; those of others only say that it is gone.
            paths.failure.unlink(missing_ok=True)
        if status:
            return _fail(paths, f"worker {additions[number]['RANK']} {_describe(status)}")
    return 0


def _work(paths: ContainerPaths, environment: Mapping[str, str]) -> int:
    """Train as one of several workers; `_start` has checked and converted everything before."""
    hyperparameters = parse_hyperparameters(paths.read_hyperparameters())
    _train(paths, _find_prepared(paths), hyperparameters, environment)
    return 0


def _prepare(paths: ContainerPaths) -> Path:
    """Return the prepared folder, converted from the built-in's channels if the job has these."""
    channels = paths.read_channels()
    if PREPARED in channels:
        return _find_prepared(paths)
    if missing := [name for name in built_in.CHANNELS if name not in channels]:
        raise DataError(
            f"expected a channel {PREPARED} (from `longspan prepare`) or the channels "
            f"{', '.join(built_in.CHANNELS)} (RecordIO-protobuf), "
            f"got {', '.join(channels) or 'none'}; add {', '.join(missing)}"
        )
    train, validation, vocab = (channels[name] for name in built_in.CHANNELS)
    shutil.rmtree(paths.scratch, ignore_errors=True)
    for name, converted in built_in.convert(train, validation, vocab, paths.scratch).items():
        print(f"channel {name}: {converted}", flush=True)
    return paths.scratch


def _find_prepared(paths: ContainerPaths) -> Path:
    folder = paths.channel(PREPARED)
    # Without this channel, `_start` has converted the built-in's channels into the scratch folder.
    return folder if folder.is_dir() else paths.scratch


def _train(
    paths: ContainerPaths,
    prepared: Path,
    hyperparameters: Hyperparameters,
    environment: Mapping[str, str],
) -> None:
    """Train in this process, as the rank and in the world that `environment` names."""
    run = ModelTraining(
        prepared,
        paths.model,
        _checkpoints(paths, environment),
        hyperparameters,
        # A tuner that stops a trial early, and a person who stops a job, get the best model so far.
        keep_best=True,
        # Jobs that bring the built-in algorithm's data keep its defaults.
        recipe=prepared != paths.scratch,
        start=_start_of(paths),
    )
    run.train(environment)


def _start_of(paths: ContainerPaths) -> Path | None:
    """Return the channel `model`, as AWS names it for incremental training; None without it."""
    folder = paths.channel(MODEL)
    return folder if MODEL in paths.read_channels() else None


def _checkpoints(paths: ContainerPaths, environment: Mapping[str, str]) -> Path:
    """Return the folder of checkpoints; each trial of a tuning job has its own.

    Trials may all mirror to the same place on S3. A trial that loses its spot machine restarts
    under the same name, so it finds its checkpoints.
    """
    tuned = _SAGEMAKER_KEYS & paths.read_hyperparameters().keys()
    name = environment.get("TRAINING_JOB_NAME", "")
    return paths.checkpoints / name if tuned and name else paths.checkpoints


def _count_processes(environment: Mapping[str, str]) -> int:
    """Return the number of processes on this machine: LONGSPAN_PROCESSES, else one per GPU or one.

    Raises HyperparameterError for a value out of range.
    """
    given = environment.get(PROCESSES, "")
    if not given:
        import torch

        return max(1, torch.cuda.device_count())
    if not given.isdecimal() or not 1 <= int(given) <= 1024:
        raise HyperparameterError(f"{PROCESSES}: expected an integer from 1 to 1024, got {given!r}")
    return int(given)


def _describe(status: int) -> str:
    if status > 0:
        return f"ended with exit status {status}: its reason is above"
    hint = ": out of memory?" if -status == signal.SIGKILL else ""
    return f"was killed by signal {-status}{hint}"


def _fail(paths: ContainerPaths, reason: str) -> int:
    print(f"longspan: error: {reason}", file=sys.stderr, flush=True)
    paths.write_failure(reason)
    return 1
