"""The local cloud's containers in Docker: what the process runtime does, with an image."""

import dataclasses
import http.server
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.runtimes.docker_runtime import DockerRuntime
from longspan.infra.local.runtimes.runtime import Container

pytestmark = pytest.mark.docker

_SECONDS = 60.0


@pytest.fixture
def runtime(image: str) -> Iterator[DockerRuntime]:
    runtime = DockerRuntime()
    yield runtime
    runtime.close()
    assert labelled(runtime.label) == []


def labelled(label: str) -> list[str]:
    """Containers and networks of one local cloud: others may run beside it."""
    found = []
    for kind in (["ps", "--all"], ["network", "ls"]):
        command = ["docker", *kind, "--quiet", "--filter", f"label={label}"]
        found += subprocess.run(command, capture_output=True, text=True).stdout.split()
    return found


def container(folder: Path, image: str, code: str, **members: object) -> Container:
    base = folder / "ml"
    base.mkdir(parents=True, exist_ok=True)
    return Container(
        name=folder.name,
        image=image,
        command=("python", "-c", code),
        base=base,
        log=folder / "log",
        **members,  # type: ignore[arg-type]
    )


def test_a_container_sees_its_base_and_says_how_it_ended(
    runtime: DockerRuntime, image: str, tmp_path: Path
):
    code = "import os; open('/opt/ml/x', 'w').write(os.environ['WORD']); print('done'); exit(3)"
    running = runtime.start(container(tmp_path, image, code, environment={"WORD": "hello"}))
    assert running.wait(_SECONDS) == 3
    assert (tmp_path / "ml/x").read_text() == "hello"
    assert (tmp_path / "log").read_text() == "done\n"


def test_only_what_serves_has_a_port_of_this_machine(
    runtime: DockerRuntime, image: str, tmp_path: Path
):
    waits = "open('/opt/ml/ready', 'w'); import time; time.sleep(600)"
    job = runtime.start(container(tmp_path / "job", image, waits))
    wait_for(tmp_path / "job/ml/ready")
    assert published(runtime.label) == []
    job.kill()
    assert job.wait(_SECONDS) != 0
    # A server ends at once without a model; with one that cannot be read yet it stays.
    served = dataclasses.replace(container(tmp_path / "served", image, ""), command=("serve",))
    (tmp_path / "served/ml/model").mkdir()
    os.mkfifo(tmp_path / "served/ml/model/config.json")
    server = runtime.start(served)
    deadline = time.monotonic() + _SECONDS
    while not (found := published(runtime.label)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert found == [f"{server.url.removeprefix('http://')}->8080/tcp"]
    server.kill()
    assert server.wait(_SECONDS) != 0


def published(label: str) -> list[str]:
    """Ports of this machine that lead to containers of one local cloud."""
    command = ["docker", "ps", "--format", "{{.Ports}}", "--filter", f"label={label}"]
    lines = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
    return [line for line in lines if "->" in line]


def test_sigterm_reaches_the_program(runtime: DockerRuntime, image: str, tmp_path: Path):
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        "open('/opt/ml/ready', 'w')\n"
        "time.sleep(600)"
    )
    running = runtime.start(container(tmp_path, image, code))
    wait_for(tmp_path / "ml/ready")
    assert running.wait(0) is None
    running.terminate()
    assert running.wait(_SECONDS) == 7


def test_killed_is_137_also_at_once(runtime: DockerRuntime, image: str, tmp_path: Path):
    running = runtime.start(container(tmp_path, image, "import time; time.sleep(600)"))
    running.kill()
    assert running.wait(_SECONDS) != 0
    assert runtime.start(container(tmp_path, image, "pass")).wait(_SECONDS) == 0


def test_machines_of_a_job_reach_each_other_by_name(
    runtime: DockerRuntime, image: str, tmp_path: Path
):
    first, second = runtime.host_names(2)
    assert sorted((second, first)) == [first, second]
    serve = (
        "import socket\n"
        "s = socket.create_server(('', 29500)); c, _ = s.accept(); print(c.recv(9).decode())"
    )
    ask = (
        "import socket, time\n"
        "for _ in range(300):\n"
        "    try:\n"
        f"        c = socket.create_connection(('{first}', 29500)); break\n"
        "    except OSError: time.sleep(0.1)\n"
        "c.sendall(b'hello')"
    )
    one = runtime.start(container(tmp_path / "one", image, serve, host=first))
    two = runtime.start(container(tmp_path / "two", image, ask, host=second))
    assert (two.wait(_SECONDS), one.wait(_SECONDS)) == (0, 0)
    assert (tmp_path / "one/log").read_text() == "hello\n"


def test_the_local_cloud_on_the_loopback_is_reached(
    runtime: DockerRuntime, image: str, tmp_path: Path
):
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"cloud")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        code = (
            "import os, urllib.request as u\n"
            "print(u.urlopen(os.environ['AWS_ENDPOINT_URL']).read().decode())"
        )
        environment = {"AWS_ENDPOINT_URL": url}
        running = runtime.start(container(tmp_path, image, code, environment=environment))
        assert running.wait(_SECONDS) == 0
        server.shutdown()
    assert (tmp_path / "log").read_text() == "cloud\n"


def test_a_missing_image_is_named(runtime: DockerRuntime, tmp_path: Path):
    with pytest.raises(LocalCloudError, match="expected the image nobody/has:this on this machine"):
        runtime.start(container(tmp_path, "nobody/has:this", "pass"))


def test_nothing_is_left_of_a_cloud_that_is_killed(image: str, tmp_path: Path):
    program = (
        "import sys, time; from pathlib import Path\n"
        "from longspan.infra.local.runtimes.docker_runtime import DockerRuntime\n"
        "from longspan.infra.local.runtimes.runtime import Container\n"
        "base, log, image = sys.argv[1:]\n"
        "code = \"open('/opt/ml/ready', 'w'); import time; time.sleep(600)\"\n"
        "runtime = DockerRuntime()\n"
        "Path(base, 'label').write_text(runtime.label)\n"
        "runtime.start(Container('left', image, ('python', '-c', code), Path(base), Path(log)))\n"
        "time.sleep(600)"
    )
    command = [sys.executable, "-c", program, str(tmp_path), str(tmp_path / "log"), image]
    with subprocess.Popen(command) as process:
        wait_for(tmp_path / "ready")
        label = (tmp_path / "label").read_text()
        assert len(labelled(label)) == 2
        process.kill()
    deadline = time.monotonic() + _SECONDS
    while labelled(label) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert labelled(label) == []


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} does not appear"
        time.sleep(0.1)
