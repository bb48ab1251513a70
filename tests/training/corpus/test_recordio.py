import gzip
import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.training.corpus import recordio
from longspan.training.errors import DataError

# Serialised by Google's protobuf package from the published record.proto:
# source = [4, 300, 70000, 5], target = [127, 128, 16384].
BY_PROTOBUF = bytes.fromhex(
    "0a150a06736f75726365120b3a090a0704ac02f0a204050a140a06746172676574120a3a080a067f8001808001"
)
# The same with a uid, a label and a shape, which the built-in's reader skips.
BY_PROTOBUF_WITH_MORE = bytes.fromhex(
    "0a180a06736f75726365120e3a0c0a0704ac02f0a204051a01040a140a06746172676574120a3a080a067f80"
    "01808001120d0a0178120812060a040000c03f1a027531"
)
MAGIC = struct.pack("<I", recordio.MAGIC)
IDS = st.lists(st.integers(-(2**31), 2**31 - 1))


def frame(payload: bytes, flag: int = 0) -> bytes:
    header = MAGIC + struct.pack("<I", flag << 29 | len(payload))
    return header + payload + bytes(-len(payload) % 4)


def pairs_of(path: Path) -> list[tuple[list[int], list[int]]]:
    return [(pair.source.tolist(), pair.target.tolist()) for pair in recordio.read_records(path)]


def test_encodes_what_the_protobuf_package_encodes():
    assert recordio.encode_record([4, 300, 70000, 5], [127, 128, 16384]) == BY_PROTOBUF


@pytest.mark.parametrize("payload", [BY_PROTOBUF, BY_PROTOBUF_WITH_MORE])
def test_decodes_what_the_protobuf_package_encodes(payload: bytes):
    source, target = recordio.decode_record(payload)
    assert source.tolist() == [4, 300, 70000, 5]
    assert target.tolist() == [127, 128, 16384]


def test_decodes_numbers_that_are_not_packed():
    tensor = bytes([0x08, 4, 0x08, 0xAC, 0x02])  # values = 4, then 300, one field each
    value = bytes([0x3A, len(tensor)]) + tensor
    entries = [
        b"\x0a\x06" + name + bytes([0x12, len(value)]) + value for name in (b"source", b"target")
    ]
    payload = b"".join(bytes([0x0A, len(entry)]) + entry for entry in entries)
    source, target = recordio.decode_record(payload)
    assert source.tolist() == target.tolist() == [4, 300]


@given(source=IDS, target=IDS)
def test_any_ids_come_back(source: list[int], target: list[int]):
    read_source, read_target = recordio.decode_record(recordio.encode_record(source, target))
    assert (read_source.tolist(), read_target.tolist()) == (source, target)


@given(payload=st.binary())
def test_wild_payloads_are_refused_as_such(payload: bytes):
    with pytest.raises(recordio._MalformedError):
        recordio.decode_record(payload)


@given(cut=st.integers(0, len(BY_PROTOBUF) - 1), flip=st.integers(1, 255))
def test_damaged_payloads_raise_nothing_else(cut: int, flip: int):
    damaged = bytearray(BY_PROTOBUF)
    damaged[cut] ^= flip
    with suppress(ValueError):
        recordio.decode_record(bytes(damaged))


def test_a_file_is_written_and_read_in_order(tmp_path: Path):
    pairs = [([4, 5], [6]), ([7] * 1000, list(range(4, 900))), ([1], [1])]
    assert recordio.write_records(tmp_path / "a.rec", pairs) == 3
    assert pairs_of(tmp_path / "a.rec") == pairs
    assert (tmp_path / "a.rec").stat().st_size % 4 == 0


def test_gzip_reads_like_plain(tmp_path: Path):
    recordio.write_records(tmp_path / "a.rec", [([4, 5], [6])])
    (tmp_path / "b.rec.gz").write_bytes(gzip.compress((tmp_path / "a.rec").read_bytes()))
    assert pairs_of(tmp_path / "b.rec.gz") == [([4, 5], [6])]


def test_a_record_in_parts_is_joined_around_the_magic_number(tmp_path: Path):
    # 0x0a 0x23 0xd7 0xce as ids 10, 35 and 26455: the aligned magic number inside a payload.
    payload = recordio.encode_record([4], [10, 35, 26455])
    at = payload.index(MAGIC)
    (tmp_path / "a.rec").write_bytes(frame(payload[:at], 1) + frame(payload[at + 4 :], 3))
    assert pairs_of(tmp_path / "a.rec") == [([4], [10, 35, 26455])]


def good_then(rest: bytes) -> bytes:
    return frame(BY_PROTOBUF) + rest


START = len(frame(BY_PROTOBUF))


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        (b"hello world, not records", 0, "expected RecordIO's magic number 0xced7230a"),
        (good_then(b"\x00\x01"), START, "got the end of the file inside its header"),
        (good_then(frame(BY_PROTOBUF)[:-8]), START, "at the end of the file"),
        (good_then(frame(b"", 2)), START, "expected continuation flag 0 or 1, got 2"),
        (good_then(frame(BY_PROTOBUF, 1)), START, "expected all parts of a record"),
        (good_then(frame(b"\x0b")), START, "wire type 3"),
        (good_then(frame(b"")), START, "got no feature source (features: none)"),
        (good_then(frame(BY_PROTOBUF.replace(b"target", b"labels"))), START, "no feature target"),
        (
            good_then(frame(BY_PROTOBUF.replace(b"\x3a\x09\x0a", b"\x12\x09\x0a"))),
            START,
            "float32_",
        ),
        (good_then(frame(BY_PROTOBUF.replace(b"\x3a\x09\x0a", b"\x3a\x09\x12"))), START, "sparse"),
    ],
)
def test_damage_is_named_by_file_and_byte(tmp_path: Path, content: bytes, place: int, reason: str):
    path = tmp_path / "bad.rec"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        list(recordio.read_records(path))
    assert str(caught.value).startswith(f"{path}: byte {place}: ")
    assert reason in str(caught.value)


def test_a_damaged_gzip_file_is_named(tmp_path: Path):
    recordio.write_records(tmp_path / "a.rec", [([4, 5], [6])] * 100)
    zipped = gzip.compress((tmp_path / "a.rec").read_bytes())
    (tmp_path / "b.rec.gz").write_bytes(zipped[:-12])
    with pytest.raises(DataError, match=r"b\.rec\.gz: expected gzip data"):
        list(recordio.read_records(tmp_path / "b.rec.gz"))


def test_a_pair_before_the_damage_is_still_read(tmp_path: Path):
    (tmp_path / "a.rec").write_bytes(good_then(b"garbage!"))
    pairs = recordio.read_records(tmp_path / "a.rec")
    assert next(pairs).source.tolist() == [4, 300, 70000, 5]
    with pytest.raises(DataError):
        next(pairs)
