"""The Python packages of the image: installed beside it, lightened, sorted into layers."""

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
# Headers, static libraries and tests: what is for building on torch, not for running it. torchgen
# must stay: torch itself imports it.
_LEFT_OUT = (
    *("torch/include", "torch/test", "torch/testing/_internal/test_module", "torch/share"),
    *("pyarrow/include", "pyarrow/tests", "numpy/_core/include", "bin"),
)
_LEFT_OUT_SUFFIXES = (".a", ".pyi", ".pxd", ".pyx")
# What pip notes of where a wheel lay, and of who asked for it.
_NOTES = frozenset({"direct_url.json", "REQUESTED", "RECORD", "INSTALLER"})
# Of the core alone, without the tools and what talks to AWS.
_LOCK = Path("infra/image/requirements.lock")
_TOOLS = frozenset({"setuptools"})  # to build wheels with


@dataclass(frozen=True)
class _Pip:
    """pip, which builds wheels with what lies in `tools`, and takes nothing but what is named."""

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
        command += ["--no-build-isolation", "--use-pep517", *map(str, arguments)]
        search = os.pathsep.join([str(self.tools), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {**os.environ, "PYTHONPATH": search, "SOURCE_DATE_EPOCH": str(self.epoch)}
        # Its warnings on what stands elsewhere on the path do not concern a target folder.
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
            raise ImageError(
                f"pip {action}: {' '.join(lines)} (pip's own settings apply: for a CPU image "
                "they must lead to torch's CPU builds)"
            )


def install(recipe: Recipe, scratch: Path, target: Path) -> None:
    """Packages by the lock's hashes, torch by its version, longspan; compiled. Raises ImageError.

    Nothing is resolved: what torch's build for a GPU needs is in the lock, too.
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
    """Files and their places in the image, by layer."""
    owners = _owners(distributions(path=[str(target)]))
    found: dict[str, list[Entry]] = {name: [] for name in LAYERS}
    for path in sorted(target.rglob("*")):
        if path.is_file() and not _noted(path):
            inside = path.relative_to(target)
            layer = owners.get(inside.parts[0], "dependencies")
            found[layer].append((path, _PLACE / inside.as_posix()))
    return found


def _build_wheel(recipe: Recipe, pip: _Pip, scratch: Path) -> Path:
    """The project's wheel, from a copy: a build leaves things in its source folder."""
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
    """Bytecode that is neither checked against times nor dependent on the order of sets."""
    command = [sys.executable, "-m", "compileall", "-q", "-j", "0"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(target), "-p", str(_PLACE)]
    # A package may hold files for newer versions of Python; those stay as they are, so the exit
    # status says nothing.
    subprocess.run(
        [*command, str(target)],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        stdout=subprocess.DEVNULL,
        check=False,
    )


def _owners(installed: Iterable[Distribution]) -> Mapping[str, str]:
    """The layer of each top-level name that is not a dependency's."""
    return {name: layer for one in installed for layer in [_layer(one)] for name in _top_names(one)}


def _layer(distribution: Distribution) -> str:
    name = distribution.name.lower().replace("_", "-")
    if name == "longspan":
        return "longspan"
    return "torch" if name.startswith(WITH_TORCH) else "dependencies"


def _top_names(distribution: Distribution) -> Iterator[str]:
    for file in distribution.files or ():
        yield file.parts[0]
