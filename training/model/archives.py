"""Members of tar archives that anybody may have written: plain files and folders below a target.

Not by the filters of `tarfile`, which Python 3.11 has from 3.11.4 on alone.
"""

import shutil
import tarfile
from pathlib import Path, PurePosixPath

__all__ = ["extract", "objection"]


def objection(member: tarfile.TarInfo) -> str | None:
    """What is wrong with it, in words: it is neither file nor folder, or leads outside."""
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        return "a path that leads outside"
    if member.issym() or member.islnk():
        return "a link"
    return None if member.isreg() or member.isdir() else "a device or pipe"


def extract(content: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Write one, to which there is no `objection`, below `folder`. Raises TarError, OSError."""
    place = folder / member.name
    source = content.extractfile(member)  # None of a folder
    if source is None:
        place.mkdir(parents=True, exist_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with source, place.open("wb") as file:
        shutil.copyfileobj(source, file)
    place.chmod(0o644 | member.mode & 0o111)
