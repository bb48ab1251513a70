import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from longspan.pipelines.jobs.workers import run_workers, worker_environments
from longspan.training.container.paths import Hosts


def run(script: str, additions: list[dict[str, str]], **options: float) -> dict[int, int]:
    return run_workers([sys.executable, "-c", script], os.environ, additions, **options)


def test_workers_of_one_machine_meet_on_loopback():
    first, second = worker_environments(Hosts(), 2)
    assert (first["RANK"], second["RANK"]) == ("0", "1")
    assert (first["LOCAL_RANK"], second["LOCAL_RANK"]) == ("0", "1")
    assert first["WORLD_SIZE"] == second["WORLD_SIZE"] == "2"
    assert first["MASTER_ADDR"] == "127.0.0.1"
    assert first["MASTER_PORT"] == second["MASTER_PORT"]


def test_every_worker_of_several_machines_has_its_own_rank():
    names = ("algo-1", "algo-2", "algo-3")
    environments = [
        environment
        for current in names
        for environment in worker_environments(Hosts(names, current, "eth0"), 4)
    ]
    assert [int(e["RANK"]) for e in environments] == list(range(12))
    assert {(e["WORLD_SIZE"], e["MASTER_ADDR"], e["MASTER_PORT"]) for e in environments} == {
        ("12", "algo-1", "29500")
    }
    assert {e["NCCL_SOCKET_IFNAME"] for e in environments} == {"eth0"}


def test_statuses_come_by_worker():
    script = "import os, sys; sys.exit(int(os.environ['STATUS']))"
    assert run(script, [{"STATUS": "0"}, {"STATUS": "0"}]) == {0: 0, 1: 0}
    assert run(script, [{"STATUS": "7"}]) == {0: 7}


def test_when_one_worker_fails_the_others_are_asked_to_end():
    script = "import os, sys, time; sys.exit(3) if os.environ['R'] == '1' else time.sleep(600)"
    statuses = run(script, [{"R": "0"}, {"R": "1"}])
    # In the order of their ends: the one to blame comes first.
    assert list(statuses.items()) == [(1, 3), (0, -signal.SIGTERM)]


def test_a_worker_that_does_not_end_is_killed(tmp_path: Path):
    script = (
        "import os, pathlib, signal, sys, time\n"
        "ready = pathlib.Path(os.environ['READY'])\n"
        "if os.environ['R'] == '0':\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "    ready.touch()\n"
        "    time.sleep(600)\n"
        "while not ready.exists():\n"
        "    time.sleep(0.01)\n"
        "sys.exit(1)"
    )
    additions = [{"R": rank, "READY": str(tmp_path / "ready")} for rank in "01"]
    assert run(script, additions, seconds_after_failure=0.5) == {0: -signal.SIGKILL, 1: 1}


def test_sigterm_reaches_every_worker_and_they_end_clean(tmp_path: Path):
    worker = (
        "import os, pathlib, signal, sys, time\n"
        "def end(*_):\n"
        "    pathlib.Path(os.environ['R'] + '.saved').touch()\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "pathlib.Path(os.environ['R'] + '.ready').touch()\n"
        "time.sleep(600)"
    )
    parent = (
        "import os, sys\n"
        "from longspan.pipelines.jobs.workers import run_workers\n"
        f"print(run_workers([sys.executable, '-c', {worker!r}], os.environ, "
        "[{'R': '0'}, {'R': '1'}]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 180
    while len(list(tmp_path.glob("*.ready"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.terminate()
    printed, _ = process.communicate(timeout=180)
    assert printed.strip() == "{0: 0, 1: 0}"
    assert len(list(tmp_path.glob("*.saved"))) == 2
