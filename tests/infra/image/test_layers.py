"""Layers are the same for the same files, whatever their times, owners and order."""

import hashlib
import os
import tarfile
from pathlib import Path, PurePosixPath

from longspan.infra.image.layers import EPOCH, write_layer


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files(folder: Path, time: int) -> list[tuple[Path, PurePosixPath]]:
    folder.mkdir()
    for name, text in (("b.py", "b"), ("a.so", "a")):
        path = folder / name
        path.write_text(text)
        os.utime(path, (time, time))
    (folder / "link").symlink_to("b.py")
    names = ["b.py", "link", "a.so"] if time % 2 else ["a.so", "b.py", "link"]
    return [(folder / name, PurePosixPath("/opt/x", name)) for name in names]


def test_equal_files_give_equal_layers(tmp_path: Path):
    write_layer(tmp_path / "1.tar", files(tmp_path / "one", 1_000_001))
    write_layer(tmp_path / "2.tar", files(tmp_path / "two", 2_000_000))
    assert digest(tmp_path / "1.tar") == digest(tmp_path / "2.tar")


def test_other_files_give_another_layer(tmp_path: Path):
    entries = files(tmp_path / "one", 1)
    write_layer(tmp_path / "1.tar", entries)
    entries[0][0].write_text("changed")
    write_layer(tmp_path / "2.tar", entries)
    assert digest(tmp_path / "1.tar") != digest(tmp_path / "2.tar")


def test_everything_is_roots_and_readable_by_all(tmp_path: Path):
    entries = files(tmp_path / "one", 1)
    entries[0][0].chmod(0o600)
    entries[2][0].chmod(0o700)
    write_layer(tmp_path / "1.tar", entries)
    with tarfile.open(tmp_path / "1.tar") as tar:
        members = {member.name: member for member in tar}
    assert list(members) == ["opt", "opt/x", "opt/x/a.so", "opt/x/b.py", "opt/x/link"]
    assert {(m.uid, m.gid, m.mtime) for m in members.values()} == {(0, 0, EPOCH)}
    assert members["opt"].isdir()
    assert members["opt/x/b.py"].mode == 0o644
    assert members["opt/x/a.so"].mode == 0o755
    assert members["opt/x/link"].linkname == "b.py"
