"""The model that a run continues from, for example on text of another domain.

The new run has the weights, the architecture and the tokenizer of that model. Everything else, such
as the optimiser's state, the schedule and the search's defaults, begins anew.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longspan.training.errors import DataError, HyperparameterError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.updater import load_weights, model_weights
from longspan.training.model.archive import open_model
from longspan.training.model.directory import LoadedModel, load_model
from longspan.training.model.model import Model
from longspan.training.tokenizer.tokenizer import Tokenizer

__all__ = ["StartingModel"]

# Hyperparameters that decide which weights there are and what they mean.
_ARCHITECTURE = (
    "architecture", "rnn_cell_type", "num_layers_encoder", "num_layers_decoder", "rnn_num_hidden",
    "num_embed_source", "num_embed_target", "rnn_residual_connections", "rnn_first_residual_layer",
    "rnn_decoder_state_init", "input_feeding", "transformer_num_hidden", "transformer_feed_forward",
    "transformer_heads", "transformer_positions", "transformer_window", "tie_embeddings",
    "attention_type", "attention_heads", "attention_dimension", "attention_location",
    "coverage_mechanism", "coverage_dimension",
)  # fmt: skip
# Other values of a hyperparameter that have the same weights.
_ALIKE = {"coverage_mechanism": {"none", "loss"}}


@dataclass(frozen=True)
class StartingModel:
    """A trained model, on the CPU, and where it was read from."""

    place: Path
    loaded: LoadedModel

    @classmethod
    def load(cls, place: Path) -> "StartingModel":
        """Read a model directory, a `model.tar.gz`, or a folder with such a file.

        Raises ModelDirectoryError for anything else.
        """
        with open_model(place) as folder:
            return cls(place, load_model(folder))

    @property
    def weights_sha256(self) -> str:
        """SHA-256 of the weights, which tells this model from others."""
        return self.loaded.config.weights_sha256

    @property
    def details(self) -> dict[str, Any]:
        """JSON values for the `details` of the new model."""
        updates = self.loaded.config.outcome.updates
        return {"continued_from": {"weights_sha256": self.weights_sha256, "updates": updates}}

    def settings(self, given: Hyperparameters) -> Hyperparameters:
        """Return `given` with this model's architecture.

        Raises HyperparameterError naming each value of the architecture that was set otherwise.
        """
        own = self.loaded.hyperparameters
        values = {name: getattr(given, name) for name in given.model_fields_set}
        wrong = [
            name
            for name in _ARCHITECTURE
            if name in values and not _fits(name, values[name], getattr(own, name))
        ]
        if wrong:
            got = ", ".join(f"{name}={_shown(values[name])}" for name in wrong)
            expected = ", ".join(f"{name}={_shown(getattr(own, name))}" for name in wrong)
            raise HyperparameterError(
                f"{got}: expected the architecture of {self.place}, which has {expected}; leave "
                "these out, or train a new model"
            )
        return Hyperparameters(**{name: getattr(own, name) for name in _ARCHITECTURE} | values)

    def check_tokenizer(self, tokenizer: Tokenizer, prepared: Path) -> None:
        """Raise DataError where the text was prepared with another tokenizer than this model's."""
        own = self.loaded.tokenizer
        if own.fingerprint == tokenizer.fingerprint:
            return
        raise DataError(
            f"{prepared}: expected ids of the tokenizer of {self.place} ({_sizes(own)}), got those "
            f"of another one ({_sizes(tokenizer)}); prepare the pairs with --tokenizer-from "
            f"{self.place}"
        )

    def copy_to(self, model: Model) -> None:
        """Set the weights of a new model of the same architecture."""
        load_weights(model, model_weights(self.loaded.model))


def _fits(name: str, value: Any, own: Any) -> bool:
    return bool(value == own) or {value, own} <= _ALIKE.get(name, set())


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _sizes(tokenizer: Tokenizer) -> str:
    return (
        f"{len(tokenizer.source):,} and {len(tokenizer.target):,} tokens, fingerprint "
        f"{tokenizer.fingerprint[:12]}"
    )
