import numpy as np

from longspan.training.pairs.pairs import Pair
from longspan.training.preparation.spool import Spool, document_number, key_of


def test_pairs_and_keys_come_back_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr("longspan.training.preparation.spool._BUFFERED", 3)
    pairs = [
        Pair("a", "猫", "doc", 4, "some file.tsv:1"),
        Pair(" b  c ", "犬", None, None, "x:2", joined=True),
        Pair("d", "e", "issue #3", None, "x:3"),
        Pair("\u2029"[:0] + "f", "g", "a#b", 7, "x:4"),
    ]
    with Spool(tmp_path) as spool:
        for pair in pairs:
            spool.add(pair)
    assert len(spool) == 4
    assert list(spool.pairs()) == list(spool.pairs()) == pairs
    chunks = list(spool.key_chunks())
    keys = np.concatenate([chunk for _, chunk in chunks])
    assert [start for start, _ in chunks] == [0]
    assert [tuple(key) for key in keys.tolist()] == [key_of(pair) for pair in pairs]
    assert keys["document"][1] == 0


def test_an_empty_spool_has_no_pairs(tmp_path):
    with Spool(tmp_path) as spool:
        pass
    assert list(spool.pairs()) == []
    assert list(spool.key_chunks()) == []


def test_documents_have_numbers_that_fit_the_corpus():
    assert document_number(None) == -1
    assert 0 <= document_number("a") < 2**62
    assert document_number("a") != document_number("b")
