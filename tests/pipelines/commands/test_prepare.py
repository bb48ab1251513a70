"""`longspan prepare` as a user runs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from longspan.pipelines.command import main
from longspan.pipelines.commands import prepare as command
from longspan.training.corpus.manifest import read_manifest
from longspan.training.corpus.prepared import Prepared
from longspan.training.corpus.shards import Corpus
from longspan.training.errors import DataError
from longspan.training.files import atomic_directory
from longspan.training.lengths import LENGTH_RULE, count_words
from longspan.training.pairs.pairs import read_pairs
from longspan.training.preparation.report import prepare_summary
from longspan.training.tokenizer.tokenizer import Tokenizer
from tests.damage import altered, places
from tests.training.saved_datasets import save_dataset_dict

WORDS = ["cat", "dog", "bird", "fish", "house", "river", "stone", "cloud", "tree", "road"]
KANJI = ["猫", "犬", "鳥", "魚", "家", "川", "石", "雲", "木", "道"]
SMALL = ["--vocabulary-size", "400", "--validation-size", "30", "--test-size", "30"]


def rows(count, documents=40):
    for number in range(count):
        digits = [int(d) for d in str(1000 + number)]
        source = " ".join(WORDS[d] for d in digits) + f" number {number} ."
        target = "".join(KANJI[d] for d in digits) + f"は{number}番です。"
        yield f"d{number % documents}#{number // documents}\t{source}\t{target}\n"


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("doc\ten\tja\n" + "".join(rows(1000)), encoding="utf-8")
    return path


def prepare(*arguments):
    return main(["prepare", *map(str, arguments)])


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def manifest_of(folder):
    return json.loads((folder / "manifest.json").read_text("utf-8"))


def test_everything_that_training_needs_is_there(pairs, tmp_path, capsys):
    out = tmp_path / "corpus"
    assert prepare(pairs, "--out", out, *SMALL) == 0
    manifest, tokenizer = manifest_of(out), Tokenizer.load(out / "tokenizer")
    assert sum(manifest["pairs"][n] for n in ("train", "removed")) + 25 + 25 == 1000
    for name in ("validation", "test"):
        text, corpus = list(read_pairs(out / f"{name}.tsv")), Corpus.open(out / name)
        assert len(text) == len(corpus) == manifest["pairs"][name]
        for i, pair in enumerate(text):
            assert tokenizer.encode_source(pair.source) == corpus.source(i).tolist()
            assert tokenizer.decode_target(corpus.target(i).tolist()) == pair.target
        joined = [pair for pair in text if pair.joined]
        assert len(joined) == sum(manifest["held_out"][name]["joined"].values()) > 0
        assert all(len(pair.source.split()) > 100 for pair in joined)
        assert len({pair.document for pair in text if not pair.joined}) == 1
    train = Corpus.open(out / "train")
    assert len(train) == manifest["pairs"]["train"] == 950
    assert len(set(train.documents.tolist())) == 38
    assert train.positions.max() == 24
    assert manifest["join_separator"] == {"source": " ", "target": ""}
    printed = capsys.readouterr().out
    assert "removed by" in printed
    assert f"next: longspan train {out} --out {out}-model" in printed


def test_the_same_input_and_seed_give_the_same_bytes(pairs, tmp_path):
    for name in ("one", "two"):
        assert prepare(pairs, "--out", tmp_path / name, *SMALL) == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert prepare(pairs, "--out", tmp_path / "three", *SMALL, "--seed", 2) == 0
    assert contents(tmp_path / "three")["test.tsv"] != contents(tmp_path / "one")["test.tsv"]


def test_what_is_removed_is_counted_with_examples(pairs, tmp_path, capsys):
    bad = [
        b"alone\n",
        b"d\tt\xffo\ty\n",
        b"d\t\tx\n",
        b"d\ta\x07\tx\n",
        b"d\t" + b"x" * 999 + b"\ty\n",
    ]
    with pairs.open("ab") as file:
        file.writelines(bad)
        file.write(next(rows(1)).encode())
    out = tmp_path / "corpus"
    assert prepare(pairs, "--out", out, *SMALL) == 0
    manifest = manifest_of(out)
    removed = {
        rule: taken["pairs"] for rule, taken in manifest["removed"].items() if taken["pairs"]
    }
    assert removed == {
        "malformed row": 1,
        "invalid UTF-8": 1,
        "empty side": 1,
        "control characters": 1,
        "length ratio": 1,
        "duplicate": 1,
    }
    assert manifest["removed"]["duplicate"]["examples"][0]["origin"] == "pairs.tsv:1007"
    assert f"{pairs}:1002: malformed row" in capsys.readouterr().err
    assert (out / "rejected.tsv").read_text().splitlines()[1:] == [
        "pairs.tsv:1002\tmalformed row\thas 1 column(s), expected 3",
        "pairs.tsv:1003\tinvalid UTF-8\tbyte 4 is 0xff",
    ]
    counted = manifest["pairs"]
    read = counted["train"] + counted["removed"] + 25 + 25
    assert read == counted["read"] == 1006


def test_what_translators_left_out_is_counted(pairs, tmp_path, capsys):
    catalog = tmp_path / "menu.po"
    catalog.write_text(
        'msgid "Open"\nmsgstr "開く"\n\n#, fuzzy\nmsgid "Close"\nmsgstr "保存"\n\n'
        'msgid "Save"\nmsgstr ""\n\nmsgid "Quit\\x"\nmsgstr "\u200b\u00ad"\n',
        encoding="utf-8",
    )
    out = tmp_path / "corpus"
    assert prepare(pairs, catalog, "--out", out, *SMALL) == 0
    manifest = manifest_of(out)
    untranslated = manifest["removed"]["untranslated"]
    assert untranslated["pairs"] == 3
    assert untranslated["examples"][0] == {
        "origin": "menu.po:4",
        "detail": "has a fuzzy translation",
    }
    assert manifest["pairs"]["read"] == 1004
    assert "menu.po:8: untranslated: has no translation" in capsys.readouterr().err
    assert "menu.po:11\tuntranslated" in (out / "rejected.tsv").read_text()


def test_a_file_without_pairs_is_named_beside_others(pairs, tmp_path, capsys):
    headed = tmp_path / "headed.tsv"
    headed.write_text("en\tja\n", encoding="utf-8")
    assert prepare(pairs, headed, "--out", tmp_path / "corpus", *SMALL) == 1
    assert f"{headed}: expected pairs, got none" in capsys.readouterr().err


def test_the_splits_of_a_saved_dataset_dict(tmp_path, capsys):
    texts = [row.rstrip("\n").split("\t")[1:] for row in rows(300)]
    found = [{"translation": dict(zip(("en", "ja"), text, strict=True))} for text in texts]
    splits = {"train": found[:250], "validation": found[250:280], "test": found[280:]}
    folder = save_dataset_dict(tmp_path / "saved", splits, shards=2)
    out = tmp_path / "corpus"
    assert prepare(folder, "--out", out, "--vocabulary-size", "400", "--no-joined") == 0
    manifest = manifest_of(out)
    assert [manifest["pairs"][name] for name in ("read", *splits)] == [250, 250, 30, 20]
    assert not any(split["drawn"] for split in manifest["held_out"].values())
    assert [record["name"] for record in manifest["inputs"]] == [
        f"data-0000{n}-of-00002.arrow" for n in range(2)
    ]
    assert prepare(folder, "--out", out, "--vocabulary-size", "400", "--no-joined") == 0
    assert "up to date" in capsys.readouterr().out
    given = ["--validation", folder, "--out", tmp_path / "other", *SMALL[:2], "--test-size", "5"]
    assert prepare(folder / "train", *given) == 0
    other = manifest_of(tmp_path / "other")["held_out"]
    assert [other[name]["drawn"] for name in ("validation", "test")] == [False, True]
    (folder / "dataset_dict.json").write_text('{"splits": ["train", "dev"]}')
    assert prepare(folder, "--out", out) == 1
    assert "got train, dev; name the folder of each, such as" in capsys.readouterr().err


def test_given_files_are_held_out_whole(pairs, tmp_path, capsys):
    validation, test = tmp_path / "validation.tsv", tmp_path / "test.tsv"
    lines = pairs.read_text("utf-8").splitlines(keepends=True)
    validation.write_text(lines[0] + lines[1], encoding="utf-8")
    test.write_text("en\tja\n" + lines[2].split("\t", 1)[1] + "new\t新しい\n", encoding="utf-8")
    out = tmp_path / "corpus"
    options = ["--validation", validation, "--test", test, "--no-joined", *SMALL]
    assert prepare(pairs, "--out", out, *options) == 0
    manifest = manifest_of(out)
    assert [manifest["pairs"][name] for name in ("validation", "test")] == [1, 2]
    # The whole document d0, and line 3, whose sides the test file has.
    assert manifest["removed"]["held out"]["pairs"] == 25 + 1
    assert [p.source for p in read_pairs(out / "test.tsv")][1] == "new"
    assert prepare(pairs, "--out", out, *options) == 0
    assert "share a source" not in capsys.readouterr().err
    test.write_text("en\tja\nother\t別\n", encoding="utf-8")
    assert prepare(pairs, "--out", out, *options) == 1


def test_a_validation_file_that_shares_with_the_test_file_is_told(pairs, tmp_path, capsys):
    held_out = tmp_path / "held_out.tsv"
    held_out.write_text("one\t一\n", encoding="utf-8")
    options = ["--validation", held_out, "--test", held_out, *SMALL[:2]]
    assert prepare(pairs, "--out", tmp_path / "corpus", *options) == 0
    assert "1 validation pairs share a source, target or document" in capsys.readouterr().err


def test_parallel_files_all_the_way(tmp_path, capsys):
    texts = [row.rstrip("\n").split("\t")[1:] for row in rows(400)]
    for name, part in (("train", texts[:350]), ("dev", [*texts[350:], ["", "空"]])):
        for side, language in enumerate(("en", "ja")):
            content = "".join(pair[side] + "\n" for pair in part)
            (tmp_path / f"{name}.{language}").write_text(content, encoding="utf-8")
    out = tmp_path / "corpus"
    inputs = [tmp_path / "train.en", tmp_path / "train.ja", "--validation", tmp_path / "dev.en"]
    assert prepare(*inputs, "--out", out, *SMALL) == 0
    assert "dev.en: left out 1 by empty side" in capsys.readouterr().err
    manifest = manifest_of(out)
    validation = manifest["held_out"]["validation"]
    assert [record["name"] for record in validation["inputs"]] == ["dev.en", "dev.ja"]
    # Nothing says which pairs are of one document, so held-out pairs are joined in a row.
    assert validation["joined"]["same_document"] == 0
    assert manifest["pairs"]["validation"] == 50 + validation["joined"]["across_documents"]
    assert prepare(*inputs, "--out", out, *SMALL) == 0
    assert "up to date" in capsys.readouterr().out


def test_a_directory_that_is_up_to_date_is_left_alone(pairs, tmp_path, capsys):
    out = tmp_path / "corpus"
    assert prepare(pairs, "--out", out, *SMALL) == 0
    before = (out / "manifest.json").stat()
    assert prepare(pairs, "--out", out, *SMALL) == 0
    assert (out / "manifest.json").stat() == before
    assert "up to date" in capsys.readouterr().out


def test_another_corpus_is_replaced_only_when_asked(pairs, tmp_path, capsys):
    out = tmp_path / "corpus"
    assert prepare(pairs, "--out", out, *SMALL) == 0
    changed = [*SMALL, "--seed", "5"]
    assert prepare(pairs, "--out", out, *changed) == 1
    assert "splits settings differ; give --overwrite" in capsys.readouterr().err
    (out / "test.tsv").write_text("gone")
    assert prepare(pairs, "--out", out, *SMALL) == 1
    assert "test.tsv is missing or changed" in capsys.readouterr().err
    assert prepare(pairs, "--out", out, *changed, "--overwrite") == 0
    assert manifest_of(out)["settings"]["splits"]["seed"] == 5
    assert sorted(p.name for p in tmp_path.iterdir()) == ["corpus", "pairs.tsv"]


def outcome(folder):
    try:
        prepare_summary(read_manifest(folder))
    except DataError as error:
        return str(error)
    return "read"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A prepared folder whose manifest tests may change."""
    folder = tmp_path_factory.mktemp("prepared")
    path = folder / "pairs.tsv"
    path.write_text("doc\ten\tja\n" + "".join(rows(1000)), encoding="utf-8")
    out = folder / "corpus"
    assert prepare(path, "--out", out, *SMALL) == 0
    return out, manifest_of(out)


