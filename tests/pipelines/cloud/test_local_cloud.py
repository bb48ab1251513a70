"""Finding the local cloud that runs on a directory, and what is said when none can be started."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from longspan.pipelines.cloud.local_cloud import find_running
from longspan.pipelines.command import main


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


def test_a_second_cloud_on_a_directory_is_refused_in_one_line(
    tiny_cloud: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["local", "up", "--directory", str(tiny_cloud.directory)]) == 1
    said = capfd.readouterr()  # what the cloud's process wrote too
    assert said.out == ""
    [line] = said.err.splitlines()
    assert line.startswith("longspan: error: the local cloud did not start: ")
    assert f"another local cloud runs on it (process {tiny_cloud.process.pid})" in line


def test_a_cloud_that_crashes_at_its_start_shows_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "moto.py").write_text("raise RuntimeError('broken install')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert main(["local", "up", "--directory", str(tmp_path / "cloud")]) == 1
    lines = capfd.readouterr().err.splitlines()
    assert "RuntimeError: broken install" in lines
    assert lines[-1].endswith("it crashed; see the traceback above")
