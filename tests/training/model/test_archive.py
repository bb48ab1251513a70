"""Model archives, whole and hostile."""

import gzip
import io
import shutil
import tarfile
import tempfile

import pytest

from longspan.training.errors import ModelDirectoryError
from longspan.training.model.archive import find_model, open_model, unpack_model


@pytest.fixture
def pack(tmp_path):
    """Writes an archive of members: name to content, or to a TarInfo as it is."""

    def write(members, name="model.tar.gz"):
        path = tmp_path / "input" / name
        path.parent.mkdir(exist_ok=True)
        with tarfile.open(path, "w:gz") as archive:
            for member, content in members.items():
                entry = tarfile.TarInfo(member) if isinstance(content, bytes) else content
                data = content if isinstance(content, bytes) else b""
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
        return path

    return write


def special(name, kind, target=""):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


MODEL = {"config.json": b"{}", "tokenizer/source.model": b"tokens"}


def test_a_model_comes_out_as_it_went_in(pack, tmp_path):
    folder = unpack_model(pack(MODEL), tmp_path / "out")
    assert folder == tmp_path / "out"
    assert {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")} == MODEL


def test_in_place_of_what_was_there(pack, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "stale").touch()
    unpack_model(pack(MODEL), tmp_path / "out")
    assert not (tmp_path / "out" / "stale").exists()


def test_packed_with_dots_or_inside_one_folder(pack, tmp_path):
    assert unpack_model(pack({"./config.json": b"{}"}), tmp_path / "out") == tmp_path / "out"
    inside = unpack_model(pack({"model/config.json": b"{}"}), tmp_path / "out")
    assert inside == tmp_path / "out" / "model"


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"../evil": b"x"}, r"a path that leads outside: \.\./evil"),
        ({"a/../../evil": b"x"}, "a path that leads outside"),
        ({"/tmp/evil": b"x"}, "a path that leads outside: /tmp/evil"),
        ({"l": special("l", tarfile.SYMTYPE, "/etc/passwd")}, "a link: l"),
        ({"l": special("l", tarfile.SYMTYPE, "config.json")}, "a link: l"),
        ({"l": special("l", tarfile.LNKTYPE, "config.json")}, "a link: l"),
        ({"p": special("p", tarfile.FIFOTYPE)}, "a device or pipe: p"),
        ({"d": special("d", tarfile.CHRTYPE)}, "a device or pipe: d"),
    ],
)
def test_nothing_but_plain_files_below_the_target(pack, tmp_path, members, reason):
    with pytest.raises(ModelDirectoryError, match=reason):
        unpack_model(pack(MODEL | members), tmp_path / "deep" / "out")
    assert not (tmp_path / "deep" / "out").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep", "input"]


def test_an_archive_that_swells_is_refused(pack, tmp_path):
    path = pack(MODEL | {"zeros": bytes(5000)})
    with pytest.raises(ModelDirectoryError, match="got more"):
        unpack_model(path, tmp_path / "out", most_bytes=4000)
    with pytest.raises(ModelDirectoryError, match="got more"):
        unpack_model(path, tmp_path / "out", most_files=2)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"no archive", gzip.compress(b"no archive", mtime=0)])
def test_damaged_archives_are_named(pack, tmp_path, content):
    path = pack(MODEL)
    whole = path.read_bytes()
    for broken in (content, whole[: len(whole) // 2]):
        path.write_bytes(broken)
        with pytest.raises(ModelDirectoryError, match=r"model\.tar\.gz: expected a whole"):
            unpack_model(path, tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_what_is_no_model_says_what_it_holds(pack, tmp_path):
    with pytest.raises(ModelDirectoryError, match="got readme, weights; did training finish"):
        unpack_model(pack({"readme": b"", "weights": b""}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_input_of_a_job(pack, tmp_path):
    folder = pack(MODEL).parent
    assert find_model(folder, tmp_path / "out") == tmp_path / "out"
    assert find_model(tmp_path / "out", tmp_path / "again") == tmp_path / "out"
    for place, found in ((tmp_path / "gone", "nothing"), (tmp_path, "input, out")):
        with pytest.raises(ModelDirectoryError, match=f"or a model directory, got {found};"):
            find_model(place, tmp_path / "again")


def test_an_archive_is_open_in_a_temporary_folder_and_a_directory_where_it_is(
    pack, tmp_path, monkeypatch
):
    archive = pack(MODEL)
    with open_model(archive.parent) as unpacked:
        assert (unpacked / "config.json").read_bytes() == MODEL["config.json"]
        shutil.copytree(unpacked, tmp_path / "plain")
    assert not unpacked.exists()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with open_model(tmp_path / "plain") as folder:
        assert folder == tmp_path / "plain"
    with (
        pytest.raises(
            ModelDirectoryError, match="expected a temporary folder to unpack it to, got"
        ),
        open_model(archive.parent),
    ):
        pass
