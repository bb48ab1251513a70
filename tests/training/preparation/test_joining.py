from longspan.training.lengths import count_words
from longspan.training.pairs.pairs import Pair
from longspan.training.preparation.joining import join_pairs, joined_pairs, separator_of

SPACED = (" ", "")


def document(name, lines, words=20, first=1):
    return [
        Pair(f"{name}{i} " + "w " * (words - 2) + "end", f"「{name}{i}」", name, first + i)
        for i in range(lines)
    ]


def test_japanese_is_joined_without_a_space_unless_it_has_some():
    assert separator_of(["これは日本語の文章です。", "短い 文"]) == ""
    assert separator_of(["これ は 日本 語 の 文章 です 。"]) == " "
    assert (
        separator_of(["a sentence of words", "another one of them", "internationalisation"]) == " "
    )


def test_a_joined_pair_says_so_and_where_it_starts():
    joined = join_pairs([Pair("a", "猫", "d", 3, "x:1"), Pair("b", "犬", "d", 4, "x:2")], SPACED)
    assert joined == Pair("a b", "猫犬", "d", 3, "x:1", joined=True)
    assert join_pairs([Pair("a", "猫", "d"), Pair("b", "犬", "e")], SPACED).document is None


def test_neighbours_of_a_document_are_joined_in_their_order():
    lines = document("d", 12)
    joined, counts = joined_pairs(lines[::-1], 2, SPACED)
    assert counts == {"same_document": 2, "across_documents": 0}
    assert [p.target for p in joined] == [
        "".join(p.target for p in lines[:6]),
        "".join(p.target for p in lines[6:]),
    ]
    assert all(p.joined and count_words(p.source) > 100 for p in joined)


def test_windows_overlap_only_when_there_is_no_other_way():
    apart, _ = joined_pairs(document("d", 24), 4, SPACED)
    assert len({name for p in apart for name in p.target.split("」")}) == 24 + 1
    more, counts = joined_pairs(document("d", 24), 12, SPACED)
    assert len(more) == counts["same_document"] == 12
    assert len({p.source for p in more}) == 12


def test_short_documents_are_joined_across_and_counted_so():
    pairs = [pair for number in range(30) for pair in document(f"d{number}", 1)]
    joined, counts = joined_pairs(pairs, 3, SPACED)
    assert counts == {"same_document": 0, "across_documents": 3}
    assert all(p.document is None for p in joined)


def test_too_little_material_gives_fewer():
    assert joined_pairs(document("d", 3), 100, SPACED) == (
        [],
        {"same_document": 0, "across_documents": 0},
    )


def test_joined_pairs_are_not_joined_again():
    pairs = [Pair("w " * 60 + str(i), "x", "d", i, joined=True) for i in range(9)]
    assert joined_pairs(pairs, 5, SPACED)[0] == []


def test_a_language_that_writes_no_spaces_is_joined_until_its_words_are_over_100():
    clauses = ["老师在花园里看书，", "孩子们", "用USB线连接电脑，", "他说OK", "很好。"]
    pairs = [Pair(clauses[i % 5], f"clause {i}", "d", i) for i in range(200)]
    joined, counts = joined_pairs(pairs, 8, ("", " "))
    assert sum(counts.values()) == 8
    # 101 to 150 words are wanted; one clause of at most 5 words may come on top.
    assert all(100 < count_words(pair.source) <= 155 for pair in joined)
    assert len({pair.source.count("老师") for pair in joined}) > 1


def test_words_that_merge_without_a_space_make_no_long_pair():
    pairs = [Pair("Einstellungen", "設定", "d", i) for i in range(400)]
    joined, _ = joined_pairs(pairs, 3, ("", ""))
    assert joined == []
    assert separator_of(pair.source for pair in pairs) == " "
