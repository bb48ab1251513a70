"""Every notebook runs from its first cell to its last, on a small config of the same pipeline."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from nbclient import NotebookClient

from longspan.pipelines.config import template

NOTEBOOKS = sorted((Path(__file__).parents[1] / "docs/notebooks").glob("*.ipynb"))


def small() -> str:
    """The sample's pipeline in seconds: what it translates is nonsense."""
    config: dict[str, Any] = yaml.safe_load(template())
    config["data"]["sample"] = {"pairs": 400, "validation": 20, "test_per_bucket": 2}
    config["preparation"]["vocabulary_size"] = 700
    config["training"]["hyperparameters"] |= {
        "rnn_num_hidden": 16,
        "num_embed_source": 16,
        "num_embed_target": 16,
        "max_num_batches": 4,
        "max_minutes": 0,
        "bleu_sample_size": 2,
        "beam_size": 1,
    }
    config["baseline"]["hyperparameters"] |= {"max_minutes": 0}
    config["gate"] = {"minimum_bleu_long": 0.0, "minimum_bleu_short_change": -100.0}
    return yaml.safe_dump(config)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.yaml").write_text(small())
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
