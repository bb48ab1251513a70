"""Errors of building and pushing the image."""

from longspan.training.errors import LongspanError

__all__ = ["ImageError"]


class ImageError(LongspanError):
    """The image cannot be built or pushed; says what to do."""
