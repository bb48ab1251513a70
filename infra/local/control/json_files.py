"""JSON files that are replaced as a whole: a reader finds the old content or the new."""

import json
from pathlib import Path
from typing import Any

from longspan.infra.errors import LocalCloudError
from longspan.training.files import write_atomically

__all__ = ["read_json", "write_json"]


def read_json(path: Path) -> Any:
    """The content; None when there is no such file.

    Raises LocalCloudError for one that is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise LocalCloudError(
            f"{path}: expected JSON that a local cloud wrote ({error}); restore the file or delete "
            "it, or start on another directory"
        ) from None


def write_json(path: Path, content: Any) -> None:
    """Replace `path`, readable by its owner alone because some files hold secrets."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(content, ensure_ascii=False).encode(), mode=0o600)