@pytest.mark.parametrize("value", [3, -1, "x", True, None, [], [3], {}, ...])
def test_a_manifest_changed_by_hand_is_read_or_refused(corpus, value):
    out, manifest = corpus
    outcomes = set()
    for way in places(manifest):
        (out / "manifest.json").write_text(json.dumps(altered(manifest, way, value)))
        outcomes.add(outcome(out))
    assert len(outcomes) > 2  # some are read, and every mistake is another line
    assert all(one.startswith((f"{out / 'manifest.json'}: expected ", "read")) for one in outcomes)


@pytest.mark.parametrize(
    ("way", "said"),
    [
        (("held_out", "test"), "held_out.test"),
        (("pairs", "validation"), "pairs.validation"),
        (("splits", "train"), "splits.train"),
        (("splits", "test", "lengths", "6-10"), "splits.test.lengths.6-10"),
        (("files", "test.tsv", "sha256"), "files.test.tsv.sha256"),
    ],
)
def test_a_name_that_a_manifest_lacks_is_named(corpus, way, said):
    out, manifest = corpus
    (out / "manifest.json").write_text(json.dumps(altered(manifest, way, ...)))
    assert f"expected a manifest: {said}: is missing; run" in outcome(out)


def test_a_value_changed_by_hand_is_named(pairs, tmp_path, capsys):
    out = tmp_path / "corpus"
    assert prepare(pairs, "--out", out, *SMALL) == 0
    changed = altered(manifest_of(out), ("held_out", "validation", "joined"), 3)
    (out / "manifest.json").write_text(json.dumps(changed))
    capsys.readouterr()
    assert prepare(pairs, "--out", out, *SMALL) == 1
    assert capsys.readouterr().err == (
        f"longspan: error: {out / 'manifest.json'}: expected a manifest: "
        "held_out.validation.joined: expected an object, got 3; run `longspan prepare` again with "
        "--overwrite\n"
    )


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_language_that_there_is_not_is_refused(pairs, tmp_path, capsys, side):
    with pytest.raises(SystemExit):
        prepare(pairs, "--out", tmp_path / "corpus", f"--{side}-language", "jp")
    error = capsys.readouterr().err
    assert f"--{side}-language: expected the ISO 639 code" in error
    assert "got 'jp'; did you mean ja?" in error


