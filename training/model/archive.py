"""`model.tar.gz`: unpacked without trusting what it says.

SageMaker packs a job's `model/` folder into it. Whoever can write to the bucket can write any
archive, so nothing but plain files and folders below the target is taken from it.
"""

import contextlib
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from longspan.training.errors import ModelDirectoryError

__all__ = ["ARCHIVE", "extract", "find_model", "objection", "open_model", "unpack_model"]

ARCHIVE = "model.tar.gz"
_DESCRIPTION = "config.json"  # what a model directory holds, see `model_directory`

# More than any model of this kind, and less than what an archive of zeros can swell to.
_MOST_FILES = 10_000
_MOST_BYTES = 50 * 2**30


def find_model(folder: Path, scratch: Path) -> Path:
    """The model directory of a job's input: `model.tar.gz`, unpacked to `scratch`, or as it is.

    Raises ModelDirectoryError when the folder holds neither, or what `unpack_model` refuses.
    """
    archive = folder / ARCHIVE
    if archive.is_file():
        return unpack_model(archive, scratch)
    if (folder / _DESCRIPTION).is_file():
        return folder
    found = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    raise ModelDirectoryError(
        f"{folder}: expected {ARCHIVE} or a model directory, got "
        f"{', '.join(found[:10]) if found else 'nothing'}; name the training job's model artifact"
    )


@contextlib.contextmanager
def open_model(folder: Path) -> Iterator[Path]:
    """As `find_model`; an archive is unpacked to the temporary folder for as long as this lasts.

    A model directory is used where it is, with nothing written anywhere.
    Raises ModelDirectoryError, for an archive with no temporary folder to unpack it to as well.
    """
    with contextlib.ExitStack() as stack:
        scratch = folder
        if (folder / ARCHIVE).is_file():
            try:
                made = tempfile.TemporaryDirectory(prefix="longspan-")
            except OSError as error:
                raise ModelDirectoryError(
                    f"{folder / ARCHIVE}: expected a temporary folder to unpack it to, got: "
                    f"{error}; unpack it, or name a folder that may be written to with TMPDIR"
                ) from error
            scratch = Path(stack.enter_context(made))
        yield find_model(folder, scratch / "model")


def unpack_model(
    archive: Path, directory: Path, *, most_files: int = _MOST_FILES, most_bytes: int = _MOST_BYTES
) -> Path:
    """Unpack into `directory`, in place of what was there; the model directory in it.

    That is `directory`, or the one folder that the archive consists of.

    Raises ModelDirectoryError, and leaves nothing, for an archive that is damaged or too big, that
    holds links, devices or paths which lead outside, or that holds no model.
    """
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    try:
        _unpack(archive, directory, most_files, most_bytes)
        return _model_in(archive, directory)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        shutil.rmtree(directory, ignore_errors=True)
        raise ModelDirectoryError(
            f"{archive}: expected a whole {ARCHIVE}, got: {error}; copy it again, and see that "
            "the disk has room for it"
        ) from error
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise


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


def _unpack(archive: Path, directory: Path, most_files: int, most_bytes: int) -> None:
    files = size = 0
    with tarfile.open(archive, "r:*") as content:
        for member in content:
            if kind := objection(member):
                raise ModelDirectoryError(
                    f"{archive}: expected plain files and folders, got {kind}: {member.name}; "
                    "nothing of it was kept"
                )
            files += 1
            size += member.size
            if files > most_files or size > most_bytes:
                raise ModelDirectoryError(
                    f"{archive}: expected at most {most_files:,} files with {most_bytes:,} bytes "
                    "together, got more; is this a model of longspan?"
                )
            extract(content, member, directory)


def _model_in(archive: Path, directory: Path) -> Path:
    inside = [path for path in directory.iterdir() if path.is_dir()]
    for folder in (directory, *(inside if len(inside) == 1 else ())):
        if (folder / _DESCRIPTION).is_file():
            return folder
    found = sorted(path.name for path in directory.iterdir())
    raise ModelDirectoryError(
        f"{archive}: expected a model directory with {_DESCRIPTION}, got "
        f"{', '.join(found[:10]) if found else 'an empty archive'}; did training finish?"
    )
