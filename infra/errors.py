"""Errors of the local cloud, the image and the stack; `local.control.api` has those of the API."""

from longspan.training.errors import LongspanError

__all__ = ["ImageError", "LocalCloudError", "StackError"]


class LocalCloudError(LongspanError):
    """The local cloud or one of its containers cannot start; the message says what to do."""


class ImageError(LongspanError):
    """The image cannot be built or pushed; the message says what to do."""


class StackError(LongspanError):
    """The stack cannot be deployed, compared or destroyed; the message says what to do."""
