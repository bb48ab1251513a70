"""Errors of deploying the stack."""

from longspan.training.errors import LongspanError

__all__ = ["StackError"]


class StackError(LongspanError):
    """The stack cannot be deployed, compared or destroyed; says what to do."""
