"""The local clouds of `tests/infra/local`, for commands that work on one."""

from tests.infra.local.conftest import cloud, launch, launch_module, tiny_cloud

__all__ = ["cloud", "launch", "launch_module", "tiny_cloud"]
