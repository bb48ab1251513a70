import gc
import os
import signal
import sys
import threading
import time

import pytest

from longspan.training.stop import StopRequest, stop_on_signals, terminated_as_interrupted


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_and_the_handlers_come_back(number):
    before = signal.getsignal(number)
    with stop_on_signals() as stop:
        assert not stop()
        signal.raise_signal(number)
        signal.raise_signal(number)  # a launcher may pass it on once more
        assert stop()
    assert signal.getsignal(number) is before


@pytest.fixture
def interruptible():
    """Python's own handler of SIGINT, whatever the process was started with."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_the_third_interrupt_ends_at_once():
    with stop_on_signals():
        for _ in range(2):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_asking_without_a_signal():
    stop = StopRequest()
    stop.ask()
    assert stop()


def test_sigterm_interrupts_and_the_handler_comes_back():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), terminated_as_interrupted():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def wait(seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.01)


def test_a_second_sigterm_does_not_interrupt_the_cleanup():
    cleaned = []

    def work():
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)
            cleaned.append(True)

    with pytest.raises(KeyboardInterrupt), terminated_as_interrupted():
        work()
    assert cleaned


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_file_without_a_name_yet_is_closed_in_silence(number):
    def opened():
        file = open(os.devnull)  # noqa: SIM115, PTH123, F841
        signal.raise_signal(number)

    with pytest.raises(KeyboardInterrupt), terminated_as_interrupted():
        opened()
    gc.collect()


class Dropping:
    """Its destructor is cut off by the signal; Python drops what a destructor raises."""

    def __init__(self, number):
        self._number = number

    def __del__(self):
        signal.raise_signal(self._number)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_a_destructor_is_not_lost(number):
    def work():
        Dropping(number)
        wait()

    before = sys.unraisablehook
    with pytest.raises(KeyboardInterrupt), terminated_as_interrupted():
        work()
    assert sys.unraisablehook is before


def test_other_threads_leave_signals_alone():
    done = []

    def work():
        with terminated_as_interrupted():
            done.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [signal.getsignal(signal.SIGTERM)]
