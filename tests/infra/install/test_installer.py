"""Which program installs; programs that note how they are called stand for pip and uv."""

import sys
from pathlib import Path

import pytest

from longspan.infra.install.__main__ import main
from longspan.infra.install.installer import find_uv

ROOT = Path(__file__).parents[3]


class Machine:
    """A checkout's lock, a Python whose pip does what `pip` says, a PATH with what is put there."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path, self.log = folder / "path", folder / "log"
        self.python = folder / "venv" / "bin" / "python"
        self.path.mkdir()
        (folder / "requirements.lock").write_bytes((ROOT / "requirements.lock").read_bytes())
        self.put(self.python, 0)
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "executable", str(self.python))
        monkeypatch.setenv("PATH", f"{self.path}:/usr/bin:/bin")

    def put(
        self, program: Path, status: int, version: str = "uv 0.13.9", refuse: str = "@@"
    ) -> None:
        """A program that ends with `status`, with 1 where `refuse` stands in its arguments."""
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(
            f'#!/bin/sh\n[ "$1" = --version ] && echo "{version}" && exit 0\n'
            f'[ "$2 $3" = "pip config" ] && exit 0\n'
            f'echo "{program.name} $*" >> {self.log}\n'
            f'case " $* " in *{refuse}*) exit 1;; esac\nexit {status}\n'
        )
        program.chmod(0o755)

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def installs(calls: list[str]) -> list[str]:
    """Who installs, and what is named last, without folders."""
    return [f"{call.split()[0]} {Path(call.split()[-1]).name or '.'}" for call in calls]


STEPS = ["build.txt", "packages.txt", "torch==2.13.0", "."]


def test_uv_that_is_there_is_used(machine: Machine) -> None:
    machine.put(machine.path / "uv", 0)
    assert main() == 0
    assert installs(machine.calls()) == [f"uv {step}" for step in STEPS]


def test_nothing_is_resolved_but_torch(machine: Machine) -> None:
    machine.put(machine.path / "uv", 0)
    main()
    assert [STEPS[n] for n, call in enumerate(machine.calls()) if "--no-deps" not in call] == [
        "torch==2.13.0"
    ]
    [torch] = [call for call in machine.calls() if "torch==" in call]
    assert "-c " in torch


def test_uv_that_is_not_there_is_fetched(machine: Machine) -> None:
    fetched_from, fetched = machine.path / "index" / "uv", machine.python.with_name("uv")
    machine.python.write_text(
        machine.python.read_text().replace("case", f"cp {fetched_from} {fetched}\ncase")
    )
    machine.put(fetched_from, 0)
    assert main() == 0
    assert installs(machine.calls())[0] == "python uv.txt"
    assert installs(machine.calls())[1:] == [f"uv {step}" for step in STEPS]


def test_pip_installs_where_uv_cannot_be_fetched(
    machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    machine.put(machine.python, 0, refuse="uv.txt")
    assert main() == 0
    assert installs(machine.calls())[1:] == [f"python {step}" for step in STEPS]
    assert "uv cannot be fetched: installing with pip" in capfd.readouterr().out


def test_pip_installs_where_uv_fails(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    machine.put(machine.path / "uv", 2)
    assert main() == 0
    assert installs(machine.calls()) == ["uv build.txt", *(f"python {step}" for step in STEPS)]
    assert "uv failed" in capfd.readouterr().out


def test_a_failure_of_both_is_one(machine: Machine) -> None:
    machine.put(machine.path / "uv", 2)
    machine.put(machine.python, 1)
    assert main() == 1


@pytest.mark.parametrize("version", ["uv 0.4.30", "something else", ""])
def test_uv_that_is_too_old_or_none_is_not_used(machine: Machine, version: str) -> None:
    machine.put(machine.path / "uv", 0, version=version)
    assert find_uv(machine.python) is None
