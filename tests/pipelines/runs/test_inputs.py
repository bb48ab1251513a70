"""Uploads of a config's pairs: names below the prefix, and saved datasets."""

import pytest

from longspan.pipelines.config.data import DataSection
from longspan.pipelines.runs.inputs import Store, place_inputs
from longspan.training.errors import DataError
from tests.training.saved_datasets import save_dataset_dict


class Uploads:
    """An S3 client that keeps the keys and contents of uploads."""

    def __init__(self):
        self.contents = {}

    def head_object(self, Bucket, Key):  # noqa: N803
        return {"ContentLength": len(self.contents[Key]) if Key in self.contents else -1}

    def upload_file(self, path, bucket, key, **_):
        with open(path, "rb") as file:  # noqa: PTH123
            self.contents[key] = file.read()


@pytest.fixture
def uploads():
    return Uploads()


def place(uploads, tmp_path, **data):
    return place_inputs(DataSection(**data), Store(uploads, "bucket", "project"), tmp_path / "run")


def names(uploads, uri):
    prefix = uri.removeprefix("s3://bucket/") + "/"
    return sorted(key.removeprefix(prefix) for key in uploads.contents if key.startswith(prefix))


def test_the_splits_of_a_dict_of_datasets_go_where_they_belong(uploads, tmp_path):
    rows = [{"en": f"a {n}", "ja": f"b {n}"} for n in range(6)]
    splits = {"train": rows[:4], "validation": rows[4:5], "test": rows[5:]}
    folder = save_dataset_dict(tmp_path / "saved", splits)
    table = "data-00000-of-00001.arrow"
    placed = place(uploads, tmp_path, pairs=[str(folder)])
    assert placed.validation is not None
    assert placed.test is not None
    assert names(uploads, placed.pairs) == [f"train/{table}"]
    assert names(uploads, placed.validation) == [f"validation/{table}"]
    assert names(uploads, placed.test) == [f"test/{table}"]
    (tmp_path / "own.tsv").write_text("a\tb\n", encoding="utf-8")
    own = [str(tmp_path / "own.tsv")]
    placed = place(uploads, tmp_path, pairs=[str(folder)], validation=own, test=[str(folder)])
    assert names(uploads, placed.validation) == ["own.tsv"]
    assert names(uploads, placed.test) == [f"test/{table}"]


def test_files_with_one_name_are_refused(uploads, tmp_path):
    paths = [tmp_path / name / "x.tsv" for name in ("one", "two")]
    for path in paths:
        path.parent.mkdir()
        path.write_text("a\tb\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"data\.pairs: .*one/x\.tsv and .*two/x\.tsv; rename"):
        place(uploads, tmp_path, pairs=[str(path) for path in paths])
    assert not uploads.contents


def test_a_folder_of_other_files_is_refused(uploads, tmp_path):
    with pytest.raises(DataError, match="which does not exist"):
        place(uploads, tmp_path, pairs=[str(tmp_path)])
