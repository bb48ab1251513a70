"""Private parts of uvicorn that the server uses: a new version that moves one fails here, by name.

Repair `server/connections.py` or `server/serving.py`, then look whether the new uvicorn still needs
the hook.
"""

import asyncio
import inspect
from importlib.metadata import version
from types import SimpleNamespace

import h11
import pytest
import uvicorn
from uvicorn.protocols.http import h11_impl
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from longspan.inference.server import connections, serving


def parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_uvicorn_is_the_version_that_the_hooks_were_written_for():
    assert version("uvicorn") == "0.54.0"


@pytest.mark.parametrize(
    ("name", "expected"),
    {
        "connection_made": ["self", "transport"],
        "data_received": ["self", "data"],
        "send_400_response": ["self", "msg"],
        "_should_upgrade": ["self"],
        "timeout_keep_alive_handler": ["self"],
    }.items(),
)
def test_a_connection_has_the_methods_that_are_replaced_or_called(name: str, expected: list[str]):
    assert parameters(getattr(H11Protocol, name)) == expected
    if name in vars(connections.HttpConnection):
        assert parameters(getattr(connections.HttpConnection, name))[1:] == expected[1:]


def test_a_connection_has_the_attributes_that_are_read_and_written():
    async def build() -> H11Protocol:
        config = uvicorn.Config(lambda: None, log_config=None)
        config.load()
        return H11Protocol(config, ServerState(), {"request_log": 1}, asyncio.get_running_loop())

    protocol = asyncio.run(build())
    assert protocol.app_state == {"request_log": 1}
    assert isinstance(protocol.conn, h11.Connection)
    for name in ("app", "cycle", "headers", "loop", "transport", "timeout_keep_alive_task"):
        assert name in vars(protocol), name


def test_bytes_that_h11_refuses_reach_the_hook_while_the_error_is_caught():
    """`send_400_response` looks at the error that uvicorn handles."""
    events = inspect.getsource(H11Protocol.handle_events)
    handler = events.split("except h11.RemoteProtocolError:")[1]
    assert "self.send_400_response(msg)" in handler.split("return")[0]


def test_an_application_runs_as_the_connection_names_it_for_each_request():
    """The connection puts its own wrapper in `app`, and ends a broken body through the cycle."""
    events = inspect.getsource(H11Protocol.handle_events)
    assert "app = self.app\n" in events
    assert "self.cycle.run_asgi(app)" in events
    assert '"raw_path": full_raw_path' in events
    assert '"state": self.app_state.copy()' in events
    cycle = inspect.getsource(h11_impl.RequestResponseCycle)
    assert "self.response_complete = False" in cycle
    assert "await self.message_event.wait()" in cycle


def test_the_keep_alive_timer_is_stopped_by_new_data_and_by_the_end():
    """The limits of time on a request's head are kept with this timer."""
    for method in (H11Protocol.data_received, H11Protocol.connection_lost):
        assert "self._unset_keepalive_if_required()" in inspect.getsource(method)
    state = SimpleNamespace(cancelled=False)
    protocol = SimpleNamespace(
        timeout_keep_alive_task=SimpleNamespace(cancel=lambda: vars(state).update(cancelled=True))
    )
    H11Protocol._unset_keepalive_if_required(protocol)
    assert state.cancelled
    assert protocol.timeout_keep_alive_task is None


def test_the_header_that_closes_a_connection_is_a_pair_of_bytes():
    assert CLOSE_HEADER == (b"connection", b"close")


@pytest.mark.parametrize(
    ("name", "expected"),
    {
        "capture_signals": ["self"],
        "handle_exit": ["self", "sig", "frame"],
        "shutdown": ["self", "sockets"],
        "run": ["self", "sockets"],
    }.items(),
)
def test_a_server_has_the_methods_that_are_replaced_or_called(name: str, expected: list[str]):
    assert parameters(getattr(uvicorn.Server, name)) == expected
    assert parameters(getattr(serving._Uvicorn, name)) == expected


def test_a_server_ends_when_it_is_told_to():
    """`serve` sets `should_exit` where the workers cannot use the model."""
    assert "if self.should_exit:" in inspect.getsource(uvicorn.Server.on_tick)
    assert "with self.capture_signals():" in inspect.getsource(uvicorn.Server.serve)
