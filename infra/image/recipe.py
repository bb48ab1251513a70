"""Recipe of an image: its source, base, versions and time."""

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from longspan.infra.errors import ImageError
from longspan.infra.image.layers import EPOCH

__all__ = ["ACCELERATORS", "HOST", "Accelerator", "Recipe"]

Accelerator = Literal["cpu", "gpu"]
ACCELERATORS: tuple[Accelerator, ...] = ("cpu", "gpu")

# Value of --base for a base made of this machine's own Python.
HOST = "host"

# One patch release for each supported version of Python. A GPU needs no other base: torch's wheels
# bring CUDA, and the machine has the driver.
_BASES = {
    (3, 11): "python:3.11.14-slim-bookworm",
    (3, 12): "python:3.12.12-slim-bookworm",
    (3, 13): "python:3.13.9-slim-bookworm",
}


@dataclass(frozen=True)
class Recipe:
    """Recipe: `source` is a checkout of the project, `base` an image with this Python version."""

    source: Path
    accelerator: Accelerator
    base: str
    tag: str
    version: str
    torch: str  # requirement for pip
    epoch: int  # time of all files, seconds since 1970

    @classmethod
    def of(
        cls,
        source: Path,
        accelerator: Accelerator,
        base: str | None,
        tag: str | None,
        environment: Mapping[str, str] = os.environ,
    ) -> "Recipe":
        """Return a recipe, with defaults from the checkout. Raises ImageError."""
        project = _project(source)
        version = project["version"]
        epoch = environment.get("SOURCE_DATE_EPOCH") or str(EPOCH)
        if not epoch.isdecimal():
            raise ImageError(f"SOURCE_DATE_EPOCH: expected seconds since 1970, got {epoch}")
        return cls(
            source=source,
            accelerator=accelerator,
            base=base or _BASES[(sys.version_info[0], sys.version_info[1])],
            tag=tag or f"longspan:{version}-{accelerator}",
            version=version,
            torch=_torch(project["dependencies"], accelerator),
            epoch=int(epoch),
        )


def _project(source: Path) -> dict[str, Any]:
    try:
        text = (source / "pyproject.toml").read_text(encoding="utf-8")
    except OSError:
        raise ImageError(
            f"{source}: expected a checkout of the project, got a folder without pyproject.toml: "
            "give a checkout by --source"
        ) from None
    return tomllib.loads(text)["project"]


def _torch(dependencies: list[str], accelerator: Accelerator) -> str:
    """Return the requirement for torch: `+cpu` for the CPU build, exact for the CUDA build."""
    [pinned] = [found for found in dependencies if found.startswith("torch==")]
    version = pinned.removeprefix("torch==")
    # `===` compares the texts; `==` would also accept the version with +cpu.
    return f"torch=={version}+cpu" if accelerator == "cpu" else f"torch==={version}"
