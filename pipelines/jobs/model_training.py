"""One training run, put together: prepared text, ranks, a device, the search that validates.

`longspan train` and the container's job `train` share it. torch is imported when a run starts, so
that a wrong option is refused at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from longspan.training.hyperparameters import Hyperparameters

if TYPE_CHECKING:
    from longspan.training.loop.training_log import TrainingLog

__all__ = ["ModelTraining", "check_precision"]


@dataclass(frozen=True)
class ModelTraining:
    """Inputs, outputs and settings of a training run.

    `fresh` deletes the checkpoints of an earlier run first. With `keep_best` a run that a signal
    stops still writes the best model so far. `recipe` chooses hyperparameters that were not given,
    by the size of the corpus; without it they have the defaults of the built-in algorithm.
    `start` is a model that the run continues from: a model directory, or a `model.tar.gz`.
    """

    prepared: Path
    model: Path
    checkpoints: Path
    hyperparameters: Hyperparameters
    fresh: bool = False
    keep_best: bool = False
    recipe: bool = True
    start: Path | None = None

    def train(self, environment: Mapping[str, str]) -> "TrainingLog":
        """Train or resume, as the rank and in the world that `environment` names.

        Returns the log of this rank. Raises what `train_model` raises.
        """
        from longspan.inference.search.search import GreedySearch
        from longspan.inference.translation.calibration import calibrate
        from longspan.training.corpus.prepared import Prepared
        from longspan.training.loop.checkpoint import CheckpointStore
        from longspan.training.loop.distributed import World
        from longspan.training.loop.run import (
            TrainingOutput,
            TrainingSearch,
            device_of_rank,
            train_model,
        )
        from longspan.training.loop.setup import TrainingEnvironment
        from longspan.training.loop.starting_model import StartingModel
        from longspan.training.loop.training_log import TrainingLog
        from longspan.training.recipe import CorpusSize, Device, recommend

        world = World.from_environment(environment)
        log = TrainingLog() if world.is_first else TrainingLog.silent()
        prepared = Prepared.open(self.prepared)
        hyperparameters = self.hyperparameters
        start = StartingModel.load(self.start) if self.start is not None else None
        if start is not None:
            start.check_tokenizer(prepared.tokenizer, self.prepared)
            hyperparameters = start.settings(hyperparameters)
        # The first rank alone reads and writes checkpoints.
        if self.fresh and world.is_first:
            CheckpointStore(self.checkpoints, warn=log.note).clear()
        device = device_of_rank(world)
        if self.recipe:
            kind: Device = "cpu" if device.type == "cpu" else "gpu"
            recipe = recommend(CorpusSize.of(prepared.train), kind, hyperparameters)
            hyperparameters = recipe.hyperparameters
            for line in recipe.lines:
                log.note(line)
        train_model(
            prepared,
            hyperparameters,
            TrainingOutput(self.model, self.checkpoints, self.keep_best),
            TrainingSearch(GreedySearch.of(prepared), calibrate),
            TrainingEnvironment(world, device, log),
            start,
        )
        return log


def check_precision(hyperparameters: Hyperparameters) -> None:
    """Raise HyperparameterError for precision=bf16 where this machine has none.

    Call this before work that a refusal would waste: converting data, deleting checkpoints.
    """
    if hyperparameters.precision != "bf16":
        return  # no other precision can be refused, so torch need not be loaded yet
    from longspan.training.loop.distributed import World
    from longspan.training.loop.precision import compute_type
    from longspan.training.loop.run import device_of_rank

    compute_type("bf16", device_of_rank(World()))
