"""`longspan study` as a person types it: stopped half way, taken up again, looked at."""

import json
import re
import signal
from pathlib import Path

import pytest

from longspan.pipelines.command import main
from tests.in_process import Done
from tests.pipelines.shell import Shell
from tests.pipelines.small_config import small_config

TITLES = (
    "fixed vector (baseline)", "n-gram preprocessing", "larger network", "attention",
    "other weight initialisation", "larger batches",
)  # fmt: skip
CONFIG = small_config(data={"sample": {"pairs": 200, "validation": 10, "test_per_bucket": 1}})


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    folder = tmp_path_factory.mktemp("study")
    (folder / "longspan.yaml").write_text(CONFIG)
    return Shell(folder)


@pytest.fixture(scope="module")
def stopped(shell: Shell) -> str:
    """What a study printed that was interrupted when its first model was trained."""
    lines = []
    with shell.start("study", "--seeds", "1") as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if re.match(r"Train-\S+ +Succeeded", line):
                process.send_signal(signal.SIGINT)
                break
        rest, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "the same command continues where it ended" in errors
    return "".join(lines) + rest


@pytest.fixture(scope="module")
def finished(shell: Shell, stopped: str) -> Done:
    done = shell.process("study", "--seeds", "1")
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.long
def test_it_goes_on_where_it_was_stopped(stopped: str, finished: Done) -> None:
    assert "(resumed where it ended)" in finished.stdout
    [done] = re.findall(r"^(Train-\S+) +Succeeded", stopped, re.MULTILINE)[:1]
    assert not re.search(rf"^{done} +(Starting|Executing)", finished.stdout, re.MULTILINE)


@pytest.mark.long
def test_every_course_is_in_the_table_and_the_page(shell: Shell, finished: Done) -> None:
    for title in TITLES:
        updates = 1 if title == "larger batches" else 4
        line = rf"^{re.escape(title)} .* {updates} +\d+  "
        assert re.search(line, finished.stdout, re.MULTILINE), title
    assert "BLEU by source words, of one seed; " in finished.stdout
    assert "Each training job had max_num_batches=4" in finished.stdout
    found = re.search(r"^report: (.+)$", finished.stdout, re.MULTILINE)
    assert found is not None
    page = shell.folder / found[1]
    assert page.read_text(encoding="utf-8").count("<polyline") == len(TITLES)
    result = json.loads(page.with_name("study.json").read_text(encoding="utf-8"))
    assert [course["title"] for course in result["courses"]] == list(TITLES)
    assert [course["updates"] for course in result["courses"]] == [4, 4, 4, 4, 4, 1]
    assert all(course["cpu_seconds"] > 0 for course in result["courses"])


def test_a_study_without_a_budget_is_refused_before_it_starts(tmp_path: Path) -> None:
    (tmp_path / "longspan.yaml").write_text("name: x\ndata: {pairs: pairs.tsv}\n")
    done = Shell(tmp_path)("study")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "give --updates, or max_num_batches" in line
    assert not (tmp_path / ".longspan").exists()


def test_a_dry_run_tells_what_it_would_create_and_starts_nothing(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    options = ("--updates", "300", "--max-minutes", "3")
    done = shell("study", "--dry-run", "--seeds", "2", *options, "--parallel", "4")
    assert done.returncode == 0, done.stderr
    for line in (
        r"first +.* pipeline +longspan-sample-study",
        r"Train-fixed-1 +training job +1 x ml\.m5\.xlarge, at most 30 minutes",
        r" +likewise +Train-ngrams-1, .*Train-batch-2",
        r"Evaluate-fixed-1 +processing job +1 x ml\.m5\.xlarge, at most 60 minutes",
        r"12 models, each trained with max_num_batches=300 .*, at most 3 minutes, 4 jobs at a time",
        r"Train +0\.6 to 6\.0 +\$[\d.]+ to \$[\d.]+  12 jobs on 1 x ml\.m5\.xlarge",
        r"\$[\d.]+ to \$[\d.]+ a run \(list prices of .*",
    ):
        assert re.search(rf"^{line}$", done.stdout, re.MULTILINE | re.DOTALL), line
    assert "endpoint" not in done.stdout
    definition = shell("study", "--dry-run", "--json", "--seeds", "2", "--updates", "9")
    steps = json.loads(definition.stdout)["Steps"]
    assert sum(step["Type"] == "Training" for step in steps) == 12
    assert list(tmp_path.iterdir()) == []
    alone = shell("study", "--json")
    assert alone.returncode == 1
    assert "expected --json with --dry-run" in alone.stderr


@pytest.mark.parametrize("option", ["--updates", "--max-minutes", "--seeds"])
def test_nothing_is_not_a_budget(
    shell: Shell, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["study", option, "0"])
    assert "expected" in capsys.readouterr().err
