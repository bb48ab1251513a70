"""Finding the local cloud that runs on a directory."""

import json
import os
from pathlib import Path
from typing import Any

from longspan.pipelines.local_cloud import find_running


def test_a_running_cloud_is_found(tiny_cloud: Any) -> None:
    assert find_running(tiny_cloud.directory) == tiny_cloud.environment


def test_a_crashed_clouds_card_leads_nowhere_though_its_number_is_in_use(tmp_path: Path) -> None:
    card = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "pid": os.getpid()}
    (tmp_path / "cloud.json").write_text(json.dumps(card))
    (tmp_path / "cloud.lock").touch()
    assert find_running(tmp_path) is None
    (tmp_path / "cloud.lock").unlink()
    assert find_running(tmp_path) is None


def test_without_a_card_none_runs(tmp_path: Path) -> None:
    assert find_running(tmp_path) is None
    (tmp_path / "cloud.json").write_text("[]")
    assert find_running(tmp_path) is None
