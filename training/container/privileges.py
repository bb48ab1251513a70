"""The change from root to a plain user in a container that SageMaker starts as root.

Folders that SageMaker mounts below `/opt/ml` belong to root, and containers are expected to start
as root (https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html). An
image with another USER cannot write its model. So the image starts as root, gives the folders that
a job writes to a plain user, and becomes that user before it does anything else.
"""

import contextlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from longspan.training.container.paths import ContainerPaths
from longspan.training.errors import OptionError

__all__ = ["USER", "leave_root"]

# The environment variable for the plain user, as UID:GID, which the image sets.
USER = "LONGSPAN_USER"

# Rights of others than the owner to list a folder and to pass through it.
_LOOK_INTO = stat.S_IROTH | stat.S_IXOTH


def leave_root(paths: ContainerPaths, environment: Mapping[str, str]) -> None:
    """Become the user that `LONGSPAN_USER` names, if the process is root and the variable is set.

    If another user than root owns one of the folders, as with folders of a laptop that local mode
    mounts, the process becomes that user, who can then read and delete the output.
    Raises OptionError when the variable is not UID:GID.
    """
    wanted = environment.get(USER)
    if not wanted or os.geteuid() != 0:
        return
    user, group = _parse(wanted)
    mounted = [folder.stat() for folder in (paths.base, *paths.written) if folder.is_dir()]
    user, group = next(((m.st_uid, m.st_gid) for m in mounted if m.st_uid != 0), (user, group))
    for folder in paths.written:
        _hand_over(folder, user, group)
    for folder in _doors(paths.base):
        _open(folder, user, group)
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)


def _parse(text: str) -> tuple[int, int]:
    user, _, group = text.partition(":")
    if not (user.isdecimal() and group.isdecimal()) or int(user) == 0:
        raise OptionError(
            f"{USER}: expected UID:GID of a plain user, got {text}; give one such as 1000:1000"
        )
    return int(user), int(group)


def _doors(base: Path) -> Iterator[Path]:
    """Yield the folders of a job's inputs and their parents."""
    yield base
    for way in ("input", "input/config", "input/data", "processing", "processing/input"):
        if (base / way).is_dir():
            yield base / way
    for inputs in (base / "input/data", base / "processing/input"):
        if inputs.is_dir():
            yield from (path for path in inputs.iterdir() if path.is_dir())


def _open(folder: Path, user: int, group: int) -> None:
    """Take over a folder that only its owner can read, such as a temporary one of Python."""
    if folder.stat().st_mode & _LOOK_INTO != _LOOK_INTO:
        with contextlib.suppress(OSError):  # mounted read-only
            os.chown(folder, user, group)


def _hand_over(folder: Path, user: int, group: int) -> None:
    """Create a folder and give all of it to a user; of a link the link itself, not its target."""
    folder.mkdir(parents=True, exist_ok=True)
    os.chown(folder, user, group)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent, name), user, group, follow_symlinks=False)
