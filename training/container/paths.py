"""The paths of SageMaker's container contract, where a job reads its input and writes its output.

All paths lie below one base, `/opt/ml` on SageMaker, for training
(https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html)
and for processing
(https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html).
A local process and a test run the same job with another base.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longspan.training.errors import DataError

__all__ = ["BASE", "ContainerPaths", "Hosts"]

# The environment variable for another base than `/opt/ml`.
BASE = "LONGSPAN_BASE"

# Bytes that ExitMessage of DescribeProcessingJob can hold.
_LONGEST_MESSAGE = 1024


@dataclass(frozen=True)
class Hosts:
    """The machines of one job, from `resourceconfig.json`; without the file it is one machine."""

    names: tuple[str, ...] = ("localhost",)
    current: str = "localhost"
    interface: str = ""  # network interface between the machines, such as `eth0`

    @property
    def rank(self) -> int:
        """Number of this machine, the same as on all others."""
        return self.names.index(self.current)

    @property
    def first(self) -> str:
        """The machine that the others connect to."""
        return self.names[0]


@dataclass(frozen=True)
class ContainerPaths:
    """The paths below `base`; only methods create or read files."""

    base: Path = Path("/opt/ml")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "ContainerPaths":
        """Return the paths below the base that `LONGSPAN_BASE` names, by default `/opt/ml`."""
        return cls(Path(environment.get(BASE) or cls.base))

    @property
    def hyperparameters(self) -> Path:
        """File of hyperparameters, a JSON object of strings."""
        return self.base / "input/config/hyperparameters.json"

    @property
    def resource_config(self) -> Path:
        """File of the hosts of a training job."""
        return self.base / "input/config/resourceconfig.json"

    @property
    def processing_resource_config(self) -> Path:
        """File of the hosts of a processing job."""
        return self.base / "config/resourceconfig.json"

    @property
    def input_data_config(self) -> Path:
        """File of the channels of a training job."""
        return self.base / "input/config/inputdataconfig.json"

    @property
    def data(self) -> Path:
        """Folder with one folder for each channel."""
        return self.base / "input/data"

    @property
    def model(self) -> Path:
        """Folder that SageMaker packs into `model.tar.gz`."""
        return self.base / "model"

    @property
    def output(self) -> Path:
        """Folder that SageMaker packs into `output.tar.gz`."""
        return self.base / "output/data"

    @property
    def failure(self) -> Path:
        """File of the reason of a failure, which the console and DescribeTrainingJob show."""
        return self.base / "output/failure"

    @property
    def message(self) -> Path:
        """File of a processing job's last message: ExitMessage of DescribeProcessingJob."""
        return self.base / "output/message"

    @property
    def checkpoints(self) -> Path:
        """Folder that SageMaker mirrors to S3 while the job runs, and restores for a restart."""
        return self.base / "checkpoints"

    @property
    def scratch(self) -> Path:
        """Folder of longspan for data that this job converts; SageMaker does not store it."""
        return self.base / "scratch"

    @property
    def written(self) -> tuple[Path, ...]:
        """All folders that a job may write to."""
        return (
            self.model,
            self.base / "output",
            self.checkpoints,
            self.scratch,
            self.base / "processing/output",
        )

    def channel(self, name: str) -> Path:
        """Return the folder of one channel, which may not exist."""
        return self.data / name

    def processing_input(self, name: str) -> Path:
        """Return the folder of one input of a processing job, which may not exist."""
        return self.base / "processing/input" / name

    def processing_output(self, name: str) -> Path:
        """Return the folder of one output of a processing job."""
        return self.base / "processing/output" / name

    def read_hyperparameters(self) -> dict[str, str]:
        """Read names and values as strings; none without the file.

        SageMaker's local mode may write numbers and booleans, which become strings. Raises
        DataError for a file that is not a JSON object.
        """
        values = _read_object(self.hyperparameters)
        return {name: v if isinstance(v, str) else json.dumps(v) for name, v in values.items()}

    def read_hosts(self) -> Hosts:
        """Read the machines of this training job, in the order of their names.

        Raises DataError for a damaged file.
        """
        return self._read_hosts(self.resource_config)

    def read_processing_hosts(self) -> Hosts:
        """Read the machines of this processing job, in the order of their names.

        Raises DataError for a damaged file.
        """
        return self._read_hosts(self.processing_resource_config)

    @staticmethod
    def _read_hosts(path: Path) -> Hosts:
        config = _read_object(path)
        if not config:
            return Hosts()
        names = tuple(sorted(config.get("hosts") or []))
        current = config.get("current_host", "")
        if current not in names:
            raise DataError(
                f"{path}: expected current_host among hosts "
                f"{', '.join(names) or '(none)'}, got {current or 'nothing'}"
            )
        return Hosts(names, current, config.get("network_interface_name") or "")

    def read_channels(self) -> dict[str, Path]:
        """Return the folders of the job's channels by name, from its configuration and the disk.

        Raises DataError for a channel in Pipe mode, which gives no files.
        """
        config = _read_object(self.input_data_config)
        for name, channel in config.items():
            mode = channel.get("TrainingInputMode", "File")
            if mode not in ("File", "FastFile"):
                raise DataError(
                    f"channel {name}: expected TrainingInputMode File or FastFile, got {mode}; set "
                    "one of these"
                )
        found = {p.name for p in self.data.iterdir() if p.is_dir()} if self.data.is_dir() else set()
        return {name: self.channel(name) for name in sorted(found | set(config))}

    def write_failure(self, reason: str) -> None:
        """Write the reason of a failure, unless another process has written one before."""
        self.failure.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self.failure.open("x", encoding="utf-8", errors="backslashreplace") as file:
                file.write(reason)
        except FileExistsError:
            pass

    def write_message(self, text: str) -> None:
        """Write one line on how a processing job ended, cut to the length SageMaker allows."""
        self.message.parent.mkdir(parents=True, exist_ok=True)
        line = " ".join(text.split()).encode("utf-8", "backslashreplace")
        if len(line) > _LONGEST_MESSAGE:
            shorter = line[: _LONGEST_MESSAGE - len(b" ...")].decode("utf-8", "ignore")
            line = f"{shorter} ...".encode()
        self.message.write_bytes(line)


def _read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object, empty without the file. Raises DataError for anything else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise DataError(f"{path}: expected JSON, got something else: {error}") from None
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected a JSON object, got {type(content).__name__}")
    return content