def test_parallel_files_may_write_a_language_otherwise(tmp_path):
    for language, column in (("en", 1), ("pt_BR", 2)):
        texts = [row.rstrip("\n").split("\t")[column] for row in rows(1000)]
        (tmp_path / f"pairs.{language}").write_text("\n".join(texts), encoding="utf-8")
    files = [tmp_path / "pairs.en", tmp_path / "pairs.pt_BR"]
    assert prepare(*files, "--target-language", "pt_BR", "--out", tmp_path / "out", *SMALL) == 0


def test_what_prepare_did_not_write_is_never_replaced(pairs, tmp_path, capsys):
    out = tmp_path / "mine"
    out.mkdir()
    (out / "thesis.txt").write_text("dear")
    assert prepare(pairs, "--out", out, "--overwrite") == 1
    assert "give another directory" in capsys.readouterr().err
    assert (out / "thesis.txt").read_text() == "dear"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "bad.tsv: expected pairs, got none; "),
        ("a\t\nb\t \u200b\n", "bad.tsv: expected pairs, got none (2 have an empty side)"),
        ("a\tb" + "c" * 99 + "\n", "all 1 were removed (1 by length ratio; first: bad.tsv:1)"),
        ("one\t一\n", "1 pairs in 1 document"),
        ("en\tfr\none\tun\n", "target column"),
    ],
)
def test_input_without_pairs_says_why_and_leaves_nothing(tmp_path, capsys, content, message):
    path = tmp_path / "bad.tsv"
    path.write_text(content, encoding="utf-8")
    options = [] if "fr" not in content else ["--source-column", "en"]
    assert prepare(path, "--out", tmp_path / "corpus", *options) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("longspan: error: ")
    assert message in error
    assert [p.name for p in tmp_path.iterdir()] == ["bad.tsv"]


