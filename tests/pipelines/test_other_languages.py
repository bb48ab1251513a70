"""The whole pipeline from a language that writes no spaces: every length in it is a right one.

Japanese to English is the sample reversed; Chinese to English is made of the clauses below, joined
at random. The models learn next to nothing in so few updates; lengths are what is tested.
"""

import csv
import json
import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from longspan.inference.evaluation.files import unescape
from longspan.training.buckets import BUCKETS, bucket_of
from longspan.training.lengths import LENGTH_RULE, count_words
from longspan.training.sample.generator import SampleCorpus, SampleSettings
from tests.pipelines.shell import Shell
from tests.pipelines.small_config import small_config

pytestmark = pytest.mark.long

# 6 * 6 * 8 = 288 clauses.
SUBJECTS = {
    "老师": "the teacher", "我的哥哥": "my brother", "年轻的医生": "the young doctor",
    "那个孩子": "that child", "他的朋友": "his friend", "邻居": "the neighbour",
}  # fmt: skip
PLACES = {
    "在花园里": "in the garden", "在车站": "at the station", "在图书馆": "in the library",
    "在河边": "by the river", "在家里": "at home", "在学校门口": "at the school gate",
}  # fmt: skip
ACTIONS = {
    "读一本书": "reads a book", "画地图": "draws a map", "买了三个苹果": "bought three apples",
    "写信": "writes a letter", "听音乐": "listens to music", "修理自行车": "repairs a bicycle",
    "和同学聊天": "talks with classmates", "喝热茶": "drinks hot tea",
}  # fmt: skip


def japanese_pairs(folder: Path) -> dict[str, Any]:
    sample = SampleCorpus(SampleSettings(pairs=400, validation=24, test_per_bucket=3))
    splits = {"test": sample.test(), "validation": sample.validation(), "pairs": sample.train()}
    for name, rows in splits.items():
        text = "doc\ten\tja\n" + "".join(row.line() for row in rows)
        (folder / f"{name}.tsv").write_text(text, encoding="utf-8")
    return {name: [f"{name}.tsv"] for name in splits}


def chinese_pairs(folder: Path) -> dict[str, Any]:
    dice = random.Random(4)
    lines = ["zh\ten"]
    for _ in range(500):
        clauses = [
            tuple(dice.choice(list(kind.items())) for kind in (SUBJECTS, PLACES, ACTIONS))
            for _ in range(dice.choice([1, 1, 2, 3, 5, 9]))
        ]
        chinese = "，".join(s[0] + p[0] + a[0] for s, p, a in clauses) + "。"
        english = " and ".join(f"{s[1]} {a[1]} {p[1]}" for s, p, a in clauses) + "."
        lines.append(f"{chinese}\t{english}")
    (folder / "pairs.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {"pairs": ["pairs.tsv"]}


def config_of(data: Mapping[str, Any], language: str) -> str:
    config = yaml.safe_load(
        small_config(
            baseline={"enabled": False},
            tuning={"jobs": 1, "parallel_jobs": 1, "search_space": {"attention_heads": [1]}},
            preparation={"validation_size": 20, "test_size": 60, "joined": True},
        )
    )
    config["data"] = {**data, "source_language": language, "target_language": "en"}
    return yaml.safe_dump(config)


@pytest.mark.parametrize(("language", "write"), [("ja", japanese_pairs), ("zh", chinese_pairs)])
def test_every_length_of_a_run_is_that_of_the_text(language, write, tmp_path):
    (tmp_path / "longspan.yaml").write_text(config_of(write(tmp_path), language), "utf-8")
    done = Shell(tmp_path).process("run")
    assert done.returncode == 0, done.stderr
    [folder] = (tmp_path / ".longspan" / "runs").glob("*/evaluation")
    document = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    assert document["metrics"]["length"] == LENGTH_RULE
    assert document["metrics"]["tokenizer"] == "13a"
    assert document["metrics"]["tokenizer_reason"] == "target language en"
    assert LENGTH_RULE in (folder / "report.html").read_text(encoding="utf-8")

    with (folder / "translations.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for row in rows:
        words = count_words(unescape(row["source"]))
        assert (int(row["words"]), row["bucket"]) == (words, bucket_of(words).name)
        # As long as its English translation: the bucket is that of the English text, or its
        # neighbour.
        places = [BUCKETS.index(bucket_of(n)) for n in (words, len(row["reference"].split()))]
        assert abs(places[0] - places[1]) <= 1
    by_bucket = {group["name"]: group for group in document["buckets"]}
    assert sum(group["segments"] for group in by_bucket.values()) == len(rows)
    assert sum(group["segments"] > 0 for group in by_bucket.values()) >= 5
    # `bleu_long` is measured on long sentences and nothing else.
    assert document["long"]["name"] == "over 100"
    over = [row for row in rows if int(row["words"]) > 100]
    assert document["long"]["segments"] == by_bucket["over 100"]["segments"] == len(over)

    [told] = re.findall(r"^A test sentence of (\d+) words, translated", done.stdout, re.M)
    [source] = re.findall(r"^source: (.*)$", done.stdout, re.M)
    assert int(told) == count_words(source) > 100
