"""`python -m longspan.infra.local.runtimes.script_mode`: run the training script that a job names.

Containers of AWS's frameworks hold such a program, the SageMaker Training Toolkit. SDK v2 names the
script and its archive in hyperparameters, for `Estimator(entry_point=...)`. The script gets all
other hyperparameters as options, and variables `SM_...`.

https://github.com/aws/sagemaker-training-toolkit/blob/master/ENVIRONMENT_VARIABLES.md
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

__all__ = ["ScriptError", "main", "names_script"]

_PROGRAM, _ARCHIVE = "sagemaker_program", "sagemaker_submit_directory"
_OWN = "sagemaker_"  # hyperparameters that are not for the script
_HYPERPARAMETERS = "input/config/hyperparameters.json"
# Hyperparameters that ask for a distribution, which needs the launchers of AWS's images.
_DISTRIBUTIONS = (
    "sagemaker_distributed_dataparallel_enabled",
    "sagemaker_instance_groups",
    "sagemaker_mpi_enabled",
    "sagemaker_parameter_server_enabled",
    "sagemaker_torch_distributed_enabled",
    "sagemaker_torch_xla_enabled",
)
_LINES = 12  # of the script's errors, in the reason of the failure


class ScriptError(Exception):
    """The script cannot run, or failed; the text is the reason."""


def names_script(base: Path) -> bool:
    """Return whether the hyperparameters of the job in a folder name a script."""
    with contextlib.suppress(OSError):
        return _PROGRAM in json.loads((base / _HYPERPARAMETERS).read_bytes())
    return False


def main() -> int:
    """Run the script; return its exit status, and write why it failed to `output/failure`."""
    base = Path(os.environ["LONGSPAN_BASE"])
    try:
        return _run(base)
    except ScriptError as error:
        print(error, file=sys.stderr, flush=True)
        (base / "output").mkdir(exist_ok=True)
        (base / "output/failure").write_text(str(error), encoding="utf-8")
        return 1


def _run(base: Path) -> int:
    parameters = {
        name: _decoded(value)
        for name, value in json.loads((base / _HYPERPARAMETERS).read_bytes()).items()
    }
    asked = [name for name in _DISTRIBUTIONS if parameters.get(name)]
    if asked:
        raise ScriptError(
            f"expected one process per host, got {', '.join(asked)}: the local cloud starts no "
            "distribution for processes; leave `distribution` out, or use --runtime docker"
        )
    code = base / "code"
    _fetch(str(parameters.get(_ARCHIVE, "")), code, base)
    program = str(parameters[_PROGRAM])
    if not (code / program).is_file():
        raise ScriptError(f"expected the script {program} in {parameters.get(_ARCHIVE)}, got none")
    options = {name: value for name, value in parameters.items() if not name.startswith(_OWN)}
    arguments = list(_arguments(options))
    environment = {
        **os.environ,
        **dict(_variables(base, program, parameters.get(_ARCHIVE), options, arguments)),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(code), os.environ.get("PYTHONPATH")])),
    }
    if (code / "requirements.txt").is_file():
        _call([sys.executable, "-m", "pip", "install", "-r", "requirements.txt"], code, environment)
    interpreter = "sh" if program.endswith(".sh") else sys.executable
    _call([interpreter, program, *arguments], code, environment)
    return 0


def _decoded(value: str) -> Any:
    """Return a hyperparameter: SDK v2 encodes values as JSON, other clients may send any text."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def _fetch(archive: str, code: Path, base: Path) -> None:
    """Extract the archive of the code. Raises ScriptError."""
    packed = base / "sourcedir.tar.gz"
    if archive.startswith("s3://"):
        _download(archive, packed)
    else:  # of a channel, for a job without network
        packed = base / Path(archive).relative_to("/opt/ml") if archive else packed
    code.mkdir(exist_ok=True)
    try:
        if packed.is_dir():
            shutil.copytree(packed, code, dirs_exist_ok=True)
            return
        with tarfile.open(packed) as tar:
            tar.extractall(code, filter="data")
    except (OSError, tarfile.TarError) as error:
        raise ScriptError(f"expected an archive of code at {archive!r}, got {error}") from None


