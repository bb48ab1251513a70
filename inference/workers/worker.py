"""A worker: a process with the model. It reads jobs from standard input and writes results.

    python -m longspan.inference worker MODEL SETTINGS

It ends when its standard input ends, so it never outlives the server.
"""

import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import torch

from longspan.inference.search.settings import SearchSettings
from longspan.inference.search.spelling import Spelling
from longspan.inference.translation.ready_model import load_ready
from longspan.inference.workers.messages import Frame, TranslationJob, read_frame
from longspan.inference.workers.scheduler import SearchScheduler, Turn
from longspan.inference.workers.worker_process import WorkerSettings
from longspan.training.errors import LongspanError
from longspan.training.tokenizer.tokenizer import EOS, UNK

__all__ = ["main"]

_BEAT_SECONDS = 1.0  # between two signs of life of a busy worker
_WARM_UP = ((UNK, UNK, UNK, EOS), (UNK,) * 40 + (EOS,))


def main(arguments: Sequence[str]) -> int:
    """Work until standard input ends; return the exit status."""
    # The server stops its workers. Signals of a terminal or container reach all processes of the
    # group, but are meant for the server.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    output = _claim_output()
    try:
        directory, text = arguments
        settings = WorkerSettings(**json.loads(text))
        torch.set_num_threads(settings.threads)
        # For this thread, which runs all searches.
        torch.set_grad_enabled(False)
        ready = load_ready(Path(directory), settings.device or None, settings.precision)
        scheduler = SearchScheduler(
            ready.model,
            Spelling.of(ready.tokenizer),
            torch.device(ready.device),
            settings.batch_tokens,
            settings.batch_size,
        )
        _warm_up(scheduler)
    except LongspanError as error:
        _send(output, Frame({"broken": " ".join(str(error).split())}))
        return 1
    _send(output, Frame({"ready": {"device": ready.device, "precision": ready.precision}}))
    _work(scheduler, output)
    return 0


def _claim_output() -> BinaryIO:
    """Return standard output for frames alone; what libraries print goes to standard error."""
    # By file descriptor, so that prints of C libraries cannot get between frames either.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return output


def _warm_up(scheduler: SearchScheduler) -> None:
    """Translate a short and a longer text, so that everything made at first use exists."""
    for number, ids in enumerate(_WARM_UP):
        for beam in (1, 5):
            scheduler.add(TranslationJob(number, ids, SearchSettings(beam_size=beam, max_length=8)))
    while not scheduler.is_idle:
        turn = scheduler.turn()
        if turn.failures:
            raise LongspanError(f"the model cannot translate: {turn.failures[0].reason}")


def _work(scheduler: SearchScheduler, output: BinaryIO) -> None:
    inbox: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
    # A thread, because reading blocks while searches run. A daemon, because it still waits for
    # input when this function raises.
    threading.Thread(target=_receive, args=(inbox,), daemon=True).start()
    said = time.monotonic()
    while _take(inbox, scheduler):
        turn = scheduler.turn()
        if frames := list(_frames(turn)):
            said = time.monotonic()
            _send(output, *frames)
        elif time.monotonic() > said + _BEAT_SECONDS:
            said = time.monotonic()
            _send(output, Frame({"beat": True}))


def _receive(inbox: "queue.SimpleQueue[Frame | None]") -> None:
    while (frame := read_frame(sys.stdin.buffer)) is not None:
        inbox.put(frame)
    inbox.put(None)


def _take(inbox: "queue.SimpleQueue[Frame | None]", scheduler: SearchScheduler) -> bool:
    """Pass all waiting frames to the scheduler; wait for one where it has no work.

    Returns False at the end of the input.
    """
    # Only the first frame is waited for; all others are taken as they are.
    wait = scheduler.patience
    while True:
        try:
            frame = inbox.get(block=wait != 0.0, timeout=wait)
        except queue.Empty:
            return True
        if frame is None:
            return False
        if "job" in frame.content:
            scheduler.add(TranslationJob.of(frame.content["job"]))
        else:
            scheduler.drop(frame.content["drop"])
        wait = 0.0


def _frames(turn: Turn) -> "list[Frame]":
    return [
        *(Frame({"partial": [p.number, p.ids]}) for p in turn.partials),
        *(result.frame() for result in turn.results),
        *(Frame({"failure": [f.number, f.reason]}) for f in turn.failures),
    ]


def _send(output: BinaryIO, *frames: Frame) -> None:
    output.write(b"".join(frame.pack() for frame in frames))
    output.flush()
