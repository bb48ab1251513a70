"""Errors of the local cloud itself, as opposed to those that it answers to clients."""

from longspan.training.errors import LongspanError

__all__ = ["ImageError", "LocalCloudError", "StackError"]


class LocalCloudError(LongspanError):
    """The local cloud cannot start, or cannot start a container; says what to do."""


class ImageError(LongspanError):
    """The image cannot be built or pushed; says what to do."""


class StackError(LongspanError):
    """The stack cannot be deployed, compared or destroyed; says what to do."""