def _download(uri: str, path: Path) -> None:
    if "AWS_ENDPOINT_URL" not in os.environ:
        raise ScriptError(
            f"expected the code in a channel for a job without network, got {uri}: give "
            "`enable_network_isolation=True` to the estimator, which sends it so"
        )
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    place = urlsplit(uri)
    config = Config(s3={"addressing_style": "path"})
    try:
        boto3.client("s3", config=config).download_file(
            place.netloc, place.path.lstrip("/"), str(path)
        )
    except (BotoCoreError, ClientError) as error:
        raise ScriptError(f"the code {uri} cannot be read: {error}") from None


def _arguments(options: Mapping[str, Any]) -> Iterator[str]:
    """Yield the options of the script, sorted by name."""
    for name, value in sorted(options.items()):
        yield f"--{name}" if len(name) > 1 else f"-{name}"
        yield (
            ",".join(f"{key}={value[key]}" for key in sorted(value))
            if isinstance(value, Mapping)
            else str(value)
        )


def _variables(
    base: Path, program: str, archive: Any, options: Mapping[str, Any], arguments: list[str]
) -> Iterator[tuple[str, str]]:
    """Yield the variables `SM_...`, of which lists and objects are JSON."""
    resources = json.loads((base / "input/config/resourceconfig.json").read_bytes())
    inputs = json.loads((base / "input/config/inputdataconfig.json").read_bytes())
    channels = {name: str(base / "input/data" / name) for name in sorted(inputs)}
    values: dict[str, Any] = {
        "channels": list(channels),
        "current_host": resources["current_host"],
        "current_instance_group": resources["current_group_name"],
        "current_instance_type": resources["current_instance_type"],
        "hosts": resources["hosts"],
        "hps": options,
        "input_config_dir": str(base / "input/config"),
        "input_data_config": inputs,
        "input_dir": str(base / "input"),
        "log_level": 20,
        "model_dir": str(base / "model"),
        "module_dir": archive or str(base / "code"),
        "module_name": Path(program).stem,
        "network_interface_name": resources["network_interface_name"],
        "num_cpus": os.cpu_count() or 1,
        "num_gpus": _gpus(),
        "output_data_dir": str(base / "output/data"),
        "output_dir": str(base / "output"),
        "output_intermediate_dir": str(base / "output/intermediate"),
        "resource_config": resources,
        "user_args": arguments,
        "user_entry_point": program,
    }
    values["training_env"] = {
        **values,
        "channel_input_dirs": channels,
        "hyperparameters": options,
        "job_name": os.environ["TRAINING_JOB_NAME"],
    }
    values.update({f"channel_{name}": path for name, path in channels.items()})
    values.update({f"hp_{name}": value for name, value in options.items()})
    for name, value in values.items():
        yield f"SM_{name.upper()}", value if isinstance(value, str) else json.dumps(value)


def _gpus() -> int:
    try:
        listed = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True)
    except OSError:
        return 0
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())


@dataclass(frozen=True)
class _Errors:
    """Errors of a program: passed on, and the last lines kept."""

    last: deque[str]

    def pass_on(self, stream: IO[str]) -> None:
        for line in stream:
            self.last.append(line)
            sys.stderr.write(line)
            sys.stderr.flush()


def _call(command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
    """Run a command, which gets SIGTERM too. Raises ScriptError when it fails."""
    child = subprocess.Popen(
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True, errors="replace"
    )
    signal.signal(signal.SIGTERM, lambda number, _: child.send_signal(number))
    assert child.stderr is not None
    errors = _Errors(deque(maxlen=_LINES))
    reader = threading.Thread(target=errors.pass_on, args=(child.stderr,))
    reader.start()
    status = child.wait()
    reader.join()
    if status:
        # In the words of AWS's toolkit, which users look for.
        raise ScriptError(
            f"ExecuteUserScriptError:\nExitCode {status if status > 0 else 128 - status}\n"
            f'ErrorMessage "{"".join(errors.last).strip()}"\nCommand "{" ".join(command)}"'
        )


if __name__ == "__main__":
    sys.exit(main())
