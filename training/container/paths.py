"""SageMaker's container contract: where a job finds and leaves things.

All paths hang off one base, `/opt/ml` on SageMaker, for training
(https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html)
and for processing
(https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html).
The same job runs under another base in a local process and in a test.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longspan.training.errors import DataError

__all__ = ["BASE", "ContainerPaths", "Hosts"]

# The variable that names another base than `/opt/ml`.
BASE = "LONGSPAN_BASE"

# ExitMessage of DescribeProcessingJob holds one kilobyte.
_LONGEST_MESSAGE = 1024


@dataclass(frozen=True)
class Hosts:
    """The machines of one job, from `resourceconfig.json`; a lone one needs no file."""

    names: tuple[str, ...] = ("localhost",)
    current: str = "localhost"
    interface: str = ""  # the network between them, as `eth0`

    @property
    def rank(self) -> int:
        """This machine's number, the same on all of them."""
        return self.names.index(self.current)

    @property
    def first(self) -> str:
        """The machine where the others meet."""
        return self.names[0]


@dataclass(frozen=True)
class ContainerPaths:
    """Everything below `base`; nothing is created or read until a method is called."""

    base: Path = Path("/opt/ml")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "ContainerPaths":
        """Below the base that `LONGSPAN_BASE` names, else `/opt/ml`."""
        return cls(Path(environment.get(BASE) or cls.base))

    @property
    def hyperparameters(self) -> Path:
        """A JSON object of strings."""
        return self.base / "input/config/hyperparameters.json"

    @property
    def resource_config(self) -> Path:
        """The hosts of the job."""
        return self.base / "input/config/resourceconfig.json"

    @property
    def processing_resource_config(self) -> Path:
        """The hosts of a processing job."""
        return self.base / "config/resourceconfig.json"

    @property
    def input_data_config(self) -> Path:
        """The channels of the job."""
        return self.base / "input/config/inputdataconfig.json"

    @property
    def data(self) -> Path:
        """One folder per channel."""
        return self.base / "input/data"

    @property
    def model(self) -> Path:
        """Becomes `model.tar.gz`."""
        return self.base / "model"

    @property
    def output(self) -> Path:
        """Becomes `output.tar.gz`."""
        return self.base / "output/data"

    @property
    def failure(self) -> Path:
        """The reason of a failure, shown by the console and DescribeTrainingJob."""
        return self.base / "output/failure"

    @property
    def message(self) -> Path:
        """What a processing job says of its end: ExitMessage of DescribeProcessingJob."""
        return self.base / "output/message"

    @property
    def checkpoints(self) -> Path:
        """Mirrored to S3 while the job runs; a job that starts again finds it filled."""
        return self.base / "checkpoints"

    @property
    def scratch(self) -> Path:
        """Ours: data converted by this job. Nothing of it is kept."""
        return self.base / "scratch"

    @property
    def written(self) -> tuple[Path, ...]:
        """Every folder that a job may write to."""
        return (
            self.model,
            self.base / "output",
            self.checkpoints,
            self.scratch,
            self.base / "processing/output",
        )

    def channel(self, name: str) -> Path:
        """The folder of one channel, whether it is there or not."""
        return self.data / name

    def processing_input(self, name: str) -> Path:
        """The folder of one input of a processing job, whether it is there or not."""
        return self.base / "processing/input" / name

    def processing_output(self, name: str) -> Path:
        """The folder of one output of a processing job."""
        return self.base / "processing/output" / name

    def read_hyperparameters(self) -> dict[str, str]:
        """Names and values as strings; none when the job gave none.

        SageMaker's local mode may hand over numbers and truth values; they become strings.
        """
        values = _read_object(self.hyperparameters)
        return {name: v if isinstance(v, str) else json.dumps(v) for name, v in values.items()}

    def read_hosts(self) -> Hosts:
        """The machines of this training job in the order of their names."""
        return self._read_hosts(self.resource_config)

    def read_processing_hosts(self) -> Hosts:
        """The machines of this processing job in the order of their names."""
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
                f"{', '.join(names) or '(none)'}, came {current or 'nothing'}"
            )
        return Hosts(names, current, config.get("network_interface_name") or "")

    def read_channels(self) -> dict[str, Path]:
        """The folders of the job's channels by name, as configured or as found on the disk.

        Raises DataError for a channel in Pipe mode, which hands over no files.
        """
        config = _read_object(self.input_data_config)
        for name, channel in config.items():
            mode = channel.get("TrainingInputMode", "File")
            if mode not in ("File", "FastFile"):
                raise DataError(
                    f"channel {name}: expected TrainingInputMode File or FastFile, came {mode}"
                )
        found = {p.name for p in self.data.iterdir() if p.is_dir()} if self.data.is_dir() else set()
        return {name: self.channel(name) for name in sorted(found | set(config))}

    def write_failure(self, reason: str) -> None:
        """Leave the reason of a failure; of several processes the first one's stands."""
        self.failure.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self.failure.open("x", encoding="utf-8", errors="backslashreplace") as file:
                file.write(reason)
        except FileExistsError:
            pass

    def write_message(self, text: str) -> None:
        """Leave a line on how a processing job ended, cut where SageMaker would refuse it."""
        self.message.parent.mkdir(parents=True, exist_ok=True)
        line = " ".join(text.split()).encode("utf-8", "backslashreplace")
        if len(line) > _LONGEST_MESSAGE:
            shorter = line[: _LONGEST_MESSAGE - len(b" ...")].decode("utf-8", "ignore")
            line = f"{shorter} ...".encode()
        self.message.write_bytes(line)


def _read_object(path: Path) -> dict[str, Any]:
    """A JSON object, empty when there is no such file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise DataError(f"{path}: expected JSON, came something else: {error}") from None
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected a JSON object, came {type(content).__name__}")
    return content
