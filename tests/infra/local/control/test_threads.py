"""Work in threads: told to stop by key, and joined when the cloud closes."""

import threading
from functools import partial

import pytest

from longspan.infra.local.control.documents import Documents, Key
from longspan.infra.local.control.threads import Signals, Threads

WAIT = 60.0  # seconds after which a test gives up
FIRST, SECOND = Key("job", "us-east-1", "first"), Key("job", "us-east-1", "second")


@pytest.fixture
def documents() -> Documents:
    return Documents()


def test_stop_reaches_the_work_on_one_document(documents: Documents) -> None:
    threads, told = Threads(documents), {FIRST: threading.Event(), SECOND: threading.Event()}

    def work(key: Key, signals: Signals) -> None:
        while not signals.ending:
            signals.stop.wait(0.01)
        if signals.stop.is_set():
            told[key].set()

    for key in told:
        threads.start(key, partial(work, key))
    threads.stop(FIRST)
    assert told[FIRST].wait(WAIT)
    threads.close()
    assert not told[SECOND].is_set()


def test_close_joins_all_work_also_work_that_waits_for_a_document(documents: Documents) -> None:
    threads, ended = Threads(documents), []
    documents.create(FIRST, {"CreationTime": 0.0})

    def wait(signals: Signals) -> None:
        documents.wait(FIRST, lambda _: signals.close.is_set())
        threads.start(SECOND, lambda again: ended.append(again.close.wait(WAIT)))
        ended.append(True)

    threads.start(FIRST, wait)
    threads.at_close(lambda: ended.append(threads.closing.is_set()))
    threads.close()
    assert ended == [True, True, True]


def test_two_threads_on_one_document_end_apart(documents: Documents) -> None:
    """As when a job is deleted and created again while its first thread still ends."""
    threads, gate, stopped = Threads(documents), threading.Event(), threading.Event()
    threads.start(FIRST, lambda _: gate.wait(WAIT))
    threads.start(FIRST, lambda signals: signals.stop.wait(WAIT) and stopped.set())
    gate.set()
    threads.stop(FIRST)
    assert stopped.wait(WAIT)
    threads.close()


def test_an_exception_in_work_is_logged(
    documents: Documents, caplog: pytest.LogCaptureFixture
) -> None:
    threads = Threads(documents)

    def fail(_: Signals) -> None:
        raise RuntimeError("no such channel")

    threads.start(FIRST, fail)
    threads.close()
    assert "job first" in caplog.text
    assert "no such channel" in caplog.text
