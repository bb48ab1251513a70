import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from longspan.training.errors import CheckpointError
from longspan.training.loop.checkpoint import Checkpoint, CheckpointStore, check_identity


@pytest.fixture
def warnings():
    return []


@pytest.fixture
def store(tmp_path, warnings):
    return CheckpointStore(tmp_path / "run", warn=warnings.append)


def save(store, updates, best=()):
    tensors = {
        "model.a": torch.full((3,), float(updates)),
        "optimizer.0.step": torch.tensor(updates),
    }
    return store.save(updates, {"rate": 0.1, "list": [updates, None]}, tensors, best)


def damage(path, how):
    content = path.read_bytes()
    match how:
        case "cut":
            path.write_bytes(content[: len(content) // 2])
        case "flip":
            path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        case "empty":
            path.write_bytes(b"")
        case "missing":
            path.unlink()


def test_what_is_saved_is_read_back(store, warnings):
    save(store, 5)
    found = store.newest()
    assert found.updates == 5
    assert found.state == {"rate": 0.1, "list": [5, None]}
    assert found.read_tensors("model.").keys() == {"a"}
    assert torch.equal(found.read_tensors()["model.a"], torch.full((3,), 5.0))
    assert warnings == []


def test_there_is_none_at_the_start(store, warnings):
    assert store.newest() is None
    assert warnings == []


def test_bytes_carry_it_to_another_process(store):
    save(store, 5)
    assert Checkpoint.from_bytes(store.newest().to_bytes()) == store.newest()


def test_the_last_three_stay_and_the_best_of_each(store):
    for updates, best in ((1, [1]), (2, [2]), (3, [2]), (4, [2]), (5, [5]), (6, [5])):
        save(store, updates, best)
    # 4 says that 2 is the best, should 5 and 6 turn out damaged
    assert store.saved() == [2, 4, 5, 6]
    save(store, 7, [5])
    assert store.saved() == [5, 6, 7]


@pytest.mark.parametrize("file", ["tensors.safetensors", "state.json"])
@pytest.mark.parametrize("how", ["cut", "flip", "empty", "missing"])
def test_a_damaged_one_falls_back_with_a_warning(store, warnings, file, how):
    save(store, 1)
    damage(save(store, 2) / file, how)
    assert store.newest().updates == 1
    assert len(warnings) == 1
    assert "checkpoint-000000002" in warnings[0]
    assert "\n" not in warnings[0]


def test_a_changed_state_is_noticed_even_as_good_json(store, warnings):
    path = save(store, 1) / "state.json"
    content = json.loads(path.read_text())
    content["body"]["state"]["rate"] = 99
    path.write_text(json.dumps(content))
    assert store.newest() is None
    assert "checksum" in warnings[0]


def test_a_damaged_one_is_replaced_when_training_comes_by_again(store):
    damage(save(store, 2) / "state.json", "cut")
    save(store, 2)
    assert store.load(2).updates == 2


def test_another_format_is_refused_by_number(store, monkeypatch):
    with monkeypatch.context() as other_version:
        other_version.setattr("longspan.training.loop.checkpoint._FORMAT", 9)
        save(store, 1)
    with pytest.raises(CheckpointError, match="expected checkpoint format 1, got 9"):
        store.load(1)


def test_what_a_killed_run_left_half_written_does_no_harm(store):
    save(store, 1)
    half = store.directory / ".new-checkpoint"
    half.mkdir()
    (half / "tensors.safetensors").write_bytes(b"half")
    assert store.newest().updates == 1
    save(store, 2)
    assert store.newest().updates == 2
    assert not half.exists()


FULL_DISK = """
import resource, signal, sys, torch
from longspan.training.loop.checkpoint import CheckpointStore
from longspan.training.errors import CheckpointError
store = CheckpointStore(sys.argv[1], warn=print)
store.save(1, {}, {"a": torch.zeros(10)})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    store.save(2, {}, {"a": torch.zeros(1_000_000)})
except CheckpointError as error:
    print(error)
"""


def test_a_disk_without_room_leaves_the_earlier_one(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={"OMP_NUM_THREADS": "1"},
    )
    assert "expected to write a checkpoint" in done.stdout
    assert "intact" in done.stdout
    assert [path.name for path in Path(tmp_path).iterdir()] == ["checkpoint-000000001"]


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="expected to write a checkpoint"):
        save(CheckpointStore(tmp_path / "file", warn=print), 1)


def test_clear_leaves_other_files(store):
    save(store, 1)
    (store.directory / "notes.txt").write_text("mine")
    store.clear()
    assert [path.name for path in store.directory.iterdir()] == ["notes.txt"]


def test_another_run_is_named_by_its_first_difference(tmp_path):
    check_identity({"seed": 1, "old": 2}, {"seed": 1}, tmp_path)
    with pytest.raises(CheckpointError, match="seed is 1 there and 2 here"):
        check_identity({"seed": 1}, {"seed": 2}, tmp_path)
    with pytest.raises(CheckpointError, match="new is None there"):
        check_identity({"seed": 1}, {"seed": 1, "new": 3}, tmp_path)
