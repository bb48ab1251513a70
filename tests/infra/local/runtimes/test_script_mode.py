"""Script mode, as SDK v2's `Estimator(entry_point=...)` asks for it, and packages of a job."""

import io
import json
import sys
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.runtimes.process_runtime import ProcessRuntime
from longspan.infra.local.runtimes.runtime import Container

SHOW = """
import json, os, sys
with open(os.path.join(os.environ["SM_MODEL_DIR"], "shown.json"), "w") as file:
    json.dump([sys.argv, dict(os.environ), os.getcwd()], file)
import beside
"""
ARCHIVE = "/opt/ml/input/data/code/sourcedir.tar.gz"


@pytest.fixture(params=[True, False], ids=["mounts", "plain"])
def runtime(request: Any) -> Iterator[ProcessRuntime]:
    started = ProcessRuntime(mounts=request.param)
    if request.param and started.no_root:
        pytest.skip(f"needs mount namespaces: {started.no_root}")
    yield started
    started.close()


def packed(files: Mapping[str, str]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content.encode())
            tar.addfile(member, io.BytesIO(content.encode()))
    return written.getvalue()


def job(folder: Path, files: Mapping[str, str], **parameters: Any) -> Container:
    """The container of a training job, with the code in a channel, as without network."""
    base = folder / "base"
    for name in ("input/config", "input/data/code", "model", "output/data"):
        (base / name).mkdir(parents=True)
    (base / "input/data/code/sourcedir.tar.gz").write_bytes(packed(files))
    # SDK v2 encodes every value as JSON.
    given = {
        "sagemaker_program": json.dumps("train.py"),
        "sagemaker_submit_directory": json.dumps(ARCHIVE),
        **{name: json.dumps(value) for name, value in parameters.items()},
    }
    resources = {
        "current_host": "127.0.0.1",
        "current_instance_type": "ml.m5.large",
        "current_group_name": "homogeneousCluster",
        "hosts": ["127.0.0.1"],
        "network_interface_name": "lo",
    }
    config = base / "input/config"
    (config / "hyperparameters.json").write_text(json.dumps(given))
    (config / "resourceconfig.json").write_text(json.dumps(resources))
    (config / "inputdataconfig.json").write_text(json.dumps({"code": {}, "train": {}}))
    environment = {"TRAINING_JOB_NAME": "job"}
    return Container("job", "any:1", ("train",), base, folder / "log", environment)


def test_a_script_gets_its_options_and_variables(runtime: ProcessRuntime, tmp_path: Path) -> None:
    parameters = {"epochs": 3, "b": "x y", "lr": 0.5, "flag": True, "sizes": [1, 2], "o": {"k": 1}}
    asked = job(tmp_path, {"train.py": SHOW, "beside.py": ""}, **parameters)
    assert runtime.start(asked).wait(180) == 0, asked.log.read_text()
    arguments, variables, folder = json.loads((asked.base / "model/shown.json").read_text())
    root = str(asked.base) if runtime.no_root else "/opt/ml"
    options = [
        "-b",
        "x y",
        "--epochs",
        "3",
        "--flag",
        "True",
        "--lr",
        "0.5",
        "-o",
        "k=1",
        "--sizes",
        "[1, 2]",
    ]
    assert arguments == ["train.py", *options]
    assert folder == f"{root}/code"
    assert json.loads(variables["SM_HPS"]) == parameters
    assert json.loads(variables["SM_USER_ARGS"]) == options
    assert json.loads(variables["SM_CHANNELS"]) == ["code", "train"]
    assert json.loads(variables["SM_TRAINING_ENV"])["job_name"] == "job"
    expected = {
        "SM_CHANNEL_TRAIN": f"{root}/input/data/train",
        "SM_CURRENT_HOST": "127.0.0.1",
        "SM_HOSTS": '["127.0.0.1"]',
        "SM_HP_B": "x y",
        "SM_HP_EPOCHS": "3",
        "SM_HP_SIZES": "[1, 2]",
        "SM_MODEL_DIR": f"{root}/model",
        "SM_MODULE_DIR": ARCHIVE,
        "SM_OUTPUT_DATA_DIR": f"{root}/output/data",
        "SM_USER_ENTRY_POINT": "train.py",
    }
    assert expected.items() <= variables.items()


