"""Messages, settings, admission, and what the server's own process need not load."""

import contextlib
import io
import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from longspan.inference.refusals import Busy
from longspan.inference.search.hypothesis import Hypothesis
from longspan.inference.search.settings import SearchSettings
from longspan.inference.server.admission import Admission
from longspan.inference.server.serving import listen
from longspan.inference.server.settings import ServerSettings, available_cores
from longspan.inference.workers.messages import Frame, TranslationJob, TranslationResult, read_frame
from longspan.inference.workers.server_log import ServerLog
from longspan.training.errors import OptionError


def test_messages_come_out_as_they_went_in():
    alignment = np.arange(6, dtype=np.float32).reshape(2, 3)
    job = TranslationJob(
        7, (4, 5, 3), SearchSettings(beam_size=2, with_alignment=True), 0.5, partial=True
    )
    hypotheses = (
        Hypothesis([4, 5], -1.5, -2.5, True, alignment),
        Hypothesis([], -3.0, -3.0, False, np.zeros((0, 3), dtype=np.float32)),
        Hypothesis([9], -4.0, -4.0, True),
    )
    result = TranslationResult(7, hypotheses, 0.1, 0.2, 3)
    stream = io.BytesIO(job.frame().pack() + result.frame().pack())
    first, second = read_frame(stream), read_frame(stream)
    assert first is not None
    assert second is not None
    assert read_frame(stream) is None
    assert TranslationJob.of(first.content["job"]) == job
    back = TranslationResult.of(second.content["result"], second.blob)
    assert [h.ids for h in back.hypotheses] == [[4, 5], [], [9]]
    assert np.array_equal(back.hypotheses[0].alignment, alignment)
    assert back.hypotheses[1].alignment.shape == (0, 3)
    assert back.hypotheses[2].alignment is None
    assert read_frame(io.BytesIO(Frame({"beat": True}).pack()[:5])) is None


def test_settings_come_from_the_environment():
    settings = ServerSettings.from_environment(
        {"SAGEMAKER_BIND_TO_PORT": "9000", "LONGSPAN_PROFILE": "fast", "LONGSPAN_PAGE": "true"}
    )
    assert (settings.port, settings.profile, settings.page) == (9000, "fast", True)
    assert ServerSettings.from_environment({}) == ServerSettings()
    assert ServerSettings.from_environment({"SAGEMAKER_BATCH": "true"}).deadline == 3600
    assert ServerSettings.from_environment({"SAGEMAKER_BATCH": "true"}).max_texts == 10**6
    asked = {"SAGEMAKER_BATCH": "true", "LONGSPAN_DEADLINE": "5"}
    assert ServerSettings.from_environment(asked).deadline == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LONGSPAN_QUEUE", "0"),
        ("LONGSPAN_DEADLINE", "nan"),
        ("LONGSPAN_PROFILE", "slow"),
        ("LONGSPAN_PAGE", "perhaps"),
        ("SAGEMAKER_BIND_TO_PORT", "http"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(name: str, value: str):
    with pytest.raises(OptionError, match=f"^{name}: expected .*, got '{value}'$"):
        ServerSettings.from_environment({name: value})


def test_workers_share_the_cores():
    assert ServerSettings().shares(2, has_gpu=False) == (2, 1)
    assert ServerSettings().shares(16, has_gpu=False) == (16, 1)
    assert ServerSettings().shares(64, has_gpu=False) == (16, 4)
    assert ServerSettings().shares(8, has_gpu=True) == (1, 8)
    assert ServerSettings(device="cpu").shares(8, has_gpu=True) == (8, 1)
    assert ServerSettings(workers=1).shares(8) == (1, 8)
    assert ServerSettings(workers=3, threads=2).shares(1) == (3, 2)
    assert ServerSettings(device="cuda:1").shares(8) == (1, 8)
    assert available_cores({"OMP_NUM_THREADS": "3"}) == 3
    assert available_cores({"OMP_NUM_THREADS": "many"}) >= 1


def test_admission_is_bounded_and_says_when_to_come_again():
    admission = Admission(2, 10)
    for _ in range(50):
        admission.took(7.0)
    with admission.enter(), admission.enter():
        with pytest.raises(Busy, match="at most 2 requests") as refused, admission.enter():
            pass
        assert refused.value.retry_after == 7
    with admission.enter():
        assert admission.inside == 1
    assert admission.inside == 0


def test_bodies_share_a_room_which_small_ones_need_not_ask_for():
    admission = Admission(1, 100_000)
    with admission.body() as first, admission.body() as second:
        first(90_000)
        second(60_000)
        assert admission.arriving == 2
        with pytest.raises(Busy, match="at most 100,000 bytes together"):
            second(6_000)
        with admission.enter():
            assert admission.arriving == 1
    with admission.body() as third:
        third(100_000)
    assert admission.arriving == 0


def test_what_broke_is_logged_without_its_message():
    stream = io.StringIO()
    text = " ".join(["what", "the", "user", "wrote"])
    try:
        raise ValueError(text)
    except ValueError as error:
        ServerLog(stream).broke("request broke", error, id="x")
    line = json.loads(stream.getvalue())
    assert line["error"] == "ValueError"
    assert "test_parts_of_the_server" in line["where"]
    assert 'user wrote"' not in stream.getvalue().split('"where"')[0]


def test_a_log_that_nobody_reads_stops_nothing():
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w")
    ServerLog(stream).write("request")
    with contextlib.suppress(BrokenPipeError):
        stream.close()


def test_the_server_itself_needs_no_torch():
    code = (
        "import sys, longspan.inference.server.serving; "
        "sys.exit(bool({'torch', 'sagemaker', 'boto3'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_no_part_of_an_answer_waits_until_the_client_acknowledges_another():
    with (
        listen(ServerSettings(host="127.0.0.1", port=0)) as server,
        socket.create_connection(server.getsockname()),
        server.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
