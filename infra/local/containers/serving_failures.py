"""Why a model does not serve."""

__all__ = ["ServingClosed", "ServingFailure"]


class ServingFailure(Exception):
    """A model cannot be served; the text is what FailureReason shows."""


class ServingClosed(Exception):
    """The local cloud ends, or the model is no longer wanted, before it serves."""
