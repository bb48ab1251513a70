"""Errors of the local cloud itself, as opposed to those that it answers to clients."""

from longspan.training.errors import LongspanError

__all__ = ["LocalCloudError"]


class LocalCloudError(LongspanError):
    """The local cloud cannot start, or cannot start a container; says what to do."""
