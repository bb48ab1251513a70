"""An environment of Python for one container, on top of this one.

A program in a container may install packages. Here they land in a folder of its job: the layer sees
all packages of this Python, and `pip` puts new ones in front of them, without changing any.
"""

import os
import site
import sys
from pathlib import Path

__all__ = ["create_layer"]

_PIP = """#!/bin/sh
exec "{python}" -m pip "$@"
"""


def create_layer(folder: Path) -> Path:
    """Create the environment, unless it exists; return the folder of its programs."""
    programs = folder / "bin"
    if programs.exists():
        return programs
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "lib" / version / "site-packages"
    packages.mkdir(parents=True)
    programs.mkdir()
    # The interpreter below all virtual environments, which is not in the documentation of `sys`.
    interpreter = Path(getattr(sys, "_base_executable", sys.executable))
    (folder / "pyvenv.cfg").write_text(f"home = {interpreter.parent}\n", encoding="utf-8")
    for name in ("python", "python3", version):
        (programs / name).symlink_to(interpreter)
    for name in ("pip", "pip3"):
        path = programs / name
        path.write_text(_PIP.format(python=programs / "python"), encoding="utf-8")
        path.chmod(0o755)
    # `addsitedir` also reads the .pth files there, such as those of editable installs.
    below = "".join(
        f"import site; site.addsitedir({found!r})\n"
        for found in site.getsitepackages()
        if os.path.isdir(found)  # noqa: PTH112 - a text, as `site` has it
    )
    (packages / "below.pth").write_text(below, encoding="utf-8")
    return programs
