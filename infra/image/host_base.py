"""A base image made of this machine's own Python, for machines that reach no image registry.

The base has the interpreter, its standard library, and the shared libraries that it and common
wheels load. This is not a distribution, but it runs the project's image in tests and CI. Releases
use a maintained base image.
"""

import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from subprocess import run

from longspan.infra.errors import ImageError
from longspan.infra.image.layers import Entry

__all__ = ["host_python"]

_HOME = PurePosixPath("/usr/local")
# Parts of the standard library that no job needs: tests, tkinter, bundled packages.
_LEFT_OUT = frozenset(
    {"test", "tests", "idlelib", "idle_test", "tkinter", "turtledemo", "ensurepip", "lib2to3"}
    | {"site-packages", "__pycache__", "pydoc_data"}
)
_LEFT_OUT_MODULES = ("_tkinter.", "_test", "xxlimited", "_xxtestfuzz.", "_ctypes_test.")
# Libraries that are loaded by name at run time, by the C library and by wheels.
_LIBRARIES = (
    *("libnss_files.so.2", "libnss_dns.so.2", "libstdc++.so.6", "libgcc_s.so.1"),
    *("libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1", "libgomp.so.1"),
)


def host_python(scratch: Path) -> Iterator[Entry]:
    """Yield the files of the base with their places; new files are written to `scratch`.

    Raises ImageError when shared libraries cannot be found.
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    interpreter = Path(sys.base_prefix, "bin", version).resolve()
    library = Path(sysconfig.get_paths(vars={"base": sys.base_prefix})["stdlib"])
    yield interpreter, _HOME / "bin" / version
    for name in ("python", "python3"):
        yield _link(scratch / name, version), _HOME / "bin" / name
    modules = [path for path in library.rglob("*") if path.is_file() and _wanted(path, library)]
    for path in modules:
        yield path, _HOME / "lib" / version / path.relative_to(library).as_posix()
    shell = Path("/bin/sh").resolve()
    yield shell, PurePosixPath("/usr/bin/sh")
    binaries = [interpreter, shell, *(path for path in modules if path.suffix == ".so")]
    yield from _shared_libraries(binaries)
    yield from _folders(scratch)


def _wanted(path: Path, library: Path) -> bool:
    parts = path.relative_to(library).parts
    left_out = _LEFT_OUT.intersection(parts) or parts[0].startswith("config-")
    return not left_out and not path.name.startswith(_LEFT_OUT_MODULES)


def _shared_libraries(binaries: Sequence[Path]) -> Iterator[Entry]:
    """Yield the shared libraries of binaries, at the places where the linker looks first."""
    found: dict[str, Path] = {}
    for path in binaries:
        for line in run(["ldd", str(path)], capture_output=True, text=True).stdout.splitlines():
            name, arrow, place = line.strip().partition(" => ")
            if arrow and place.startswith("/"):
                found[name] = Path(place.split(" (")[0])
            elif name.startswith("/"):  # the linker itself, by its full name
                linker = Path(name.split(" (")[0])
                yield linker.resolve(), PurePosixPath("/usr", *linker.parts[1:])
    if "libc.so.6" not in found:
        raise ImageError(
            "--base host: expected a Linux with glibc, got another system; give an image by --base"
        )
    folder = found["libc.so.6"].parent
    for library in _LIBRARIES:
        for at in (folder / library, Path("/usr", *folder.parts[1:]) / library):
            if at.exists():
                found.setdefault(library, at)
    for name, path in found.items():
        yield path.resolve(), PurePosixPath("/usr", *folder.parts[1:]) / name


def _folders(scratch: Path) -> Iterator[Entry]:
    """Yield links for a merged /usr, the folder /tmp, and files for users and host names."""
    for name in ("bin", "sbin", "lib", "lib64"):
        yield _link(scratch / f"root-{name}", f"usr/{name}"), PurePosixPath("/", name)
    yield _link(scratch / "root-usr-sbin", "bin"), PurePosixPath("/usr/sbin")
    temporary = scratch / "root-tmp"
    temporary.mkdir()
    temporary.chmod(0o1777)
    yield temporary, PurePosixPath("/tmp")
    texts = {
        "passwd": "root:x:0:0:root:/root:/bin/sh\nlongspan:x:1000:1000::/tmp:/bin/sh\n",
        "group": "root:x:0:\nlongspan:x:1000:\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    }
    for name, text in texts.items():
        path = scratch / f"etc-{name}"
        path.write_text(text, encoding="utf-8")
        yield path, PurePosixPath("/etc", name)


def _link(path: Path, target: str) -> Path:
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    return path
