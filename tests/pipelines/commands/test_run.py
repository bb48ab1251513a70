"""`longspan run` and the commands that look at it, as a person types them."""

import json
import re
import signal
import time
from pathlib import Path

import pytest

from tests.in_process import Done
from tests.pipelines.shell import Shell
from tests.pipelines.small_config import small_config

# One training job and no baseline: these tests are about the run, not about what it makes.
QUICK = {
    "baseline": {"enabled": False},
    "tuning": {"jobs": 1, "parallel_jobs": 1},
}


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    folder = tmp_path_factory.mktemp("run")
    (folder / "longspan.yaml").write_text(small_config(**QUICK))
    return Shell(folder)


@pytest.fixture(scope="module")
def interrupted(shell: Shell) -> Done:
    """A run that Ctrl-C ended when its pairs were prepared."""
    lines = []
    with shell.start("run") as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if re.match(r"Tune +Executing", line):
                break
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=180)
    deadline = time.monotonic() + 180
    while shell.processes():
        assert time.monotonic() < deadline, shell.processes()
        time.sleep(0.1)
    return Done(process.returncode, "".join(lines) + rest, errors)


@pytest.fixture(scope="module")
def finished(shell: Shell, interrupted: Done) -> Done:
    """The same run, taken up, to a translation by the endpoint."""
    return shell.process("run")


def test_ctrl_c_leaves_nothing_behind_and_the_run_goes_on(
    interrupted: Done, finished: Done
) -> None:
    assert interrupted.returncode == 130, interrupted.stderr
    assert "the same command continues where it ended" in interrupted.stderr
    assert re.search(r"^Prepare +Succeeded", interrupted.stdout, re.MULTILINE)
    assert finished.returncode == 0, finished.stderr
    assert "resumed where it ended" in finished.stdout
    assert not re.search(r"^Prepare +(Starting|Executing)", finished.stdout, re.MULTILINE)


def test_a_run_ends_with_a_table_a_translation_and_where_things_lie(
    shell: Shell, finished: Done
) -> None:
    assert finished.returncode == 0, finished.stderr
    out = finished.stdout
    for step in ("Tune", "Evaluate", "Register", "Endpoint"):
        assert re.search(rf"^{step} +Succeeded", out, re.MULTILINE), step
    assert re.search(r"^over 100 +[1-9]", out, re.MULTILINE)
    assert re.search(r"^trials +\d+:\d\d  1 trial, [1-9]", out, re.MULTILINE)
    assert re.search(r"^total +\d+:\d\d  ", out, re.MULTILINE)
    words = re.search(r"A test sentence of (\d+) words", out)
    assert words is not None
    assert int(words[1]) > 100
    report = re.search(r"^report: (.+)$", out, re.MULTILINE)
    model = re.search(r"^model: +(.+)$", out, re.MULTILINE)
    assert report is not None
    assert model is not None
    assert "<svg" in (shell.folder / report[1]).read_text(encoding="utf-8")
    done = shell("translate", model[1], "--text", "Ken reads.")
    assert done.returncode == 0, done.stderr
    assert shell.processes() == []


def test_a_second_run_does_nothing_again_and_waits_for_a_person(
    shell: Shell, finished: Done
) -> None:
    config = small_config(**QUICK, registry={"approval_status": "PendingManualApproval"})
    (shell.folder / "pending.yaml").write_text(config)
    again = shell("run", "--config", "pending.yaml")
    assert again.returncode == 0, again.stderr
    for step in ("Prepare", "Tune", "Evaluate"):
        assert re.search(rf"^{step} +cached", again.stdout, re.MULTILINE), step
    assert re.search(r"^trials +cached from an earlier run$", again.stdout, re.MULTILINE)
    # Registered, and not deployed.
    assert re.search(r"^Deploy +Succeeded .*False", again.stdout, re.MULTILINE)
    assert "CreateModel" not in again.stdout


def test_status_and_logs_show_what_ran(shell: Shell, finished: Done) -> None:
    listed = shell("status")
    assert "Succeeded" in listed.stdout
    assert "Evaluate" in listed.stdout
    id = re.search(r"execution/(\w+)", finished.stdout)
    assert id is not None
    first = shell("status", id[1])
    job = re.search(r"longspan logs (\S*Prepare\S*)", first.stdout)
    assert job is not None
    log = shell("logs", job[1])
    assert "vocabular" in log.stdout
    wrong = shell("logs", "nothing-by-this-name")
    assert wrong.returncode == 1
    assert len(wrong.stderr.splitlines()) == 1


def test_cost_estimates_a_run_and_reckons_one_by_its_seconds(shell: Shell, finished: Done) -> None:
    before = shell("cost")
    assert before.returncode == 0, before.stderr
    assert re.search(r"^Tune +[\d.]+ to [\d.]+ +\$[\d.]+ to \$[\d.]+", before.stdout, re.MULTILINE)
    assert re.search(r"^endpoint, a month +\$[\d.]+", before.stdout, re.MULTILINE)
    id = re.search(r"execution/(\w+)", finished.stdout)
    assert id is not None
    after = shell("cost", "--execution", id[1])
    assert after.returncode == 0, after.stderr
    # Step, jobs, machine hours, hours saved by spot, dollars, machine.
    for step in ("Prepare", "Tune", "Evaluate"):
        assert re.search(
            rf"^{step} +\d+ +\d\.\d+ +0\.000 +\d\.\d+ +ml\.", after.stdout, re.MULTILINE
        )
    assert "cost of the same seconds on AWS: $" in after.stdout


def test_a_failed_job_is_one_line_with_its_reason(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    (tmp_path / "pairs.tsv").write_text("only one column\n" * 50)
    (tmp_path / "longspan.yaml").write_text("name: broken\ndata: {pairs: pairs.tsv}\n")
    done = shell("run")
    assert done.returncode == 1
    reason, hint = done.stderr.splitlines()[-2:]
    assert reason.startswith("longspan: error: step Prepare: AlgorithmError: ")
    assert "pairs.tsv" in reason
    assert hint.startswith("its log: longspan logs ")


def test_a_dry_run_tells_what_it_would_create_and_starts_nothing(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    done = shell("run", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"^first +.* pipeline +longspan-sample$", done.stdout, re.MULTILINE | re.DOTALL
    )
    assert re.search(
        r"^Endpoint +endpoint +longspan-sample, or an update", done.stdout, re.MULTILINE
    )
    assert re.search(r"^\$[\d.]+ to \$[\d.]+ a run, then \$", done.stdout, re.MULTILINE)
    definition = shell("run", "--dry-run", "--json")
    steps = json.loads(definition.stdout)["Steps"]
    assert [step["Name"] for step in steps][:2] == ["Prepare", "Tune"]
    assert list(tmp_path.iterdir()) == []
    alone = shell("run", "--json")
    assert alone.returncode == 1
    assert alone.stderr == (
        "longspan: error: expected --json with --dry-run, got it alone; add --dry-run\n"
    )


@pytest.mark.parametrize(
    ("config", "arguments", "message"),
    [
        ("name: x\ndata: {pears: a.tsv}\n", (), "pairs"),
        ("name: x\ndata: {pairs: none.tsv}\n", (), "none.tsv"),
        ("name: x\ndata: {sample: {}}\n", ("--aws",), "expected AWS credentials, got none"),
    ],
)
def test_what_cannot_run_is_one_clear_line(
    tmp_path: Path, config: str, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "longspan.yaml").write_text(config)
    region = {"AWS_DEFAULT_REGION": "us-east-1"} if arguments else {}
    done = Shell(tmp_path)("run", *arguments, **region)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("longspan: error: ")
    assert message in line
