"""Documents: durable, copied, waited for."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.control.documents import Documents, Exists, Key, Missing

KEY = Key("model", "us-east-1", "one")


def test_a_document_is_created_once() -> None:
    documents = Documents()
    documents.create(KEY, {"a": 1})
    with pytest.raises(Exists):
        documents.create(KEY, {"a": 2})
    assert documents.get(KEY) == {"a": 1}
    assert documents.find(Key("model", "us-west-2", "one")) is None


def test_what_is_not_there_is_missing() -> None:
    documents = Documents()
    for call in (documents.get, documents.delete, documents.change):
        with pytest.raises(Missing):
            call(KEY)
    with pytest.raises(Missing):
        documents.wait(KEY, lambda _: True, 0)


def test_nobody_changes_a_document_from_outside() -> None:
    documents = Documents()
    given: dict[str, Any] = {"list": [1]}
    documents.create(KEY, given)
    given["list"].append(2)
    documents.get(KEY)["list"].append(3)
    documents.of("model")[0][1]["list"].append(4)
    documents.edit(KEY, lambda _: None)["list"].append(5)
    assert documents.get(KEY) == {"list": [1]}


@pytest.mark.parametrize("kept", [False, True])
def test_an_edit_that_raises_changes_nothing(tmp_path: Path, kept: bool) -> None:
    documents = Documents(tmp_path if kept else None)
    documents.create(KEY, {"a": 1})

    def edit(document: dict[str, Any]) -> None:
        document["a"] = 2
        raise RuntimeError

    with pytest.raises(RuntimeError):
        documents.edit(KEY, edit)
    assert documents.get(KEY) == {"a": 1}
    if kept:
        assert Documents(tmp_path).get(KEY) == {"a": 1}


def test_a_document_that_cannot_be_written_is_not_seen(tmp_path: Path) -> None:
    documents = Documents(tmp_path)
    documents.create(KEY, {"a": 1})
    with pytest.raises(TypeError):
        documents.change(KEY, a=object())
    assert documents.get(KEY) == Documents(tmp_path).get(KEY) == {"a": 1}


@given(
    names=st.lists(
        st.text(
            st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs"]),
            min_size=1,
            max_size=20,
        )
        # Long names, whose quoted form is longer than the name of a file may be.
        | st.text(st.sampled_from("ab./+%ü日"), min_size=190, max_size=300),
        unique=True,
        max_size=5,
    ),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
)
def test_a_restart_finds_all_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], value: Any
) -> None:
    directory = tmp_path_factory.mktemp("state")
    before = Documents(directory)
    for number, name in enumerate(names):
        before.create(Key("kind", "region", name), {"CreationTime": number, "value": value})
    after = Documents(directory)
    assert after.of("kind") == before.of("kind")
    assert [key.name for key, _ in after.of("kind")] == names


@pytest.mark.parametrize("length", [1, 239, 240, 241, 254, 255, 256, 480, 481, 1000])
def test_names_of_any_length_are_stored_and_deleted(tmp_path: Path, length: int) -> None:
    documents = Documents(tmp_path)
    # The first is a folder of the others, were it not for the sign at a folder's end.
    names = ["x" * length, "x" * length + ".json", "x" * length + "/1", "x" * length + "+"]
    for number, name in enumerate(names):
        documents.create(Key("kind", "region", name), {"CreationTime": number})
    assert [key.name for key, _ in Documents(tmp_path).of("kind")] == names
    documents.delete(Key("kind", "region", names[0]))
    assert [key.name for key, _ in Documents(tmp_path).of("kind")] == names[1:]


def test_a_document_exists_with_all_its_parts_or_not_at_all(tmp_path: Path) -> None:
    documents = Documents(tmp_path)
    parts = {Key("part", "r", str(number)): {"n": number} for number in range(3)}
    for broken in (*parts, KEY):
        given = {key: {"n": object()} if key == broken else part for key, part in parts.items()}
        with pytest.raises(TypeError):
            documents.create(KEY, {"n": object()} if broken == KEY else {"n": 1}, given)
        for state in (documents, Documents(tmp_path)):
            assert state.of("part") == []
            assert state.find(KEY) is None
    # A crash between the two left a part: it is replaced.
    documents.put(Key("part", "r", "0"), {"n": "old"})
    documents.create(KEY, {"n": 1}, parts)
    after = Documents(tmp_path)
    assert after.get(KEY) == {"n": 1}
    assert {key: after.get(key) for key in parts} == parts
    with pytest.raises(Exists):
        documents.create(KEY, {"n": 2}, {Key("part", "r", "0"): {"n": "new"}})
    assert documents.get(Key("part", "r", "0")) == {"n": 0}


def test_what_was_deleted_stays_so(tmp_path: Path) -> None:
    documents = Documents(tmp_path)
    documents.create(KEY, {"a": 1})
    assert documents.delete(KEY) == {"a": 1}
    assert Documents(tmp_path).find(KEY) is None


def test_a_write_that_was_cut_off_leaves_the_old_content(tmp_path: Path) -> None:
    Documents(tmp_path).create(KEY, {"a": 1})
    (tmp_path / "model/us-east-1/one.tmp").write_text('{"a": ')
    assert Documents(tmp_path).get(KEY) == {"a": 1}


def test_a_file_that_is_no_document_is_named(tmp_path: Path) -> None:
    Documents(tmp_path).create(KEY, {"a": 1})
    path = tmp_path / "model/us-east-1/one.json"
    path.write_text("{")
    with pytest.raises(LocalCloudError, match=r"one\.json: expected JSON"):
        Documents(tmp_path)


def test_of_is_by_kind_and_region() -> None:
    documents = Documents()
    for kind, region in (("a", "x"), ("a", "y"), ("b", "x")):
        documents.create(Key(kind, region, "n"), {})
    assert [key.region for key, _ in documents.of("a")] == ["x", "y"]
    assert len(documents.of("a", "y")) == 1
    assert documents.of("c") == []


def test_a_wait_ends_when_it_holds_when_time_is_over_and_when_it_is_deleted() -> None:
    documents = Documents()
    documents.create(KEY, {"n": 0})
    assert documents.wait(KEY, lambda d: d["n"] == 1, 0.01) == {"n": 0}
    changer = threading.Thread(target=documents.change, args=(KEY,), kwargs={"n": 1})
    changer.start()
    assert documents.wait(KEY, lambda d: d["n"] == 1, 10) == {"n": 1}
    changer.join()
    deleter = threading.Thread(target=documents.delete, args=(KEY,))
    deleter.start()
    with pytest.raises(Missing):
        documents.wait(KEY, lambda d: d["n"] == 2, 10)
    deleter.join()


def test_edits_of_several_threads_are_not_lost(tmp_path: Path) -> None:
    documents = Documents(tmp_path)
    documents.create(KEY, {"n": 0})

    def count() -> None:
        for _ in range(25):
            documents.edit(KEY, lambda d: d.update(n=d["n"] + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert documents.get(KEY)["n"] == Documents(tmp_path).get(KEY)["n"] == 100


def test_a_member_of_all_of_a_kind(tmp_path: Path) -> None:
    documents = Documents(tmp_path)
    documents.create(KEY, {"Status": "Failed"})
    documents.create(Key("other", "us-east-1", "one"), {})
    assert documents.texts("model", "Status") == [(KEY, "Failed")]
    for damage, said in (
        ({}, "Status: is missing"),
        ({"Status": 1}, "Status: expected a text, got 1"),
    ):
        [path] = tmp_path.rglob("model/*/*.json")
        path.write_text(json.dumps(damage))
        for kept in (True, False):
            with pytest.raises(
                LocalCloudError, match=f"{path}: expected a document .*wrote: {said};"
            ):
                Documents(tmp_path, persist=kept).texts("model", "Status")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[1]", "expected an object, got a list"),
        ('{"CreationTime": null}', "CreationTime: expected a number, got null"),
        ('{"CreationTime": true}', "CreationTime: expected a number, got true"),
        ('{"CreationTime": "today"}', "CreationTime: expected a number, got 'today'"),
    ],
)
def test_a_file_that_was_edited_by_hand_is_named(tmp_path: Path, content: str, said: str) -> None:
    documents = Documents(tmp_path)
    documents.create(KEY, {"n": 0})
    [path] = tmp_path.rglob("*.json")
    path.write_text(content)
    with pytest.raises(
        LocalCloudError, match=rf"{path.name}: expected a document .*wrote: {said};"
    ):
        Documents(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "got an empty file"),
        (b'{"n": ', "got invalid JSON at line 1"),
        (b"\xff", "got bytes that are not UTF-8"),
        (b"[" * 100_000, "got JSON that is nested too deeply"),
    ],
)
def test_a_file_that_is_not_json_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    Documents(tmp_path).create(KEY, {"n": 0})
    [path] = tmp_path.rglob("*.json")
    path.write_bytes(content)
    with pytest.raises(LocalCloudError, match=rf"{path.name}: expected JSON .*wrote, {said}"):
        Documents(tmp_path)


def test_a_copy_to_look_at_writes_nothing(tmp_path: Path) -> None:
    Documents(tmp_path).create(KEY, {"n": 0})
    copied = Documents(tmp_path, persist=False)
    copied.change(KEY, n=1)
    copied.create(Key("other", "x", "n"), {})
    assert copied.get(KEY) == {"n": 1}
    kept = Documents(tmp_path)
    assert kept.get(KEY) == {"n": 0}
    assert kept.of("other") == []
