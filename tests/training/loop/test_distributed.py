"""Two gloo processes on this machine give what one process gives."""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from longspan.inference.search.search import GreedySearch
from longspan.training.corpus.prepared import Prepared
from longspan.training.errors import LongspanError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.checkpoint import CheckpointStore
from longspan.training.loop.distributed import World
from longspan.training.loop.run import TrainingOutput, TrainingSearch, train_model
from longspan.training.loop.setup import TrainingEnvironment
from longspan.training.loop.training_log import TrainingLog

TRAIN = """
import os, sys
from pathlib import Path
from longspan.inference.search.search import GreedySearch
from longspan.training.loop.distributed import World
from longspan.training.errors import Interrupted
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.training_log import TrainingLog
from longspan.training.corpus.prepared import Prepared
from longspan.training.loop.run import (
    TrainingOutput, TrainingSearch, device_of_rank, train_model
)
from longspan.training.loop.setup import TrainingEnvironment
prepared, out, settings = sys.argv[1:]
world = World.from_environment(os.environ)
try:
    train_model(
        Prepared.open(prepared),
        Hyperparameters.parse(dict(setting.split("=") for setting in settings.split(","))),
        TrainingOutput(Path(out), Path(f"{out}.checkpoints")),
        TrainingSearch(GreedySearch.of(Prepared.open(prepared))),
        TrainingEnvironment(
            world, device_of_rank(world), TrainingLog() if world.is_first else TrainingLog.silent()
        ),
    )
except Interrupted as stop:
    print(stop)
    sys.exit(7)
"""

COLLECTIVES = """
import os, torch
from pathlib import Path
from longspan.training.loop.distributed import World, process_group
def threads():
    names = {path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")}
    return sorted(name for name in names if "gloo" in name)
world = World.from_environment(os.environ)
with process_group(world, torch.device("cpu")):
    rank = world.rank
    used, unused = torch.zeros(2, 2), torch.zeros(3)
    for parameter in (used, unused):
        parameter.requires_grad_()
    optimizer = torch.optim.Adam([used])  # loads much of torch, which finds a group there
    used.grad = torch.full((2, 2), 1.0 + rank)
    if rank:
        unused.grad = torch.full((3,), 5.0)
    world.add_gradients([used, unused])
    assert torch.equal(used.grad, torch.full((2, 2), 3.0)), used.grad
    assert torch.equal(unused.grad, torch.full((3,), 5.0)), unused.grad
    optimizer.step()
    assert world.add(torch.tensor([1.0, rank])).tolist() == [2.0, 1.0]
    assert world.any(rank == 1) and not world.any(False)
    assert world.first(10.5 + rank) == 10.5
    assert world.broadcast(b"first" if rank == 0 else None) == b"first"
    assert world.broadcast(b"" if rank == 0 else None) == b""
    assert world.broadcast(None if rank == 0 else b"not mine") is None
    assert world.gather([["a", "c", "e"], ["b", "d"]][rank]) == list("abcde")
    within = threads()
print(within)
print(threads())
"""


def start(script, arguments, processes):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    base = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    rows = [
        {"RANK": str(r), "LOCAL_RANK": str(r), "WORLD_SIZE": str(processes)}
        for r in range(processes)
    ]
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return [
        subprocess.Popen(
            command, env=base | row, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for row in rows
    ]


def finish(workers):
    try:
        said = [worker.communicate(timeout=180) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    return [worker.returncode for worker in workers], said


def train(prepared, out, settings, processes):
    text = ",".join(f"{name}={value}" for name, value in settings.items())
    return start(TRAIN, [prepared, out, text], processes)


def train_alone(prepared, out, settings, log=None):
    train_model(
        Prepared.open(prepared),
        Hyperparameters.parse(settings),
        TrainingOutput(out, out.with_name(f"{out.name}.checkpoints")),
        TrainingSearch(GreedySearch.of(Prepared.open(prepared))),
        TrainingEnvironment(World(), torch.device("cpu"), log or TrainingLog.silent()),
    )


def history(out):
    return json.loads((out / "history.json").read_text())


def test_two_processes_give_the_loss_and_weights_of_one(write_prepared, tiny_settings, tmp_path):
    prepared = write_prepared(tmp_path / "prepared")
    # Small batches: some hold one pair, so the second process has nothing to do.
    settings = tiny_settings | {
        "batch_tokens": "12",
        "max_num_batches": "20",
        "label_smoothing": "0.1",
        "length_augmentation": "0.2",
        "optimized_metric": "bleu",
    }
    train_alone(prepared, tmp_path / "one", settings)
    codes, said = finish(train(prepared, tmp_path / "two", settings, 2))
    assert codes == [0, 0], said
    assert said[1][0] == ""  # only the first process speaks
    one, two = history(tmp_path / "one"), history(tmp_path / "two")
    for a, b in zip(one, two, strict=True):
        for key in ("train:loss", "validation:loss", "validation:accuracy", "tokens", "updates"):
            assert a[key] == pytest.approx(b[key], abs=1e-5)
    weights = [load_file(tmp_path / name / "model.safetensors") for name in ("one", "two")]
    for name, value in weights[0].items():
        assert torch.allclose(value, weights[1][name], atol=1e-5), name


def test_a_signal_to_one_process_stops_all_with_everything_saved(
    write_prepared, tiny_settings, tmp_path, capsys
):
    prepared = write_prepared(tmp_path / "prepared")
    settings = tiny_settings | {"max_num_batches": "100000", "checkpoint_threshold": "9999"}
    workers = train(prepared, tmp_path / "model", settings, 2)
    for line in workers[0].stdout:
        if line.startswith("checkpoint at"):
            break
    workers[1].send_signal(signal.SIGTERM)
    codes, said = finish(workers)
    assert codes == [7, 7], said
    assert "everything is saved" in said[0][0]
    store = CheckpointStore(tmp_path / "model.checkpoints", warn=print)
    updates = store.newest().updates
    assert f"stopped after {updates} updates" in said[0][0]

    # Two processes go on from there, and one may too.
    settings["max_num_batches"] = str(updates + 3)
    codes, said = finish(train(prepared, tmp_path / "model", settings, 2))
    assert codes == [0, 0], said
    assert "resumed at update" in said[0][0]
    train_alone(prepared, tmp_path / "model", settings, TrainingLog())
    assert "resumed at update" in capsys.readouterr().out


def test_what_the_processes_tell_each_other_and_no_thread_outlives_the_group():
    """Such a thread could abort the process at its end."""
    codes, said = finish(start(COLLECTIVES, [], 2))
    assert codes == [0, 0], said
    for out, _ in said:
        within, after = out.splitlines()
        assert "gloo" in within
        assert after == "[]"


def test_one_process_alone_needs_no_group():
    world = World()
    parameter = torch.zeros(2, requires_grad=True)
    world.add_gradients([parameter])
    assert parameter.grad is None
    assert world.broadcast(b"x") == b"x"
    assert world.gather([1, 2]) == [1, 2]
    assert world.first(2.5) == 2.5
    assert world.any(True)


def test_the_environment_of_torchrun():
    assert World.from_environment({}) == World()
    given = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1"}
    assert World.from_environment(given) == World(3, 4, 1)
    with pytest.raises(LongspanError, match="RANK=x"):
        World.from_environment({"RANK": "x"})
