"""The real server without rights, without a network and without a place to write to."""

import ctypes
import fcntl
import os
import shutil
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

_NEW_MOUNTS, _NEW_NETWORK = 0x00020000, 0x40000000  # linux/sched.h
_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 1, 32, 4096, 16384, 1 << 18  # linux/mount.h
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1  # linux/sockios.h, linux/if.h
# None of root's rights, and none to come. Another user too could not run a Python in root's home.
_NO_RIGHTS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")


@pytest.fixture
def isolated() -> Callable[[Callable[[], None]], None]:
    """Run something in a thread that has no network but loopback, and can write nowhere."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can give up a network and rights, by util-linux's setpriv")

    def run(body: Callable[[], None]) -> None:
        failures: list[BaseException] = []

        def inside() -> None:
            try:
                _enter()
                body()
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        if failures:
            raise failures[0]

    return run


def test_a_folder_that_is_only_read_without_network_or_rights(isolated, launch, base: Path):
    def serve() -> None:
        with pytest.raises(OSError, match="Read-only file system"):
            (base / "model" / "new").touch()
        with pytest.raises(OSError, match="Network is unreachable"):
            socket.create_connection(("192.0.2.1", 80), timeout=5)
        server = launch(base, prefix=_NO_RIGHTS).wait_ready()
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        assert "CapEff:\t0000000000000000" in status
        assert server.request("GET", "/ping").status == 200
        assert server.ask({"text": "w1 w2 w3"}).status == 200
        assert server.stop() == 0
        assert server.errors == ""

    isolated(serve)


def _enter() -> None:
    """This thread alone leaves the network and the folders of the others."""
    libc = ctypes.CDLL(None, use_errno=True)

    def call(name: str, *arguments: object) -> None:
        if getattr(libc, name)(*arguments) != 0:
            number = ctypes.get_errno()
            if name == "unshare":
                pytest.skip(f"this kernel or container gives no namespaces: {os.strerror(number)}")
            raise OSError(number, f"{name}{arguments}: {os.strerror(number)}")

    call("unshare", _NEW_MOUNTS | _NEW_NETWORK)
    call("mount", None, b"/", None, _RECURSIVE | _PRIVATE, None)
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        place = line.split()[4].encode()
        if not place.startswith((b"/proc", b"/sys", b"/dev/pts")):
            call("mount", None, place, None, _REMOUNT | _BIND | _READ_ONLY, None)
    with socket.socket() as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, _GET_FLAGS, request))[1]
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", flags | _UP))
