import io

from longspan.training.progress import Progress, progress


class Clock:
    """Five seconds pass from item to item, none while a line is printed."""

    def __init__(self):
        self.now = 0

    def __call__(self):
        return self.now


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_items_pass_through_unchanged(capsys):
    assert list(progress(iter("abc"), label="letters")) == ["a", "b", "c"]
    assert capsys.readouterr().err == ""  # nothing to say about less than ten seconds


def test_a_log_gets_a_line_every_ten_seconds():
    log, clock = io.StringIO(), Clock()
    with Progress(6, "pairs", "reading", stream=log, clock=clock) as shown:
        for _ in range(6):
            clock.now += 5
            shown.add()
    assert log.getvalue().splitlines() == [
        "reading: 33% (2 of 6 pairs), 10 s, 0.2 pairs/s",
        "reading: 67% (4 of 6 pairs), 20 s, 0.2 pairs/s",
        "reading: 100% (6 of 6 pairs), 30 s, 0.2 pairs/s",
    ]


def test_a_terminal_gets_a_bar():
    terminal = Terminal()
    with Progress(2, "it", "work", stream=terminal) as shown:
        shown.reach(2)
        shown.reach(1)  # never backwards
    assert "work: 100%" in terminal.getvalue()
    assert "2.00/2.00" in terminal.getvalue()


def test_bytes_are_shown_in_megabytes():
    log, times = io.StringIO(), iter(range(0, 100, 20))
    with Progress(4_000_000, "B", stream=log, clock=lambda: next(times)) as shown:
        shown.add(1_500_000)
    assert log.getvalue().startswith("38% (1.5 MB of 4.0 MB), ")
