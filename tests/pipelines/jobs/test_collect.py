"""The container's `collect` on several machines, then `prepare`."""

import json
import shutil
from pathlib import Path

import pytest

from longspan.pipelines.jobs import collect as collect_job
from longspan.pipelines.jobs import prepare as prepare_job
from longspan.training.container.paths import ContainerPaths
from tests.in_process import Done, call
from tests.training.saved_datasets import save_dataset

OPTIONS = ("--vocabulary-type", "word", "--vocabulary-size", "300", "--validation-size", "20")
OPTIONS += ("--test-size", "20", "--format", "tsv")


def run(base: Path, job: str, *options: str) -> Done:
    main = {"collect": collect_job.main, "prepare": prepare_job.main}[job]
    return call(lambda: main(options, {"LONGSPAN_BASE": str(base)}))


def machine(folder: Path, host: str, hosts: list[str]) -> ContainerPaths:
    paths = ContainerPaths(folder / host)
    paths.processing_resource_config.parent.mkdir(parents=True)
    paths.processing_resource_config.write_text(json.dumps({"hosts": hosts, "current_host": host}))
    paths.processing_input("pairs").mkdir(parents=True)
    return paths


def rows(first: int, count: int) -> str:
    numbers = range(first, first + count)
    return "".join(f"one {n % 70} two {n}\teins {n % 70} zwei {n}\n" for n in numbers)


@pytest.fixture
def hosts() -> list[str]:
    return ["algo-1", "algo-2", "algo-3"]


def test_machines_collect_and_one_prepares(tmp_path: Path, hosts: list[str]):
    merge = ContainerPaths(tmp_path / "merge")
    for number, host in enumerate(hosts):
        paths = machine(tmp_path, host, hosts)
        if number < 2:  # the third one has no file
            (paths.processing_input("pairs") / f"{number}.tsv").write_text(rows(300 * number, 300))
        done = run(paths.base, "collect", *OPTIONS)
        assert done.returncode == 0, done.stderr
        # As SageMaker: every machine's output goes below the same prefix.
        shutil.copytree(
            paths.processing_output("collected"),
            merge.processing_input("collected"),
            dirs_exist_ok=True,
        )
    done = run(merge.base, "prepare", *OPTIONS)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((merge.processing_output("prepared") / "manifest.json").read_text())
    assert manifest["pairs"]["read"] == 600
    assert [record["name"] for record in manifest["inputs"]] == ["0.tsv", "1.tsv"]


def test_a_machine_alone_without_files_says_so(tmp_path: Path):
    paths = machine(tmp_path, "algo-1", ["algo-1"])
    done = run(paths.base, "collect", *OPTIONS)
    assert done.returncode == 1
    assert "expected files of pairs, got an empty folder" in done.stderr


def test_other_options_than_those_of_the_parts_are_refused(tmp_path: Path, hosts: list[str]):
    paths = machine(tmp_path, hosts[0], hosts)
    (paths.processing_input("pairs") / "a.tsv").write_text(rows(0, 300))
    assert run(paths.base, "collect", *OPTIONS).returncode == 0
    merge = ContainerPaths(tmp_path / "merge")
    shutil.copytree(paths.processing_output("collected"), merge.processing_input("collected"))
    done = run(merge.base, "prepare", *OPTIONS, "--min-words", "4")
    assert done.returncode == 1
    assert "give collect and prepare the same options" in done.stderr


def test_machines_share_the_files_of_a_saved_dataset(tmp_path: Path, hosts: list[str]):
    texts = [line.split("\t") for line in rows(0, 90).splitlines()]
    found = [{"source": source, "target": target} for source, target in texts]
    whole = save_dataset(tmp_path / "saved", found, shards=2)
    options = [option for option in OPTIONS if option not in ("--format", "tsv")]
    # As ShardedByS3Key: one file for each machine, in the order of the names.
    names = ("data-00000-of-00002.arrow", "data-00001-of-00002.arrow", "state.json")
    for host, name in zip(hosts, names, strict=True):
        paths = machine(tmp_path, host, hosts)
        shutil.copy(whole / name, paths.processing_input("pairs") / name)
        done = run(paths.base, "collect", *options)
        assert done.returncode == 0, done.stderr
        part = json.loads((paths.processing_output("collected") / host / "part.json").read_text())
        assert part["read"] == (45 if name.endswith(".arrow") else 0)
    held_out = paths.processing_input("pairs") / "test"
    held_out.mkdir()
    shutil.copy(whole / names[0], held_out / names[0])
    done = run(paths.base, "collect", *options)
    assert done.returncode == 1
    assert "another split of a DatasetDict" in done.stderr
