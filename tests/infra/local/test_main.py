"""The local cloud as a process: covers `__main__`, and the start and end of `cloud`."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from longspan.pipelines.cloud.connection import open_local
from tests.infra.local.conftest import RunningCloud

PROGRAM = [sys.executable, "-m", "longspan.infra.local", "up"]
# Ends of nothing but force, and tells where it is.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(f"pids {os.getpid()} {child.pid} key={os.environ.get('AWS_PROFILE')}", flush=True)
time.sleep(600)
"""


def refused(directory: Path, *options: str) -> str:
    """What a cloud says that cannot start."""
    done = subprocess.run(
        [*PROGRAM, "--directory", str(directory), *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 1
    assert done.stderr == ""
    (line,) = done.stdout.splitlines()
    answer = json.loads(line)
    assert list(answer) == ["error"]
    return str(answer["error"])


def until(holds: Callable[[], Any], seconds: float = 180.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def stubborn_job(cloud: RunningCloud, folder: Path, name: str) -> list[int]:
    """Start a job; the ids of its processes."""
    script = folder / "stubborn.py"
    script.write_text(STUBBORN)
    cloud.client("sagemaker").create_processing_job(
        ProcessingJobName=name,
        RoleArn=cloud.role,
        AppSpecification={
            "ImageUri": "image",
            "ContainerEntrypoint": ["python", str(script)],
        },
        ProcessingResources={
            "ClusterConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            }
        },
    )
    logs = cloud.client("logs")

    def said() -> list[str]:
        try:
            found = logs.filter_log_events(
                logGroupName="/aws/sagemaker/ProcessingJobs", logStreamNamePrefix=f"{name}/"
            )
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in found["events"]]

    line = until(said)[0].split()
    assert line[3] == "key=None"
    return [int(pid) for pid in line[1:3]]


def gone(*pids: int) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def status(cloud: RunningCloud, name: str) -> dict[str, Any]:
    found = cloud.client("sagemaker").describe_processing_job(ProcessingJobName=name)
    return {"status": found["ProcessingJobStatus"], "reason": found.get("FailureReason", "")}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_all_that_it_runs(
    launch: Callable[..., RunningCloud], tmp_path: Path, number: signal.Signals
) -> None:
    cloud = launch(tmp_path / "cloud")
    # One of the signals finds a job that has to be killed.
    pids = stubborn_job(cloud, tmp_path, "one") if number == signal.SIGTERM else []
    cloud.process.send_signal(number)
    assert cloud.process.wait(180) == 0
    assert until(lambda: gone(*pids))
    assert not (tmp_path / "cloud/cloud.json").exists()
    assert not (tmp_path / "cloud/work").exists()


def test_a_crash_leaves_nothing_running_and_loses_nothing(
    launch: Callable[..., RunningCloud], tmp_path: Path
) -> None:
    directory = tmp_path / "cloud"
    cloud = launch(directory)
    sagemaker, s3, iam = (cloud.client(name) for name in ("sagemaker", "s3", "iam"))
    sagemaker.create_model(
        ModelName="model",
        ExecutionRoleArn=cloud.role,
        PrimaryContainer={"Image": "image"},
        Tags=[{"Key": "team", "Value": "mt"}],
    )
    model = sagemaker.describe_model(ModelName="model")
    s3.put_object(Bucket=cloud.bucket, Key="a/b", Body=b"kept")
    iam.create_user(UserName="somebody")
    pids = stubborn_job(cloud, tmp_path, "lost")
    # The other services' state is saved within about a second.
    index = directory / f"services/s3/{cloud.bucket}/index.json"
    until(lambda: index.exists() and "a/b" in index.read_text())
    until(lambda: "somebody" in (directory / "services/iam.json").read_text())
    until(lambda: [p for p in directory.rglob("*.jsonl") if "pids" in p.read_text()])

    assert "another local cloud runs on it" in refused(directory)
    assert f"(process {cloud.process.pid})" in refused(directory)
    cloud.process.kill()
    cloud.process.wait()
    assert until(lambda: gone(*pids))

    again = launch(directory)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "LONGSPAN_BUCKET"):
        assert again.environment[name] == cloud.environment[name]
    sagemaker = again.client("sagemaker")
    found = sagemaker.describe_model(ModelName="model")
    assert {**found, "ResponseMetadata": 0} == {**model, "ResponseMetadata": 0}
    assert sagemaker.list_tags(ResourceArn=found["ModelArn"])["Tags"][0]["Value"] == "mt"
    body = again.client("s3").get_object(Bucket=again.bucket, Key="a/b")["Body"].read()
    assert body == b"kept"
    assert again.client("iam").get_user(UserName="somebody")["User"]["UserName"] == "somebody"
    events = again.client("logs").filter_log_events(logGroupName="/aws/sagemaker/ProcessingJobs")
    assert events["events"][0]["message"].startswith("pids ")
    lost = status(again, "lost")
    assert lost["status"] == "Failed"
    assert "local cloud" in lost["reason"]


def test_the_end_of_its_input_ends_it(launch: Callable[..., RunningCloud], tmp_path: Path) -> None:
    cloud = launch(tmp_path, "--region", "eu-west-1")
    assert cloud.environment["AWS_DEFAULT_REGION"] == "eu-west-1"
    card = json.loads((tmp_path / "cloud.json").read_text())
    assert card == {**cloud.environment, "pid": cloud.process.pid}
    assert cloud.stop() == 0
    assert not (tmp_path / "cloud.json").exists()


def test_a_port_that_is_taken_is_named_and_nothing_stays(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = refused(tmp_path, "--port", port)
    assert "Address already in use" in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cloud.lock"]


@pytest.mark.parametrize("path", ["state/model/us-east-1/a.json", "services/iam.json"])
def test_state_that_is_no_state_is_named(tmp_path: Path, path: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text("{")
    line = refused(tmp_path)
    assert f"{tmp_path / path}: expected JSON that a local cloud wrote" in line


def test_a_directory_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "Not a directory" in refused(tmp_path / "file/below")


def test_an_option_that_is_wrong_is_explained() -> None:
    done = subprocess.run(
        [*PROGRAM, "--directory", "x", "--runtime", "podman"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "invalid choice: 'podman'" in done.stderr


def test_the_users_own_settings_reach_nobody(
    tmp_path: Path,
) -> None:
    """`stubborn_job` sees AWS_PROFILE, which would not even be found."""
    process = subprocess.Popen(
        [*PROGRAM, "--until-eof", "--directory", str(tmp_path / "cloud")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "AWS_PROFILE": "mine", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
    )
    assert process.stdout is not None
    cloud = RunningCloud(process, json.loads(process.stdout.readline()), tmp_path / "cloud")
    try:
        stubborn_job(cloud, tmp_path, "one")
    finally:
        cloud.close()


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"NO_PROXY": "127.0.0.1"}),
        ({"NO_PROXY": "a.b, 127.0.0.1"}, {"NO_PROXY": "a.b,127.0.0.1"}),
        ({"no_proxy": "a.b"}, {"NO_PROXY": "127.0.0.1", "no_proxy": "a.b,127.0.0.1"}),
    ],
)
def test_a_proxy_gets_no_request(
    launch: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    before: dict[str, str],
    after: dict[str, str],
) -> None:
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        for variable, value in before.items():
            monkeypatch.setenv(variable, value)
        cloud = launch(tmp_path / "cloud", tiny=True)
        assert {k: v for k, v in cloud.environment.items() if k.upper() == "NO_PROXY"} == after
        with open_local(tmp_path / "cloud", {}) as connection:
            assert connection.account == "123456789012"
        # The printed variables keep other programs from it too.
        for variable, value in cloud.environment.items():
            monkeypatch.setenv(variable, value)
        assert boto3.Session().client("sts").get_caller_identity()["Account"] == "123456789012"
        proxy.settimeout(0)
        with pytest.raises(BlockingIOError):
            proxy.accept()


def test_without_a_loopback_it_does_not_start(tmp_path: Path) -> None:
    alone = ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("this user cannot create a network namespace")
    done = subprocess.run(
        [*alone, *PROGRAM, "--directory", str(tmp_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert (done.returncode, done.stderr) == (1, "")
    [line] = done.stdout.splitlines()
    assert "bring the loopback interface up" in json.loads(line)["error"]


def test_the_users_files_of_aws_are_not_read(
    launch: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text("[default]\nendpoint_url = http://127.0.0.1:9\n[broken")
    monkeypatch.setenv("HOME", str(tmp_path))
    cloud = launch(tmp_path / "cloud")
    monkeypatch.setenv("AWS_PROFILE", "no-such")
    with open_local(tmp_path / "cloud", {}) as connection:
        assert connection.endpoint_url == cloud.environment["AWS_ENDPOINT_URL"]