@pytest.mark.parametrize("splits", [("--test",), ("--validation", "--test")])
def test_all_pairs_held_out_says_so(tmp_path, capsys, splits):
    path = tmp_path / "pairs.tsv"
    path.write_text("one\t一\ntwo\t二\n", encoding="utf-8")
    out = tmp_path / "corpus"
    given = [word for split in splits for word in (split, path)]
    assert prepare(path, "--out", out, *given) == 1
    assert "all 2 were held out" in capsys.readouterr().err
    assert not out.exists()


def test_what_a_killed_run_left_is_cleared(pairs, tmp_path):
    left = tmp_path / ".corpus.partial" / "train"
    left.mkdir(parents=True)
    (left / "stray.bin").write_bytes(b"x")
    assert prepare(pairs, "--out", tmp_path / "corpus", *SMALL) == 0
    assert "train/stray.bin" not in contents(tmp_path / "corpus")
    assert not (tmp_path / ".corpus.partial").exists()


def test_two_runs_do_not_write_the_same_directory(tmp_path):
    out = tmp_path / "corpus"
    with atomic_directory(out), pytest.raises(DataError, match="another"), atomic_directory(out):
        pass
    assert out.is_dir()


def test_a_source_without_spaces_has_its_lengths_in_words(pairs, tmp_path, capsys):
    out = tmp_path / "corpus"
    options = [*SMALL, "--source-language", "ja", "--target-language", "en"]
    assert prepare(pairs, "--out", out, *options) == 0
    manifest = manifest_of(out)
    assert manifest["length"] == LENGTH_RULE
    # 5 words of kanji, kana and a number: as many as the bucket has in English, and no joined
    # pair is out of place.
    for name in ("train", "test"):
        lengths = manifest["splits"][name]["lengths"]
        assert {n for n, group in lengths.items() if group["pairs"]} <= {"1-5", "6-10", "over 100"}
        assert lengths["over 100"]["pairs"] == lengths["over 100"]["joined"]
    for pair in read_pairs(out / "test.tsv"):
        assert (count_words(pair.source) > 100) == pair.joined
    prepared = Prepared.open(out)
    assert prepared.target_language == "en"
    assert prepared.bleu_tokenizer().reason == "the references are tokenised already"
    # An older folder, of which only the rule differs.
    (out / "manifest.json").write_text(json.dumps(manifest | {"length": "words between spaces"}))
    assert prepare(pairs, "--out", out, *options) == 1
    assert "its lengths were counted by another rule" in capsys.readouterr().err


