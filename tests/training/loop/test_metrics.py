import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.metrics import (
    METRICS,
    OBJECTIVES,
    metric_definitions,
    metrics_line,
)
from tests.metric_lines import parse_metrics

NUMBERS = st.floats(-1e12, 1e12, allow_nan=False)


@pytest.mark.parametrize("name", METRICS)
@given(value=NUMBERS)
def test_a_line_matches_its_own_expression_once_and_no_other(name, value):
    line = metrics_line({name: value})
    for definition in metric_definitions():
        found = re.findall(definition["Regex"], line)
        if definition["Name"] == name:
            assert [float(text) for text in found] == [pytest.approx(value, rel=1e-3)]
        else:
            assert found == []


@given(st.dictionaries(st.sampled_from(list(METRICS)), NUMBERS))
def test_all_are_read_back_from_one_line(values):
    line = f"update 7 epoch 1.25 {metrics_line(values)} elapsed 0:00:10"
    assert parse_metrics(line) == pytest.approx(values, rel=1e-3)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_not_printed(value):
    with pytest.raises(ValueError, match="validation:bleu: expected a finite number"):
        metrics_line({"validation:bleu": value})


def test_each_optimized_metric_is_an_objective():
    rule = next(row for row in Hyperparameters.describe() if row[0] == "optimized_metric")
    assert tuple(f"validation:{name}" for name in rule[2].split(" | ")) == OBJECTIVES
    assert set(OBJECTIVES) <= set(METRICS)


def test_goals_and_name_lengths_are_what_sagemaker_takes():
    assert {metric.goal for metric in METRICS.values()} == {"Minimize", "Maximize"}
    assert all(1 <= len(d["Regex"]) <= 500 and len(d["Name"]) <= 255 for d in metric_definitions())


def test_without_torch():
    code = "import sys, longspan.training.loop.metrics; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
