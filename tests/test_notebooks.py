"""Every notebook runs from its first cell to its last, on a small config of the same pipeline."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.pipelines.small_config import small_config

NOTEBOOKS = sorted((Path(__file__).parents[1] / "docs/notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.yaml").write_text(small_config())
    monkeypatch.setenv("LONGSPAN_NOTEBOOK_CONFIG", str(tmp_path / "config.yaml"))
    monkeypatch.setenv("LONGSPAN_NOTEBOOK_FOLDER", str(tmp_path / "cloud"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "clear its outputs"
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": tmp_path}})
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    shown = str(outputs)
    assert "Succeeded" in shown
    assert "<svg" in shown  # the curves of the report
