"""Folders that the library `datasets` saved."""

import json

import pytest

from longspan.training.errors import DataError
from longspan.training.pairs.columns import Columns
from longspan.training.pairs.pairs import read_pairs
from tests.training.saved_datasets import save_dataset, save_dataset_dict


def translations(count, start=0):
    return [
        {"id": str(n), "translation": {"de": f"Zahl {n}", "fr": f"nombre {n}"}}
        for n in range(start, start + count)
    ]


FRENCH = Columns(source_language="de", target_language="fr")


@pytest.mark.parametrize("shards", [1, 4])
def test_the_rows_of_all_shards_in_order(tmp_path, shards):
    folder = save_dataset(tmp_path / "saved", translations(20), shards=shards)
    # A file of another run, which the state does not name.
    (folder / "cache-1.arrow").write_bytes(b"x")
    pairs = list(read_pairs(folder, FRENCH))
    assert [(p.source, p.target) for p in pairs] == [
        (f"Zahl {n}", f"nombre {n}") for n in range(20)
    ]
    assert pairs[-1].origin == f"{folder}/data-{shards - 1:05}-of-{shards:05}.arrow:{20 // shards}"


def test_plain_columns_and_other_inputs_beside(tmp_path):
    rows = [{"source": "eins", "target": "un", "doc": "d#1"}]
    folder, file = save_dataset(tmp_path / "saved", rows), tmp_path / "x.tsv"
    file.write_text("zwei\tdeux\n", encoding="utf-8")
    pairs = list(read_pairs([file, folder], FRENCH))
    assert [(p.source, p.document) for p in pairs] == [("zwei", None), ("eins", "d")]


def test_a_dict_of_datasets_needs_a_split(tmp_path):
    folder = save_dataset_dict(tmp_path / "saved", {"dev": translations(2), "x": translations(1)})
    with pytest.raises(DataError, match=r"DatasetDict of dev, x; .*saved/dev"):
        list(read_pairs(folder, FRENCH))
    assert len(list(read_pairs(folder / "dev", FRENCH))) == 2


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"_data_files": [{"filename": "../x.arrow"}]}, "name of a file in this folder"),
        ({"_data_files": [{"filename": "none.arrow"}]}, r"none\.arrow: expected a file to read"),
        ({"_data_files": 3}, r"state\.json: .*_data_files"),
        ({"_indices_data_files": [{"filename": "i.arrow"}]}, "flatten_indices"),
        ({"_data_files": []}, "expected a file of pairs, got none"),
    ],
)
def test_damaged_folders_are_refused(tmp_path, state, message):
    folder = save_dataset(tmp_path / "saved", translations(2), **state)
    with pytest.raises(DataError, match=message):
        list(read_pairs(folder, FRENCH))


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(DataError, match="got another folder; name the files in it"):
        list(read_pairs(tmp_path))
    folder = save_dataset(tmp_path / "saved", translations(2))
    (folder / "state.json").write_text("{")
    with pytest.raises(DataError, match=r"state\.json: .*invalid JSON"):
        list(read_pairs(folder))
    (folder / "dataset_dict.json").write_text(json.dumps({"splits": []}))
    with pytest.raises(DataError, match="empty DatasetDict"):
        list(read_pairs(folder))
