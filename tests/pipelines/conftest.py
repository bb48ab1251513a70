"""The local clouds of `tests/infra/local`, for commands that work on one."""

from tests.infra.local.conftest import cloud, launch, tiny_cloud

__all__ = ["cloud", "launch", "tiny_cloud"]
