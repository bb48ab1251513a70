"""The local cloud of `tests/infra/local`, for clients that work on one."""

from tests.infra.local.conftest import cloud

__all__ = ["cloud"]
