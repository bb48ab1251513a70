"""config/config.py: values on which the sections of a config must agree."""

import pytest

from longspan.pipelines.config import parse_config
from tests.pipelines.config.test_reading import DATA, mistake_of


@pytest.mark.parametrize(
    ("rest", "name", "said"),
    [
        (
            "endpoint: {serverless: {}, instance_type: ml.m5.large}\n",
            "endpoint.instance_type",
            "serverless has no machines",
        ),
        (
            "endpoint: {serverless: {}}\naws: {network_isolation: true}\n",
            "endpoint.serverless",
            "do not support aws.network_isolation",
        ),
        (
            "endpoint: {serverless: {}, rollback_alarms: [a]}\n",
            "endpoint.rollback_alarms",
            "AWS does not watch updates of serverless endpoints",
        ),
        (
            "endpoint: {autoscaling: {min_instances: 2, max_instances: 3}}\n",
            "endpoint.instance_count",
            "expected within autoscaling's 2 to 3, got 1",
        ),
        (
            "aws: {kms: {volume: alias/disks}}\n",
            "aws.kms.volume",
            "expected no key for ml.g5.xlarge of training, which encrypts its own disks",
        ),
        (
            "training: {max_wait_minutes: 3}\n",
            "training.max_wait_minutes",
            "only spot machines have waiting time",
        ),
        (
            "training: {spot: true, max_wait_minutes: 3}\n",
            "training.max_wait_minutes",
            "expected at least max_runtime_minutes=480",
        ),
        ("aws: {role: 'a role'}\n", "aws.role", "expected arn:aws:iam::ACCOUNT:role/NAME"),
        (
            "aws: {tags: {'aws:x': y}}\n",
            "aws.tags.aws:x",
            "AWS reserves names that begin with aws:",
        ),
        (
            "baseline: {hyperparameters: {attention_heads: 3}}\n",
            "baseline.hyperparameters",
            "attention_heads=3: must divide attention_dimension=512",
        ),
    ],
)
def test_sections_that_contradict_each_other(rest: str, name: str, said: str) -> None:
    line = mistake_of(rest)
    assert f": {name}: " in line
    assert said in line


@pytest.mark.parametrize("section", ["training", "baseline"])
def test_one_tokenizer_holds_for_all_jobs(section: str) -> None:
    given = f"{section}: {{hyperparameters: {{bleu_tokenizer: char}}}}\n"
    line = mistake_of(given)
    assert f"{section}.hyperparameters.bleu_tokenizer: expected evaluation.bleu_tokenizer" in line
    parse_config(f"data: {{pairs: a.tsv}}\n{given}evaluation: {{bleu_tokenizer: char}}\n")


@pytest.mark.parametrize(
    ("tuning", "name", "said"),
    [
        ("objective: validation:blue", "objective", "expected one of validation:perplexity"),
        ("direction: Minimize", "direction", "expected Maximize for validation:bleu_long"),
        ("jobs: 2, parallel_jobs: 3", "parallel_jobs", "expected at most 2, the number of jobs"),
        ("hyperband: {max_resource: 3}", "hyperband", "is for the strategy Hyperband"),
        (
            "strategy: Hyperband, hyperband: {min_resource: 9, max_resource: 3}",
            "hyperband.min_resource",
            "expected at most max_resource=3",
        ),
        (
            "strategy: Hyperband, hyperband: {max_resource: 9}, early_stopping: true",
            "early_stopping",
            "stops jobs itself",
        ),
        ("strategy: Hyperband", "strategy", "set hyperband: {max_resource: NUMBER}"),
        (
            "strategy: Grid, search_space: {learning_rate: {min: 0.1, max: 0.2}}",
            "search_space.learning_rate",
            "expected a list of values for Grid",
        ),
        (
            "strategy: Grid, jobs: 5, search_space: {attention_heads: [1, 2]}",
            "jobs",
            "expected 2, the number of combinations, for Grid, got 5",
        ),
        (
            "strategy: Grid, warm_start: {parents: [a]}, search_space: {attention_heads: [1, 2]}",
            "warm_start",
            "Grid does not learn",
        ),
        ("early_stopping: true", "early_stopping", "optimized_metric: bleu_long"),
        (
            "strategy: Hyperband, hyperband: {max_resource: 9}",
            "strategy",
            "optimized_metric: bleu_long",
        ),
    ],
)
def test_a_search_that_cannot_be(tuning: str, name: str, said: str) -> None:
    line = mistake_of(f"tuning: {{{tuning}}}\n")
    assert f": tuning.{name}: " in line
    assert said in line


@pytest.mark.parametrize(
    "rest",
    [
        "tuning: {early_stopping: true, objective: validation:accuracy}\n",
        "tuning: {early_stopping: true, objective: validation:perplexity}\n",
        "tuning: {early_stopping: true}\n"
        "training: {hyperparameters: {optimized_metric: bleu_long}}\n",
    ],
)
def test_a_job_can_be_stopped_by_what_it_measures_at_each_checkpoint(rest: str) -> None:
    assert parse_config(DATA + rest).tuning.early_stopping


@pytest.mark.parametrize(("most", "is_refused"), [(2, True), (3, False), (4, False)])
def test_hyperband_lets_the_best_job_use_its_whole_budget(most: int, is_refused: bool) -> None:
    budget = "max_num_batches: 250, checkpoint_frequency_num_batches: 100"
    rest = (
        f"training: {{hyperparameters: {{optimized_metric: bleu_long, {budget}}}}}\n"
        f"tuning: {{strategy: Hyperband, hyperband: {{max_resource: {most}}}}}\n"
    )
    if is_refused:
        line = mistake_of(rest)
        assert "tuning.hyperband.max_resource: expected at least 3, the checkpoints" in line
    else:
        assert parse_config(DATA + rest).tuning.hyperband is not None


def test_a_grid_counts_its_jobs() -> None:
    space = "{attention_heads: [1, 2], coverage_mechanism: [none, loss], label_smoothing: [0.1]}"
    config = parse_config(DATA + f"tuning: {{strategy: Grid, search_space: {space}}}\n")
    assert config.tuning.number_of_jobs == 4


def test_checkpoints_are_kept_where_machines_may_vanish() -> None:
    def keeps(training: str) -> bool:
        return parse_config(DATA + f"training: {{{training}}}\n").training.keeps_checkpoints

    assert keeps("spot: true")
    assert not keeps("spot: false")
    assert keeps("checkpoints: true")
