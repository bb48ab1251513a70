import json
from pathlib import Path
from typing import Any

import pytest

from longspan.training.container.paths import ContainerPaths, Hosts
from longspan.training.errors import DataError


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_everything_hangs_off_the_base(tmp_path: Path):
    ours, default = ContainerPaths(tmp_path), ContainerPaths()
    names = [name for name, kind in vars(ContainerPaths).items() if isinstance(kind, property)]
    assert len(names) >= 9
    names.remove("written")  # several of the others
    assert {path.parts[:-1] for path in default.written} >= {("/", "opt", "ml")}
    assert all(path.is_relative_to(tmp_path) for path in ours.written)
    for name in names:
        relative = getattr(ours, name).relative_to(tmp_path)
        assert getattr(default, name) == Path("/opt/ml") / relative
    assert ours.channel("train") == tmp_path / "input/data/train"
    assert default.processing_input("pairs") == Path("/opt/ml/processing/input/pairs")
    assert default.processing_output("prepared") == Path("/opt/ml/processing/output/prepared")


def test_the_base_comes_from_the_environment(tmp_path: Path):
    assert ContainerPaths.from_environment({"LONGSPAN_BASE": str(tmp_path)}).base == tmp_path
    for variables in ({}, {"LONGSPAN_BASE": ""}):
        assert ContainerPaths.from_environment(variables).base == Path("/opt/ml")


def test_hyperparameters_come_as_strings(tmp_path: Path):
    paths = ContainerPaths(tmp_path)
    assert paths.read_hyperparameters() == {}
    # SageMaker's local mode hands over plain JSON values.
    write_json(paths.hyperparameters, {"seed": 3, "input_feeding": True, "attention_type": "dot"})
    assert paths.read_hyperparameters() == {
        "seed": "3",
        "input_feeding": "true",
        "attention_type": "dot",
    }


@pytest.mark.parametrize("content", ["{", '["a"]', "\x00"])
def test_a_broken_configuration_is_named(tmp_path: Path, content: str):
    paths = ContainerPaths(tmp_path)
    paths.hyperparameters.parent.mkdir(parents=True)
    paths.hyperparameters.write_text(content)
    with pytest.raises(DataError, match=r"hyperparameters\.json: expected"):
        paths.read_hyperparameters()


def test_hosts_have_the_same_order_everywhere(tmp_path: Path):
    paths = ContainerPaths(tmp_path)
    assert paths.read_hosts() == Hosts(("localhost",), "localhost", "")
    for current, rank in (("algo-1", 0), ("algo-2", 1)):
        write_json(
            paths.resource_config,
            {
                "current_host": current,
                "hosts": ["algo-2", "algo-1"],
                "network_interface_name": "eth0",
            },
        )
        hosts = paths.read_hosts()
        assert (hosts.rank, hosts.first, hosts.interface) == (rank, "algo-1", "eth0")


def test_a_host_outside_of_the_list_is_refused(tmp_path: Path):
    paths = ContainerPaths(tmp_path)
    write_json(paths.resource_config, {"current_host": "algo-3", "hosts": ["algo-1"]})
    with pytest.raises(DataError, match="expected current_host among hosts algo-1, got algo-3"):
        paths.read_hosts()


def test_channels_are_found_by_folder_and_by_configuration(tmp_path: Path):
    paths = ContainerPaths(tmp_path)
    assert paths.read_channels() == {}
    paths.channel("train").mkdir(parents=True)
    write_json(paths.input_data_config, {"vocab": {"TrainingInputMode": "File"}})
    assert paths.read_channels() == {
        "train": paths.channel("train"),
        "vocab": paths.channel("vocab"),
    }


def test_pipe_mode_is_refused(tmp_path: Path):
    paths = ContainerPaths(tmp_path)
    write_json(paths.input_data_config, {"train": {"TrainingInputMode": "Pipe"}})
    with pytest.raises(DataError, match=r"channel train: expected .*FastFile, got Pipe"):
        paths.read_channels()


def test_the_first_reason_of_failure_stands(tmp_path: Path):
    paths = ContainerPaths(tmp_path)
    paths.write_failure("first")
    paths.write_failure("second")
    assert paths.failure.read_text() == "first"