def test_words_of_tokenised_text(pairs, tmp_path, capsys):
    out = tmp_path / "corpus"
    options = [*SMALL[2:], "--vocabulary-size", "50", "--vocabulary-type", "word"]
    assert prepare(pairs, "--out", out, *options) == 0
    assert manifest_of(out)["splits"]["train"]["unknown_tokens"]["target"] > 0
    assert "unknown in train" in capsys.readouterr().out


def test_standard_input_through_a_pipe(pairs, tmp_path):
    out = tmp_path / "corpus"
    code = "import sys; from longspan.pipelines.command import main; sys.exit(main(sys.argv[1:]))"
    subprocess.run(
        [sys.executable, "-c", code, "prepare", "-", "--format", "tsv", "--out", str(out), *SMALL],
        input=pairs.read_bytes(),
        check=True,
        capture_output=True,
    )
    from_file = tmp_path / "other"
    assert prepare(pairs, "--out", from_file, *SMALL) == 0
    one, other = contents(out), contents(from_file)
    assert one["train/source.00000.bin"] == other["train/source.00000.bin"]


def test_the_example_in_the_help_is_a_command(capsys):
    with pytest.raises(SystemExit):
        main(["prepare", "--help"])
    assert command.EXAMPLE in capsys.readouterr().out
    assert Path(command.EXAMPLE.split()[2]).name == "train.tsv.xz"