def test_a_failure_is_told_in_the_words_of_the_toolkit(tmp_path: Path) -> None:
    runtime = ProcessRuntime()
    asked = job(tmp_path, {"train.py": "import sys; sys.exit('no such luck')"}, epochs=1)
    assert runtime.start(asked).wait(180) == 1
    reason = (asked.base / "output/failure").read_text()
    assert reason.startswith('ExecuteUserScriptError:\nExitCode 1\nErrorMessage "no such luck"')
    assert reason.endswith('train.py --epochs 1"')
    assert "no such luck" in asked.log.read_text()


@pytest.mark.parametrize(
    ("files", "parameters", "said"),
    [
        ({"other.py": ""}, {}, "expected the script train.py in"),
        ({"train.py": ""}, {"sagemaker_mpi_enabled": True}, "sagemaker_mpi_enabled"),
        (
            {"train.py": ""},
            {"sagemaker_submit_directory": "s3://bucket/code.tar.gz"},
            "expected the code in a channel for a job without network",
        ),
        (
            {"train.py": ""},
            {"sagemaker_submit_directory": "/opt/ml/none.tar.gz"},
            "expected an archive of code at '/opt/ml/none.tar.gz'",
        ),
    ],
)
def test_what_cannot_run_is_refused_in_words(
    tmp_path: Path, files: Mapping[str, str], parameters: Mapping[str, Any], said: str
) -> None:
    runtime = ProcessRuntime()
    asked = job(tmp_path, files, **parameters)
    assert runtime.start(asked).wait(180) == 1
    assert said in (asked.base / "output/failure").read_text()


def test_a_shell_script_runs_too(tmp_path: Path) -> None:
    script = 'echo "$@" "$SM_HP_A" > "$SM_MODEL_DIR/shown"'
    asked = job(tmp_path, {"train.sh": script}, sagemaker_program="train.sh", a=1)
    assert ProcessRuntime().start(asked).wait(180) == 0, asked.log.read_text()
    assert (asked.base / "model/shown").read_text() == "-a 1 1\n"


def test_a_stop_reaches_the_script(tmp_path: Path) -> None:
    script = (
        "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        "print('ready', flush=True)\ntime.sleep(600)"
    )
    asked = job(tmp_path, {"train.py": script})
    running = ProcessRuntime().start(asked)
    while "ready" not in (asked.log.read_text() if asked.log.exists() else ""):
        assert running.wait(0.1) is None
    running.terminate()
    assert running.wait(180) == 1
    assert "ExitCode 7" in (asked.base / "output/failure").read_text()


def test_scripts_of_the_sdk_need_the_folder_at_its_place(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    script = "/opt/ml/input/data/sm_drivers/sm_train.sh"
    command = ("/bin/bash", "-c", f"chmod +x {script} && {script}")
    asked = Container("job", "any:1", command, base, tmp_path / "log")
    with pytest.raises(LocalCloudError, match="names /opt/ml, which a process cannot get here"):
        ProcessRuntime(mounts=False).start(asked)


def test_a_model_with_a_script_is_refused(tmp_path: Path) -> None:
    environment = {"SAGEMAKER_PROGRAM": "inference.py"}
    asked = Container("job", "any:1", ("serve",), tmp_path, tmp_path / "log", environment)
    with pytest.raises(LocalCloudError, match=r"got the inference script inference\.py"):
        ProcessRuntime().start(asked)


WHEEL = {
    "setup.py": "from setuptools import setup; setup(name='numpy', version='99', "
    "py_modules=['numpy'])",
    "numpy.py": "__version__ = '99'",
}


def test_packages_that_a_job_installs_stay_in_the_job(
    runtime: ProcessRuntime, tmp_path: Path
) -> None:
    import numpy

    source = tmp_path / "source"
    source.mkdir()
    for name, content in WHEEL.items():
        (source / name).write_text(content)
    asked = Container(
        "job",
        "any:1",
        (
            *("sh", "-c"),
            "python3 -c 'import numpy; print(numpy.__version__)' && pip install --no-deps "
            f"--no-build-isolation --no-index -q {source} && "
            "python -c 'import numpy, longspan.training, sys; "
            "print(numpy.__version__, sys.prefix)'",
        ),
        tmp_path / "base",
        tmp_path / "log",
    )
    asked.base.mkdir()
    assert runtime.start(asked).wait(180) == 0, asked.log.read_text()
    first, second, prefix = asked.log.read_text().split()[-3:]
    assert (first, second) == (numpy.__version__, "99")
    assert prefix != sys.prefix
    assert Path(prefix).is_relative_to(tmp_path)
