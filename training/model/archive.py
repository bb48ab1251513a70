"""`model.tar.gz`, unpacked without trust in its content.

SageMaker packs the `model/` folder of a job into this archive. Anybody who can write to the bucket
can write any archive, so only plain files and folders below the target are unpacked. The filters
of `tarfile` would do the same, but Python 3.11 has them only since 3.11.4.
"""

import contextlib
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from longspan.training.errors import ModelDirectoryError
from longspan.training.model.config import TOKENIZER
from longspan.training.tokenizer.tokenizer import Tokenizer

__all__ = [
    "ARCHIVE",
    "extract",
    "find_model",
    "load_tokenizer",
    "objection",
    "open_model",
    "unpack_model",
]

ARCHIVE = "model.tar.gz"
_DESCRIPTION = "config.json"  # the file that tells a model directory, see `directory`

# Limits above any model of this kind, against small archives that unpack to fill a disk.
_MOST_FILES = 10_000
_MOST_BYTES = 50 * 2**30


def find_model(folder: Path, scratch: Path) -> Path:
    """Return the model directory in a job's input, after unpacking `model.tar.gz` to `scratch`.

    A folder that is a model directory itself is returned as it is. Raises ModelDirectoryError when
    the folder is neither, and for an archive that `unpack_model` refuses.
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
    """Yield the model directory that `find_model` finds, unpacked to a temporary folder if needed.

    `folder` may also be the path of a `model.tar.gz`. For a model directory nothing is written
    anywhere. Raises ModelDirectoryError as `find_model`
    does, and when no temporary folder can be made for an archive.
    """
    if folder.name == ARCHIVE and folder.is_file():
        folder = folder.parent
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


def load_tokenizer(place: Path) -> Tokenizer:
    """Return the tokenizer of a model directory, an archive of one, or a prepared folder.

    Raises ModelDirectoryError for anything else.
    """
    if (place / TOKENIZER).is_dir():
        return Tokenizer.load(place / TOKENIZER)
    with open_model(place) as folder:
        return Tokenizer.load(folder / TOKENIZER)


def unpack_model(
    archive: Path, directory: Path, *, most_files: int = _MOST_FILES, most_bytes: int = _MOST_BYTES
) -> Path:
    """Unpack an archive into `directory`, replacing its content, and return the model directory.

    The model directory is `directory` itself, or the single folder that the archive holds. Raises
    ModelDirectoryError and leaves nothing for an archive that is damaged, too big or without a
    model, and for one with links, devices or paths that lead outside.
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
    """Return what speaks against unpacking a member, in words; None for a plain file or folder."""
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        return "a path that leads outside"
    if member.issym() or member.islnk():
        return "a link"
    return None if member.isreg() or member.isdir() else "a device or pipe"


def extract(content: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Write a member without an `objection` below `folder`. Raises TarError and OSError."""
    place = folder / member.name
    source = content.extractfile(member)  # None for a folder
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
                    "pack the model directory again"
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
