"""The state of the local cloud: JSON documents by kind, region and name.

With a directory, every change is on disk before a reader sees it, so that an answered request
survives a crash. Only work in the background, which nobody can refuse, goes on when the disk is
full: its changes are visible at once, and saved as soon as possible. Readers get copies: only this
module changes a document.
"""

import contextlib
import copy
import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, unquote

from pydantic import Field

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.control.api import Document
from longspan.training.files import write_atomically
from longspan.training.mistakes import shown_value
from longspan.training.values import JsonDocument, parse_json

__all__ = ["Documents", "Exists", "Key", "Missing", "load_json", "save_json"]

_PAUSE = 1.0  # seconds between two attempts to save


@dataclass(frozen=True, order=True)
class Key:
    """Key of a document: a kind such as `training-job`, a region, and a name or id."""

    kind: str
    region: str
    name: str


class Missing(KeyError):
    """No document has this key."""


class Exists(KeyError):
    """A document has this key already."""


class _Created(JsonDocument):
    """The time of creation of a document, in seconds; a document may have none."""

    at: float = Field(0.0, alias="CreationTime")


class Documents:
    """Thread-safe store of documents; waits for changes without polling."""

    def __init__(self, directory: Path | None = None, *, persist: bool = True) -> None:
        """Read the documents in `directory`.

        Without a directory, or with `persist` false, changes stay in memory. Raises
        LocalCloudError for a file that is not a document.
        """
        self._source = directory
        self._directory = directory if persist else None
        self._documents: dict[Key, Document] = {}
        self._unsaved: set[Key] = set()
        self._thread = threading.local()  # `patient`: whether its changes may be saved later
        self._retrying: threading.Thread | None = None
        self._closing = threading.Event()
        # One condition for all documents: conditions of `wait` may read other documents.
        self._changed = threading.Condition(threading.RLock())
        if directory is not None:
            self._documents.update(_read(directory))

    def create(
        self,
        key: Key,
        document: Document,
        parts: Mapping[Key, Document] = MappingProxyType({}),
    ) -> None:
        """Add a document, with `parts` such as the first version of a pipeline. Raises Exists.

        All of them exist afterwards, or after an error, such as a full disk, none.
        """
        with self._changed:
            if key in self._documents:
                raise Exists(key)
            # The document is last: after a crash it has its parts. Parts without it are replaced.
            try:
                for each, content in {**parts, key: document}.items():
                    self._put(each, copy.deepcopy(content))
            except BaseException:
                for each in parts:
                    self._discard(each)
                raise

    def put(self, key: Key, document: Document) -> None:
        """Add or replace a document."""
        with self._changed:
            self._put(key, copy.deepcopy(document))

    def get(self, key: Key) -> Document:
        """Return a copy of a document. Raises Missing."""
        with self._changed:
            return copy.deepcopy(self._find(key))

    def find(self, key: Key) -> Document | None:
        """Return a copy of a document, or None."""
        with self._changed:
            document = self._documents.get(key)
            return copy.deepcopy(document)

    def change(self, key: Key, **members: Any) -> Document:
        """Set members; return a copy of the result. Raises Missing."""
        return self.edit(key, lambda document: document.update(members))

    def edit(self, key: Key, edit: Callable[[Document], object]) -> Document:
        """Apply `edit` to a document atomically; return a copy of the result.

        An exception of `edit` leaves the document unchanged. Raises Missing.
        """
        with self._changed:
            document = copy.deepcopy(self._find(key))
            edit(document)
            self._put(key, document)
            return copy.deepcopy(document)

    def delete(self, key: Key) -> Document:
        """Delete a document; return its last state. Raises Missing."""
        with self._changed:
            document = self._find(key)
            self._discard(key)
            self._changed.notify_all()
            return document

    def of(self, kind: str, region: str | None = None) -> list[tuple[Key, Document]]:
        """Return copies of all documents of a kind, in the order of their creation."""
        with self._changed:
            return [
                (key, copy.deepcopy(document))
                for key, document in self._documents.items()
                if key.kind == kind and region in (None, key.region)
            ]

    def texts(self, kind: str, member: str) -> list[tuple[Key, str]]:
        """Return one text member, such as the status, of all documents of a kind.

        Raises LocalCloudError for a document without the member: its file was damaged.
        """
        return [(key, self._text(key, document, member)) for key, document in self.of(kind)]

    def wait(
        self, key: Key, until: Callable[[Document], bool], timeout: float | None = None
    ) -> Document:
        """Wait until a document meets a condition, for `timeout` seconds at most.

        Returns a copy of its state then. Raises Missing, also when the document is deleted.
        """
        with self._changed:
            # `until` sees every change, so it gets the document without a copy, and must not edit
            # it.
            self._changed.wait_for(lambda: until(self._find(key)), timeout)
            return copy.deepcopy(self._find(key))

    def wake(self) -> None:
        """Let every `wait` look at its condition again, though no document changed."""
        with self._changed:
            self._changed.notify_all()

    @contextlib.contextmanager
    def patient(self) -> Iterator[None]:
        """Save changes of this thread inside the block later, if the disk does not take them."""
        self._thread.patient = True
        try:
            yield
        finally:
            self._thread.patient = False

    def close(self) -> None:
        """Save what the disk did not take before. Raises LocalCloudError if it still does not."""
        self._closing.set()
        if self._retrying is not None:
            self._retrying.join()
        with self._changed:
            reason = self._save_rest()
            if self._unsaved:
                names = ", ".join(f"{key.kind} {key.name}" for key in sorted(self._unsaved))
                raise LocalCloudError(
                    f"{self._directory}: the last changes are lost, {reason}: {names}"
                )

    def _find(self, key: Key) -> Document:
        try:
            return self._documents[key]
        except KeyError:
            raise Missing(key) from None

    def _text(self, key: Key, document: Document, member: str) -> str:
        text = document.get(member)
        if isinstance(text, str):
            return text
        mistake = (
            f"expected a text, got {shown_value(text)}" if member in document else "is missing"
        )
        raise _damaged(_path(self._source or Path(), key), f"{member}: {mistake}")

    def _put(self, key: Key, document: Document) -> None:
        self._save(key, document)  # on disk first: readers only see what survives a crash
        self._documents[key] = document
        self._changed.notify_all()

    def _discard(self, key: Key) -> None:
        """Delete a document, if it exists."""
        self._save(key, None)
        self._documents.pop(key, None)

    def _save(self, key: Key, document: Document | None) -> None:
        """Write a document, or delete its file. Raises OSError, unless this thread is patient."""
        try:
            self._write(key, document)
        except OSError as error:
            if not getattr(self._thread, "patient", False):
                raise
            self._unsaved.add(key)
            self._retry(error)

    def _write(self, key: Key, document: Document | None) -> None:
        if self._directory is None:
            return
        path = _path(self._directory, key)
        if document is None:
            path.unlink(missing_ok=True)
        else:
            save_json(path, document)
        self._unsaved.discard(key)

    def _retry(self, error: OSError) -> None:
        """Start a thread that saves the rest, if none runs."""
        if self._retrying is not None:
            return
        logging.getLogger(__name__).error(
            "%s: changes cannot be saved, and are tried again: %s", self._directory, error.strerror
        )
        self._retrying = threading.Thread(target=self._run, name="documents", daemon=True)
        self._retrying.start()

    def _run(self) -> None:
        while not self._closing.wait(_PAUSE):
            with self._changed:
                self._save_rest()
                if not self._unsaved:
                    self._retrying = None
                    return

    def _save_rest(self) -> str:
        """Try to save all that is not saved; return the reason of the last failure."""
        reason = ""
        for key in list(self._unsaved):
            try:
                self._write(key, self._documents.get(key))
            except OSError as error:
                reason = error.strerror or str(error)
        return reason


