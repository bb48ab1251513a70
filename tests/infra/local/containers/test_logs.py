"""Lines on their way from a container's file to CloudWatch Logs."""

from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from longspan.infra.local.containers.logs import LogStream, LogTail


class Logs:
    """What PutLogEvents takes, within its limits."""

    class exceptions:  # noqa: N801 - as boto3 names it
        class ResourceAlreadyExistsException(Exception):  # noqa: N818
            pass

    def __init__(self, *, denied: bool = False) -> None:
        self.batches: list[list[str]] = []
        self.denied = denied
        self.asked = 0

    def create_log_group(self, **_: Any) -> None:
        self.asked += 1
        if self.denied:
            answer: Any = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}
            raise ClientError(answer, "CreateLogGroup")
        raise self.exceptions.ResourceAlreadyExistsException

    def create_log_stream(self, **_: Any) -> None:
        pass

    def put_log_events(self, logEvents: list[dict[str, Any]], **_: Any) -> None:  # noqa: N803
        messages = [event["message"] for event in logEvents]
        assert 1 <= len(messages) <= 10_000
        assert sum(len(message.encode()) + 26 for message in messages) <= 1_048_576
        assert all(0 < len(message.encode()) <= 262_144 - 26 for message in messages)
        self.batches.append(messages)


def stream(logs: Logs) -> LogStream:
    return LogStream(logs, "group", "stream", lambda: 1.0)


@given(st.lists(st.binary(max_size=40), max_size=10), st.binary(max_size=10))
def test_every_line_comes_once_however_it_was_written(parts: list[bytes], last: bytes) -> None:
    """Against reading the whole file at once."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        tail = LogTail(path)
        found = list(tail.read())
        for part in (*parts, last):
            with path.open("ab") as file:
                file.write(part)
            found += tail.read()
        found += tail.rest()
    whole = b"".join((*parts, last)).split(b"\n")
    shown = [
        line.rstrip(b"\r").rsplit(b"\r", 1)[-1].decode("utf-8", "backslashreplace")
        for line in whole
    ]
    assert found == [line for line in shown if line.strip()]


def test_of_a_progress_bar_its_last_state_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"10%\r50%\r100%\nnext\r\n")
    assert LogTail(path).read() == ["100%", "next"]


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=50), max_size=30))
def test_nothing_is_lost_or_reordered(lines: list[str]) -> None:
    logs = Logs()
    stream(logs).write(lines)
    assert [message for batch in logs.batches for message in batch] == lines


def test_long_lines_and_many_lines_keep_to_the_limits() -> None:
    logs = Logs()
    line = "長" * 700_000
    stream(logs).write([line, *["x"] * 25_000])
    messages = [message for batch in logs.batches for message in batch]
    assert "".join(messages) == line + "x" * 25_000


def test_without_the_right_to_log_a_job_goes_on() -> None:
    logs = Logs(denied=True)
    writer = stream(logs)
    writer.write(["one"])
    writer.write(["two"])
    assert logs.batches == []
    assert logs.asked == 1
