import io

from longspan.training.loop.training_log import TrainingLog, TrainingProgress, clock_text
from tests.metric_lines import parse_metrics

METRICS = {
    "train:loss": 2.0,
    "train:perplexity": 7.389,
    "train:accuracy": 0.5,
    "train:tokens_per_second": 1234.0,
    "train:learning_rate": 0.001,
}


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_log_gets_lines_with_metrics_and_remaining_time():
    lines = []
    log = TrainingLog(write=lines.append, stream=io.StringIO())
    log.show(TrainingProgress(200, 1.5, 600.0, 0.25, METRICS))
    assert parse_metrics(lines[0]) == METRICS
    assert lines[0].startswith("update 200 epoch 1.50 ")
    assert lines[0].endswith("elapsed 0:10:00 remaining 0:30:00")
    assert log.seconds_between == 10


def test_without_a_limit_no_remaining_time_is_known():
    assert "remaining" not in TrainingProgress(200, 1.5, 600.0, None, METRICS).line


def test_a_terminal_gets_a_bar_and_notes_above_it():
    lines, terminal = [], Terminal()
    log = TrainingLog(write=lines.append, stream=terminal)
    log.note("before")
    for share in (0.25, 0.5):
        log.show(TrainingProgress(200, 1.5, 600.0, share, METRICS))
    log.note("beside")
    log.close()
    assert lines == ["before", "beside"]
    for text in ("25%", "50%", "epoch 1.50", "perplexity 7.389", "1234 tokens/s", "remaining"):
        assert text in terminal.getvalue()


def test_a_silent_one_shows_nothing(capsys):
    log = TrainingLog.silent()
    log.note("text")
    log.show(TrainingProgress(1, 0.1, 1.0, None, METRICS))
    log.close()
    assert capsys.readouterr() == ("", "")


def test_clock():
    assert [clock_text(s) for s in (0, 59.9, 3723, 90000)] == [
        "0:00:00",
        "0:00:59",
        "1:02:03",
        "25:00:00",
    ]
