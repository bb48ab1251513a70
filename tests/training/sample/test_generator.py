import hashlib
import itertools
import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longspan.training.buckets import BUCKETS, bucket_of
from longspan.training.errors import DataError
from longspan.training.lengths import count_words
from longspan.training.sample.directory import FILES, SAMPLE_HEADER, write_sample
from longspan.training.sample.generator import SampleCorpus, SampleRow, SampleSettings


def make(**changes: int) -> SampleSettings:
    return SampleSettings(**{"pairs": 60, "validation": 8, "test_per_bucket": 1, **changes})


def read(path: Path) -> list[SampleRow]:
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    assert first + "\n" == SAMPLE_HEADER
    return [SampleRow(*line.split("\t")) for line in lines]


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def splits(wanted: SampleSettings) -> dict[str, list[SampleRow]]:
    sample = SampleCorpus(wanted)
    return {
        "test": list(sample.test()),
        "validation": list(sample.validation()),
        "train": list(sample.train()),
    }


@given(seed=st.integers(0, 2**31 - 1))
@settings(max_examples=8, deadline=None)
def test_every_seed_gives_every_bucket_and_shares_nothing(seed: int) -> None:
    rows = splits(make(seed=seed))
    for split in ("test", "validation"):
        held = Counter(bucket_of(count_words(row.english)).name for row in rows[split])
        assert held == {bucket.name: 1 for bucket in BUCKETS}
    assert len(rows["train"]) == 60
    assert all(3 <= count_words(row.english) <= 20 for row in rows["train"])
    for one, other in itertools.combinations(rows.values(), 2):
        assert not {row.english for row in one} & {row.english for row in other}
        assert not {row.japanese for row in one} & {row.japanese for row in other}
        assert not documents(one).keys() & documents(other).keys()


def documents(rows: list[SampleRow]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        document, line = row.document.split("#")
        found[document].append(int(line))
    return found


def test_documents_are_5_to_20_consecutive_lines() -> None:
    for rows in splits(make(pairs=400, test_per_bucket=9, validation=41)).values():
        for lines in documents(rows).values():
            assert lines == list(range(1, len(lines) + 1))
            assert 5 <= len(lines) <= 20


def test_the_number_of_training_pairs_changes_neither_test_nor_validation() -> None:
    few, many = splits(make(pairs=30)), splits(make(pairs=90, max_words=12))
    assert few["test"] == many["test"]
    assert few["validation"] == many["validation"]


def test_more_validation_leaves_the_test_as_it_is() -> None:
    assert list(SampleCorpus(make()).test()) == list(SampleCorpus(make(validation=16)).test())


def test_training_pairs_are_mostly_short_and_distinct() -> None:
    rows = list(SampleCorpus(make(pairs=2000)).train())
    lengths = [count_words(row.english) for row in rows]
    assert sum(3 <= n <= 12 for n in lengths) > 0.6 * len(rows)
    assert max(lengths) > 16
    assert len({row.english for row in rows}) == len(rows)


def test_what_cannot_be_distinct_is_repeated_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("longspan.training.sample.generator._TRIES_FOR_NEW", 1)
    sample = SampleCorpus(make(pairs=1500, max_words=3))
    english = [row.english for row in sample.train()]
    assert len(english) == 1500
    assert sample.repeated == len(english) - len(set(english)) > 0


def test_longer_training_pairs_on_request() -> None:
    rows = list(SampleCorpus(make(pairs=600, max_words=60)).train())
    assert 40 < max(count_words(row.english) for row in rows) <= 60


def test_files_and_summary(tmp_path: Path) -> None:
    wanted = make(pairs=50, test_per_bucket=2)
    summary = write_sample(tmp_path / "a" / "b", wanted)
    directory = tmp_path / "a" / "b"
    assert {path.name for path in directory.iterdir()} == {
        "train.tsv",
        "validation.tsv",
        "test.tsv",
        "sample.json",
    }
    assert json.loads((directory / "sample.json").read_text(encoding="utf-8")) == summary
    assert summary["seed"] == 1
    for split in FILES:
        rows, counts = read(directory / f"{split}.tsv"), summary["files"][f"{split}.tsv"]
        content = (directory / f"{split}.tsv").read_bytes()
        assert counts["pairs"] == len(rows)
        assert counts["documents"] == len(documents(rows))
        assert counts["english_words"] == sum(count_words(row.english) for row in rows)
        assert counts["buckets"] == {
            bucket.name: sum(bucket.holds(count_words(row.english)) for row in rows)
            for bucket in BUCKETS
        }
        assert counts["sha256"] == hashlib.sha256(content).hexdigest()


def test_same_settings_same_bytes(tmp_path: Path) -> None:
    write_sample(tmp_path / "one", make())
    write_sample(tmp_path / "two", make())
    write_sample(tmp_path / "three", make(seed=2))
    first = contents(tmp_path / "one")
    assert contents(tmp_path / "two") == first
    assert contents(tmp_path / "three") != first
    write_sample(tmp_path / "one", make())
    assert contents(tmp_path / "one") == first


def test_another_sample_in_the_directory_is_left_alone(tmp_path: Path) -> None:
    write_sample(tmp_path, make())
    before = contents(tmp_path)
    with pytest.raises(DataError, match="expected a sample with seed 2, got one with 1"):
        write_sample(tmp_path, make(seed=2))
    with pytest.raises(DataError, match="expected a sample with pairs 61, got one with 60"):
        write_sample(tmp_path, make(pairs=61))
    assert contents(tmp_path) == before


def test_files_that_are_not_a_sample_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "train.tsv").write_text("mine", encoding="utf-8")
    with pytest.raises(DataError, match=r"got train\.tsv without sample\.json"):
        write_sample(tmp_path, make())
    (tmp_path / "sample.json").write_text("[]", encoding="utf-8")
    with pytest.raises(DataError, match="expected the summary of a sample"):
        write_sample(tmp_path, make())
    assert (tmp_path / "train.tsv").read_text(encoding="utf-8") == "mine"


def test_an_interrupted_run_leaves_nothing_behind(tmp_path: Path) -> None:
    def stop(rows, split):
        yield from itertools.islice(rows, 5)
        if split == "train":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample(tmp_path, make(), stop)
    assert contents(tmp_path) == {}


def test_a_directory_that_cannot_be(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    with pytest.raises(DataError, match="expected a directory to write to"):
        write_sample(file / "inside", make())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pairs": 0}, "pairs: expected an integer of at least 1, got 0"),
        ({"max_words": 2}, "max_words: expected an integer from 3 to 300, got 2"),
        ({"max_words": 301}, "max_words: expected an integer from 3 to 300, got 301"),
        ({"validation": 7}, "validation: expected an integer of at least 8, got 7"),
        ({"test_per_bucket": 0}, "test_per_bucket: expected an integer of at least 1, got 0"),
    ],
)
def test_impossible_settings(change: dict[str, int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        make(**change)
