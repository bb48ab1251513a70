"""Metrics as the job's own regular expressions find them, within a time."""

import logging
import re
import threading
import time
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longspan.infra.local.control.api import ValidationError
from longspan.infra.local.jobs.scraper import Scraper, check_patterns
from longspan.training.loop.metrics import METRICS, metric_definitions, metrics_line

# DescribeTrainingJob shows it for AWS's XGBoost.
XGBOOST = r".*\[[0-9]+\].*#011validation-auc:([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*"


def scrape(
    definitions: Sequence[Mapping[str, str]], *batches: Sequence[str]
) -> list[tuple[str, float]]:
    scraper = Scraper(definitions)
    for lines in batches:
        scraper.feed(lines)
    return scraper.finish(threading.Event())


def definition(pattern: str, name: str = "loss") -> dict[str, str]:
    return {"Name": name, "Regex": pattern}


def test_values_come_in_the_order_of_the_log() -> None:
    found = scrape(
        [definition("loss=([0-9.e-]+)"), definition("b=(.)", "b")],
        ["loss=2 loss=1e-3 b=7", "nothing"],
        [],
        ["loss=0.5"],
    )
    assert found == [("loss", 2.0), ("loss", 0.001), ("b", 7.0), ("loss", 0.5)]


def test_values_are_there_before_the_end() -> None:
    scraper = Scraper([definition("loss=(.)")])
    scraper.feed(["loss=1"])
    found: list[tuple[str, float]] = []
    deadline = time.monotonic() + 180
    while not found:
        assert time.monotonic() < deadline
        found = scraper.found()
    assert found == [("loss", 1.0)]
    scraper.feed(["loss=2"])
    assert scraper.finish(threading.Event()) == [("loss", 2.0)]


@pytest.mark.parametrize("pattern", ["loss=[0-9]+", "loss=([a-z]+)", "(x)?loss"])
def test_a_match_without_a_finite_number_is_none(pattern: str) -> None:
    assert scrape([definition(pattern)], ["loss=abc loss=1 loss=nan loss=inf loss=infinity"]) == []


@settings(max_examples=5)
@given(
    st.sampled_from(["nan", "-nan", "NaN", "inf", "-inf", "Infinity", "1e999", "-1e400"])
    | st.floats(min_value=2.0**361).map(repr)
)
def test_a_value_that_cloudwatch_refuses_is_left_out(word: str) -> None:
    found = scrape([definition(r"loss=(\S+)")], [f"loss={word} loss=0.5"])
    assert found == [("loss", 0.5)]


@pytest.mark.parametrize("pattern", ["loss=(", r"\p{L}", "(?<=a+)b", "a{99999999999}"])
def test_a_pattern_that_is_none_is_named(pattern: str) -> None:
    with pytest.raises(ValidationError, match="of the metric loss"):
        check_patterns([definition(pattern)])


@pytest.mark.parametrize("pattern", [r"{\"loss\": (\d)}", r"[[:x]+=(\d)", r"e{e}=(\d)"])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_patterns_mean_what_python_says(pattern: str) -> None:
    """Other implementations take these for sets of sets and for fuzzy matches."""
    lines = ['{"loss": 1}', "x=2", "[:]=3", "e{e}=4", "e=5", "ee=6"]
    wanted = [float(m[1]) for line in lines for m in re.finditer(pattern, line)]
    assert wanted
    assert [value for _, value in scrape([definition(pattern)], lines)] == wanted


def test_a_slow_pattern_holds_up_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Each of these would take years, or minutes, in the thread of the job."""
    slow = {"a": "^(a+)+([0-9.]+)$", "b": "(?:a|aa)+$([0-9])", "c": XGBOOST}
    definitions = [definition(pattern, name) for name, pattern in slow.items()]
    lines = ["loss=1", "a" * 60 + "!", "[1]" * 3000, "loss=2 [7]x#011validation-auc:0.5"]
    with caplog.at_level(logging.WARNING):
        found = scrape([*definitions, definition("loss=(.)")], lines)
    assert found == [("loss", 1.0), ("c", 0.5), ("loss", 2.0)]
    assert "of the metric a took too long" in caplog.text


def test_feeding_does_not_wait() -> None:
    scraper = Scraper([definition("^(a+)+([0-9.]+)$")])
    for _ in range(100):
        scraper.feed(["a" * 60] * 10_000)  # more than a pipe holds
        assert scraper.found() == []
    scraper.close()


def test_a_pattern_that_stays_slow_is_given_up() -> None:
    definitions = [definition("^(a+)+([0-9.]+)$", "slow"), definition("=(.)")]
    found = scrape(definitions, [*["a" * 60] * 500, "=1"])
    assert found == [("loss", 1.0)]


def test_an_end_does_not_wait_for_a_search() -> None:
    scraper = Scraper([definition("^(a+)+([0-9.]+)$", str(number)) for number in range(40)])
    scraper.feed(["a" * 60] * 40)
    scraper.close()
    assert scraper.found() == []
    assert scraper._process is None or scraper._process.returncode is not None


@settings(max_examples=5)
@given(st.floats(min_value=-1e6, max_value=1e6, allow_nan=False))
def test_the_trainers_own_lines_are_found(value: float) -> None:
    found = dict(scrape(metric_definitions(), [metrics_line(dict.fromkeys(METRICS, value))]))
    assert set(found) == set(METRICS)
    for one in found.values():
        assert one == pytest.approx(value, rel=1e-4, abs=1e-4)
