"""The config values that suit one's own files: measured by reading them once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from longspan.pipelines.config.instances import has_gpu
from longspan.pipelines.config.search_space import DEFAULT_SPACE
from longspan.training.errors import DataError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.pairs.columns import Columns
from longspan.training.pairs.pairs import Problem, read_pairs
from longspan.training.pairs.streams import InputRecord
from longspan.training.preparation.dataset_splits import with_splits
from longspan.training.progress import Progress
from longspan.training.recipe import Choice, CorpusSize, Device, recommend

__all__ = ["OwnCorpus", "measure_files"]

# UTF-8 bytes of a token, measured with vocabularies of 4,000 and 8,000 tokens: 4.2 to 4.8 for
# English and for Japanese, whose characters take three bytes.
_BYTES_PER_TOKEN = 4.5

# A baseline without the cure of long sentences, which the search has to beat.
_UNCURED: Mapping[str, Any] = {
    "attention_type": "additive",
    "attention_heads": 1,
    "attention_location": "none",
    "coverage_mechanism": "none",
    "length_augmentation": 0.0,
    "length_curriculum": 0.0,
}


@dataclass(frozen=True)
class OwnCorpus:
    """A user's files, and the values of the config that suit them."""

    files: Sequence[str]
    columns: Columns
    size: CorpusSize | None = None  # None: unknown, as for a prefix on S3

    def choices(self, instance_type: str) -> tuple[Choice, ...]:
        """Return the hyperparameters for a training machine, without those that are searched."""
        if self.size is None:
            return ()
        device: Device = "gpu" if has_gpu(instance_type) else "cpu"
        groups = recommend(self.size, device, Hyperparameters()).choices
        left = (
            Choice({k: v for k, v in c.values.items() if k not in DEFAULT_SPACE}, c.reason)
            for c in groups
        )
        return tuple(choice for choice in left if choice.values)

    def values(self, instance_type: str) -> dict[str, Any]:
        """Return the sections of a config that are not the defaults."""
        chosen = self.columns.model_dump(exclude_defaults=True)
        columns = {k: chosen.pop(k) for k in ("source", "target", "document") if k in chosen}
        data = {"pairs": list(self.files), **chosen, **({"columns": columns} if columns else {})}
        training: dict[str, Any] = {"instance_type": instance_type}
        found: dict[str, Any] = {"data": data, "training": training}
        choices = self.choices(instance_type)
        if choices:
            training["hyperparameters"] = {k: v for c in choices for k, v in c.values.items()}
            units = training["hyperparameters"]["rnn_num_hidden"]
            found["baseline"] = {"hyperparameters": {**_UNCURED, "attention_dimension": units}}
        return found


def measure_files(files: Sequence[str], columns: Columns) -> CorpusSize:
    """Count the pairs of files, and estimate their tokens from their bytes.

    Raises what `read_pairs` raises, and DataError when there is no pair.
    """
    pairs = source = target = 0
    # A saved DatasetDict stands for its training pairs.
    files, _ = with_splits(files, {})
    with Progress(unit="pair", label="read") as shown:
        for pair in read_pairs(files, columns, listener=_Quiet()):
            pairs += 1
            source += len(pair.source.encode("utf-8", "replace"))
            target += len(pair.target.encode("utf-8", "replace"))
            shown.add(1)
    if not pairs:
        raise DataError(f"{', '.join(files)}: expected pairs, got none; give other files")
    return CorpusSize(pairs, *(pairs + round(size / _BYTES_PER_TOKEN) for size in (source, target)))


class _Quiet:
    """A listener that ignores rows which cannot be read: `longspan prepare` reports them."""

    def problem(self, problem: Problem) -> None:
        """Ignore a row."""

    def read_bytes(self, count: int) -> None:
        """Do nothing."""

    def finished(self, record: InputRecord) -> None:
        """Do nothing."""
