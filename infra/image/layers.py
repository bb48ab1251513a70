"""Layers of the image as reproducible archives: equal files give equal bytes.

Order, owner, modes and times are fixed, see https://reproducible-builds.org/docs/archives/.
"""

import tarfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

__all__ = ["EPOCH", "Entry", "write_layer"]

# 1980-01-01, the earliest time in a wheel. It is equal for all versions of the project, so that an
# unchanged layer is not stored or sent again.
EPOCH = 315_532_800

# A file, link or empty folder on this machine, and its place in the image.
Entry = tuple[Path, PurePosixPath]


def write_layer(target: Path, entries: Iterable[Entry], epoch: int = EPOCH) -> None:
    """Write files and links with their parent folders, owned by root and readable by all."""
    placed = {place: path for path, place in entries}
    folders = {parent for place in placed for parent in place.parents} - {PurePosixPath("/")}
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        for place in sorted({*folders, *placed}):
            name = str(place).lstrip("/")
            if place in placed:
                _add(archive, name, placed[place], epoch)
            else:
                archive.addfile(_entry(name, tarfile.DIRTYPE, 0o755, epoch))


def _add(archive: tarfile.TarFile, name: str, path: Path, epoch: int) -> None:
    if path.is_symlink():
        link = _entry(name, tarfile.SYMTYPE, 0o777, epoch)
        link.linkname = str(path.readlink())
        archive.addfile(link)
        return
    status = path.stat()
    if path.is_dir():
        archive.addfile(_entry(name, tarfile.DIRTYPE, status.st_mode & 0o7777, epoch))
        return
    entry = _entry(name, tarfile.REGTYPE, 0o755 if status.st_mode & 0o100 else 0o644, epoch)
    entry.size = status.st_size
    with path.open("rb") as file:
        archive.addfile(entry, file)


def _entry(name: str, kind: bytes, mode: int, epoch: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.mtime = kind, mode, epoch
    return entry
