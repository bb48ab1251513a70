"""What a config file may hold, and what is said of one that cannot be used."""

from pathlib import Path

import pytest

from longspan.pipelines.config import Config, ConfigError, load_config, parse_config

DATA = "data:\n  pairs: s3://bucket/pairs\n"


def mistakes_of(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "my.yaml")
    return list(caught.value.lines)


def mistake_of(rest: str) -> str:
    """The only mistake of a config that has good data, without the file's name."""
    (line,) = mistakes_of(DATA + rest)
    return line.removeprefix("my.yaml:")


def test_two_lines_are_a_config() -> None:
    config = parse_config(DATA)
    assert config.data.pairs == ["s3://bucket/pairs"]
    assert config.group == config.endpoint_name == config.name == "longspan"
    assert config.tuning.objective == "validation:bleu_long"
    assert config.tuning.goal == "Maximize"
    assert set(config.tuning.search_space) == {
        "attention_type",
        "attention_heads",
        "attention_dimension",
        "attention_dropout",
        "coverage_mechanism",
        "attention_location",
        "length_augmentation",
    }


def test_a_section_of_comments_alone_has_its_defaults() -> None:
    assert parse_config(DATA + "gate:\n  # minimum_bleu_long: 3\n") == parse_config(DATA)


def test_numbers_are_those_of_yaml_1_2() -> None:
    config = parse_config(DATA + "training: {hyperparameters: {learning_rate: 1e-3}}\n")
    assert config.training.hyperparameters == {"learning_rate": 0.001}


@pytest.mark.parametrize(
    ("rest", "line", "name", "near"),
    [
        ("tunning: {}\n", 3, "tunning", "tuning"),
        ("tuning:\n  job: 3\n", 4, "tuning.job", "jobs"),
        ("aws:\n  kms:\n    volum: x\n", 5, "aws.kms.volum", "volume"),
        ("endpoint:\n  serverless: {memory: 1024}\n", 4, "endpoint.serverless.memory", "memory_mb"),
        (
            "training:\n  hyperparameters:\n    rnn_num_hiden: 8\n",
            5,
            "training.hyperparameters.rnn_num_hiden",
            "rnn_num_hidden",
        ),
        ("training:\n  instance_type: ml.g5.xlrge\n", 4, "training.instance_type", "ml.g5.xlarge"),
        ("tuning:\n  strategy: Bayes\n", 4, "tuning.strategy", "Bayesian"),
    ],
)
def test_a_wrong_name_is_refused_with_its_line_and_the_nearest_right_one(
    rest: str, line: int, name: str, near: str
) -> None:
    said = mistake_of(rest)
    assert said.startswith(f"{line}: {name}: ")
    assert said.endswith(f"did you mean {near}?")


def test_a_key_of_another_section_is_sent_there() -> None:
    assert mistake_of("spot: true\n") == "3: spot: no such key here; it belongs to training"


def test_a_key_unlike_any_other_gets_the_list() -> None:
    said = mistake_of("gate: {xyzzy: 1}\n")
    assert "known here: minimum_bleu_long, minimum_bleu_short" in said


def test_a_key_that_is_no_text_is_a_mistake_and_no_crash() -> None:
    assert "keys" in mistake_of("1: 2\n")


def test_every_mistake_is_told_in_the_order_of_the_file() -> None:
    lines = mistakes_of(
        "name: a_b\n"
        "data: {pairs: [a.tsv, s3://bucket/b]}\n"
        "preparation: {min_words: 9, max_words: 3}\n"
        "tuning:\n"
        "  jobs: 0\n"
        "  paralel_jobs: 1\n"
    )
    assert [line.split(": ")[0] for line in lines] == [f"my.yaml:{n}" for n in (1, 2, 3, 5, 6)]


def test_the_exception_itself_is_one_line_that_counts_the_others() -> None:
    with pytest.raises(ConfigError, match=r"^c\.yaml:1: a: .*\(and 1 more: longspan validate"):
        parse_config("a: 1\nb: 2\ndata: {pairs: x}\n", "c.yaml")


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (
            "tuning: {jobs: '3'}\n",
            "expected an integer from 1 to 750 or null, got '3'; take the quotes away",
        ),
        ("tuning: {jobs: 0}\n", "expected an integer from 1 to 750 or null, got 0"),
        ("gate: {minimum_bleu_long: .nan}\n", "expected a number from 0 to 100, got nan"),
        ("training: {spot: 1}\n", "expected true | false, got 1"),
        ("tuning: 3\n", "expected an object, got 3"),
        ("endpoint: {serverless: {memory_mb: 1000}}\n", "expected 1024 | 2048"),
        ("training: {variables: {A: 3}}\n", "expected a text, got 3"),
        ("training: {spot: yes}\n", "expected true | false, got 'yes'"),
        ("prices: {ml.x: -1.0}\n", "expected at least 0"),
    ],
)
def test_a_value_of_the_wrong_kind_is_shown(rest: str, said: str) -> None:
    assert said in mistake_of(rest)


def test_norwegian_is_no_truth() -> None:
    config = parse_config("data: {pairs: a.tsv, source_language: no, header: yes}\n")
    assert config.data.source_language == "no"
    assert config.data.header == "yes"


def test_a_key_that_stands_twice_is_refused() -> None:
    said = mistake_of("tuning:\n  jobs: 3\n  jobs: 4\n")
    assert said == "5: tuning.jobs: duplicate key, first on line 4; remove one"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "my.yaml: data: is missing"),
        ("- 1\n", "my.yaml: expected sections such as data: and training:, got a list"),
        ("data: [\n", "my.yaml:2: expected YAML, got something else"),
        ("data: {}\n", "my.yaml:1: data: expected pairs (your files) or sample"),
        ("data: {sample: {}, test: a}\n", "my.yaml:1: data.test: sample generates these pairs too"),
        ("data: {pairs: s3://bucket}\n", "my.yaml:1: data.pairs[0]: expected s3://BUCKET/PREFIX"),
        ("data: {pairs: 's3://bucket/a,b'}\n", "my.yaml:1: data.pairs[0]: expected at most 256"),
        (
            "data: {pairs: a, target_language: jp}\n",
            "my.yaml:1: data.target_language: expected the ISO 639 code of a language, such as en, "
            "ja or pt-br, got 'jp'; did you mean ja?",
        ),
    ],
)
def test_a_file_that_is_no_config(text: str, said: str) -> None:
    (line,) = mistakes_of(text)
    assert line.startswith(said)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file: `longspan init"):
        load_config(tmp_path / "none.yaml")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="expected a text file"):
        load_config(path)


def test_nothing_of_a_config_can_be_changed() -> None:
    config = parse_config(DATA)
    with pytest.raises(ValueError, match="frozen"):
        config.name = "other"


def test_what_a_config_says_can_be_read_back() -> None:
    config = parse_config(DATA + "endpoint: {autoscaling: {max_instances: 3}}\n")
    assert Config.model_validate(config.model_dump()) == config


def test_an_empty_section_beside_a_wrong_one_is_not_a_mistake() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config("data: {pairs: a.tsv}\ngate:\ntuning: 3\n", "my.yaml")
    assert caught.value.lines == ("my.yaml:3: tuning: expected an object, got 3",)
