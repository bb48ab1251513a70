"""Python packages of the image: installed into a folder, reduced, and assigned to layers."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePosixPath

from longspan.infra.errors import ImageError
from longspan.infra.image.layers import Entry
from longspan.infra.image.recipe import Recipe
from longspan.infra.install.lock import WITH_TORCH, Lock

__all__ = ["LAYERS", "install", "layers"]

LAYERS = ("torch", "dependencies", "longspan")

_PLACE = PurePosixPath("/opt/longspan/lib")
_SOURCES = ("training", "inference", "pipelines", "infra")
_FILES = ("pyproject.toml", "README.md", "LICENSE")
# Headers, static libraries and tests, which jobs do not need. torchgen must stay: torch imports it.
_LEFT_OUT = (
    *("torch/include", "torch/test", "torch/testing/_internal/test_module", "torch/share"),
    *("pyarrow/include", "pyarrow/tests", "numpy/_core/include", "bin"),
)
_LEFT_OUT_SUFFIXES = (".a", ".pyi", ".pxd", ".pyx")
# Files by pip about the origin of a wheel, which differ between builds.
_NOTES = frozenset({"direct_url.json", "REQUESTED", "RECORD", "INSTALLER"})
# Lock of the core dependencies, without tools and AWS clients.
_LOCK = Path("infra/image/requirements.lock")
_TOOLS = frozenset({"setuptools"})  # which build wheels


@dataclass(frozen=True)
class _Pip:
    """pip without dependency resolution; it builds wheels with the packages in `tools`."""

    tools: Path
    epoch: int

    def install(self, target: Path, *requirements: str | Path) -> None:
        """Install into a folder."""
        self._run("install", "--no-compile", "--target", target, *requirements)

    def wheel(self, folder: Path, source: Path) -> None:
        """Build a wheel in a folder."""
        self._run("wheel", "--wheel-dir", folder, source)

    def _run(self, action: str, *arguments: str | Path) -> None:
        command = [sys.executable, "-m", "pip", "--quiet", action, "--no-deps"]
        # Without isolation, so that wheels are built with the locked packages in `tools`.
        command += ["--no-build-isolation", "--use-pep517", *map(str, arguments)]
        search = os.pathsep.join([str(self.tools), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {**os.environ, "PYTHONPATH": search, "SOURCE_DATE_EPOCH": str(self.epoch)}
        # Capture warnings about packages elsewhere on the path: they do not matter here.
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
            raise ImageError(
                f"pip {action}: {' '.join(lines)} (a CPU image needs an index with torch's CPU "
                "builds in pip's settings)"
            )


def install(recipe: Recipe, scratch: Path, target: Path) -> None:
    """Install packages by the lock's hashes, torch by its version, and longspan; compile all.

    Dependencies are not resolved: the lock also has those of torch's GPU build. Raises ImageError.
    """
    lock = Lock.read(recipe.source / _LOCK)
    packages = lock.without_torch().pins + (lock.cuda().pins if recipe.accelerator == "gpu" else ())
    pip = _Pip(scratch / "tools", recipe.epoch)
    pip.install(pip.tools, "-r", lock.only(_TOOLS).write_hashed(scratch / "tools.txt"))
    pip.install(target, "-r", Lock(packages).write_hashed(scratch / "packages.txt"))
    pip.install(target, recipe.torch)
    pip.install(target, _build_wheel(recipe, pip, scratch))
    for name in _LEFT_OUT:
        shutil.rmtree(target / name, ignore_errors=True)
    for path in [path for path in target.rglob("*") if path.name.endswith(_LEFT_OUT_SUFFIXES)]:
        path.unlink()
    _compile(target)


def layers(target: Path) -> dict[str, list[Entry]]:
    """Return files and their places in the image, by layer."""
    owners = _owners(distributions(path=[str(target)]))
    found: dict[str, list[Entry]] = {name: [] for name in LAYERS}
    for path in sorted(target.rglob("*")):
        if path.is_file() and not _noted(path):
            inside = path.relative_to(target)
            layer = owners.get(inside.parts[0], "dependencies")
            found[layer].append((path, _PLACE / inside.as_posix()))
    return found


def _build_wheel(recipe: Recipe, pip: _Pip, scratch: Path) -> Path:
    """Build the project's wheel from a copy, because a build writes into its source folder."""
    copy = scratch / "source"
    copy.mkdir()
    for name in _FILES:
        shutil.copy2(recipe.source / name, copy / name)
    for name in _SOURCES:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(recipe.source / name, copy / name, ignore=ignore)
    pip.wheel(scratch, copy)
    [wheel] = scratch.glob("longspan-*.whl")
    return wheel


def _noted(path: Path) -> bool:
    return path.name in _NOTES and path.parent.name.endswith(".dist-info")


def _compile(target: Path) -> None:
    """Compile to reproducible bytecode, which is not checked against times."""
    command = [sys.executable, "-m", "compileall", "-q", "-j", "0"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(target), "-p", str(_PLACE)]
    # Ignore the exit status: packages contain files for newer versions of Python, which fail.
    subprocess.run(
        [*command, str(target)],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        stdout=subprocess.DEVNULL,
        check=False,
    )


def _owners(installed: Iterable[Distribution]) -> Mapping[str, str]:
    """Return the layer of each top-level name of the installed packages."""
    return {name: layer for one in installed for layer in [_layer(one)] for name in _top_names(one)}


def _layer(distribution: Distribution) -> str:
    name = distribution.name.lower().replace("_", "-")
    if name == "longspan":
        return "longspan"
    return "torch" if name.startswith(WITH_TORCH) else "dependencies"


def _top_names(distribution: Distribution) -> Iterator[str]:
    for file in distribution.files or ():
        yield file.parts[0]
