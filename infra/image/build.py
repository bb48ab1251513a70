"""Build of the image: install packages, write layers, run docker."""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from longspan.infra.image.docker import Docker
from longspan.infra.image.host_base import host_python
from longspan.infra.image.layers import write_layer
from longspan.infra.image.packages import install, layers
from longspan.infra.image.recipe import HOST, Recipe

__all__ = ["Built", "build", "write_context"]

_HOST_TAG = "longspan-base:host"
# The image that `longspan run` uses in a local cloud.
_LOCAL_TAG = "longspan:local"
# Program that must succeed in a new image.
_CHECK = (
    "import longspan.pipelines.jobs.train, longspan.pipelines.jobs.prepare, "
    "longspan.pipelines.jobs.evaluate, longspan.inference.translation.translator, torch; "
    "print(torch.__version__)"
)


@dataclass(frozen=True)
class Built:
    """Built image: name, id, size in bytes, and digests of its layers."""

    tag: str
    id: str
    size: int
    torch: int  # bytes of torch's layer, included in `size`
    layers: tuple[str, ...]


def build(recipe: Recipe, docker: Docker, *, keep: Path | None = None) -> Built:
    """Build an image and test it; copy docker's build context to `keep`. Raises ImageError."""
    # Fails at once without a Docker engine, instead of after the packages are installed.
    docker.run("version", "--format", "{{.Server.Version}}")
    with tempfile.TemporaryDirectory(prefix="longspan-image-") as name:
        scratch = Path(name)
        context = scratch / "context"
        context.mkdir()
        write_context(recipe, scratch, context)
        torch = (context / "torch.tar").stat().st_size
        base = _host_base(scratch, docker) if recipe.base == HOST else recipe.base
        docker.run(*_build_arguments(recipe, base), str(context))
        if keep is not None:
            shutil.copytree(context, keep, dirs_exist_ok=True)
    docker.run(
        "run", "--rm", "--network", "none", "--entrypoint", "python", recipe.tag, "-c", _CHECK
    )
    if recipe.accelerator == "cpu":
        docker.run("tag", recipe.tag, _LOCAL_TAG)
    return _inspect(recipe, docker, torch)


def write_context(recipe: Recipe, scratch: Path, context: Path) -> None:
    """Write the Dockerfile and the layers: equal bytes for equal source and versions."""
    packages = scratch / "packages"
    install(recipe, scratch, packages)
    for name, entries in layers(packages).items():
        write_layer(context / f"{name}.tar", entries, recipe.epoch)
    shutil.rmtree(packages)  # free the space: they are as large as the layers
    shutil.copyfile(Path(__file__).with_name("Dockerfile"), context / "Dockerfile")


def _host_base(scratch: Path, docker: Docker) -> str:
    archive, written = scratch / "base.tar", scratch / "base"
    written.mkdir()
    write_layer(archive, host_python(written))
    docker.run("import", "-", _HOST_TAG, source=archive)
    return _HOST_TAG


def _build_arguments(recipe: Recipe, base: str) -> list[str]:
    values = {
        "BASE": base,
        "ACCELERATOR": recipe.accelerator,
        "VERSION": recipe.version,
        "REVISION": _revision(recipe.source),
    }
    pairs = [f"{name}={value}" for name, value in values.items()]
    return [
        "build",
        "--quiet",
        "--tag",
        recipe.tag,
        *(word for pair in pairs for word in ("--build-arg", pair)),
    ]


def _revision(source: Path) -> str:
    """Return the commit of the source; empty without git or outside of a clone."""
    command = ["git", "-C", str(source), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _inspect(recipe: Recipe, docker: Docker, torch: int) -> Built:
    words = "{{.Id}} {{.Size}} {{range .RootFS.Layers}}{{.}} {{end}}"
    id, size, *digests = docker.run("image", "inspect", "--format", words, recipe.tag).split()
    return Built(recipe.tag, id, int(size), torch, tuple(digests))