_LONGEST = 240  # characters of a file's name: 255 with the suffix and that of a scratch file
_FOLDER = "+"  # ends the name of a folder; a quoted name does not contain it


def _path(directory: Path, key: Key) -> Path:
    """Return the file of a document. A long name continues in a folder: `first 240+/rest.json`."""
    # Names may contain a slash, such as `group/3` of a model package.
    name = quote(key.name, safe="")
    *folders, file = [name[i : i + _LONGEST] for i in range(0, len(name), _LONGEST)] or [""]
    place = directory.joinpath(key.kind, key.region, *(f"{part}{_FOLDER}" for part in folders))
    return place / f"{file}.json"


def _key(directory: Path, path: Path) -> Key:
    """Return the key of a document by its file."""
    kind, region, *folders, file = path.relative_to(directory).parts
    parts = [*(part.removesuffix(_FOLDER) for part in folders), file.removesuffix(".json")]
    return Key(kind, region, unquote("".join(parts)))


def _read(directory: Path) -> Iterator[tuple[Key, Document]]:
    """Yield the stored documents in the order of CreationTime."""
    found = []
    for path in sorted(directory.glob("*/*/**/*.json")):
        content = load_json(path)
        if content is not None:  # else it was deleted in the meantime
            created, document = _checked(path, content)
            found.append((created, _key(directory, path), document))
    # The files are sorted by name; lists show documents in the order of their creation.
    found.sort(key=lambda item: item[0])
    yield from ((key, document) for _, key, document in found)


def _damaged(path: Path, mistake: str) -> LocalCloudError:
    return LocalCloudError(
        f"{path}: expected a document that a local cloud wrote: {mistake}; restore the file or "
        "delete it, or start on another directory"
    )


def _checked(path: Path, content: Any) -> tuple[float, Document]:
    """Return the time of creation, 0 if unknown, and the document. Raises LocalCloudError."""
    try:
        return _Created.read(content).at, content
    except ValueError as error:
        raise _damaged(path, str(error)) from None


def load_json(path: Path) -> Any:
    """Return the content of a JSON file, None for a file that does not exist.

    Raises LocalCloudError for a file that is not JSON.
    """
    try:
        return parse_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise LocalCloudError(
            f"{path}: expected JSON that a local cloud wrote, {error}; restore the file or delete "
            "it, or start on another directory"
        ) from None


def save_json(path: Path, content: Any) -> None:
    """Replace `path`, readable by its owner alone because some files hold secrets."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(content, ensure_ascii=False).encode(), mode=0o600)
