"""An environment without the extra `cloud`, for a process and all that it starts."""

import os
from importlib.metadata import packages_distributions
from pathlib import Path

from longspan.infra.install.lock import Lock

__all__ = ["without_cloud"]

_ROOT = Path(__file__).parents[1]
# Python runs this file before anything else.
_BLOCK = """
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names}:
            return None
        return self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
"""


def without_cloud(folder: Path) -> dict[str, str]:
    """The variables of such an environment; `folder` gets what it needs.

    Only the packages of the image's lock are there: what the core asks for, with all that they
    ask for themselves.
    """
    pins = Lock.read(_ROOT / "infra" / "image" / "requirements.lock").pins
    core = {_canonical(pin.name) for pin in pins} | {"longspan"}
    blocked = sorted(
        module
        for module, owners in packages_distributions().items()
        if not core & {_canonical(owner) for owner in owners} and module.isidentifier()
    )
    assert {"boto3", "moto", "optuna", "sagemaker"} <= set(blocked)
    assert not {"torch", "numpy", "pydantic", "yaml", "longspan"} & set(blocked)
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_BLOCK.replace("{names}", repr(blocked)))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, "PYTHONPATH": os.pathsep.join([str(folder), *_inherited()])}


def _inherited() -> list[str]:
    return [path for path in [os.environ.get("PYTHONPATH")] if path]


def _canonical(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
