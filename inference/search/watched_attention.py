"""The attention of a step, where a search has a use for it."""

from torch import Tensor

from longspan.inference.search.settings import SearchSettings
from longspan.training.errors import HyperparameterError

__all__ = ["read_attention"]


def read_attention(
    weights: Tensor | None, settings: SearchSettings, beam: int, *, is_first: bool
) -> Tensor | None:
    """weights (running x beam, heads, source) -> their mean over heads, (running, beam, source),
    or None where nothing needs it.

    Raises HyperparameterError if a coverage penalty is asked of a model without attention, which
    the first step shows.
    """
    wanted = settings.coverage_penalty > 0
    if wanted and is_first and (weights is None or not bool(weights.any())):
        raise HyperparameterError(
            f"coverage_penalty={settings.coverage_penalty}: needs attention weights, and "
            "this model has no attention; set coverage_penalty=0"
        )
    if weights is None or not (wanted or settings.with_alignment):
        return None
    return weights.mean(dim=1).unflatten(0, (-1, beam))
