"""The division of an output among its references, against every division there is."""

from itertools import combinations_with_replacement, pairwise

from hypothesis import given
from hypothesis import strategies as st

from longspan.inference.evaluation.documents.segmentation import segment_output, tokens_of

TOKENS = st.lists(st.sampled_from(["a", "b", "c", "."]), max_size=7)


def edit_distance(a, b):
    """The textbook table of Levenshtein, row by row."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row = row, [i]
        for j, y in enumerate(b, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (x != y)))
    return row[-1]


def cost(parts, references):
    """The sum of the edit distances, then how many bounds are not at the end of a sentence."""
    edits = sum(edit_distance(p, r) for p, r in zip(parts, references, strict=True))
    read, unlike = [], 0
    for part in parts[:-1]:
        read += part
        unlike += bool(read) and read[-1] != "."
    return edits, unlike


@given(TOKENS, st.lists(TOKENS, min_size=1, max_size=4))
def test_no_division_is_better(output, references):
    parts = segment_output(" ".join(output), [" ".join(r) for r in references])
    found = [part.split() for part in parts]
    assert [token for part in found for token in part] == output
    places = range(len(output) + 1)
    every = [
        [output[a:b] for a, b in pairwise([0, *bounds, len(output)])]
        for bounds in combinations_with_replacement(places, len(references) - 1)
    ]
    assert cost(found, references) == min(cost(parts, references) for parts in every)


def test_sentences_without_spaces_are_found_again():
    references = ["彼は本を読む。", "京都は古い都です。", "雨が降った。"]
    output = "彼が本を読んだ。京都は都だ。昨日雨が降った。"
    assert segment_output(output, references) == [
        "彼が本を読んだ。", "京都は都だ。", "昨日雨が降った。",
    ]  # fmt: skip


def test_a_sentence_that_is_missing_gets_nothing():
    references = ["the cat sleeps .", "the dog eats a bone .", "rain falls ."]
    parts = segment_output("the cat sleeps . rain falls .", references)
    assert parts == ["the cat sleeps .", "", "rain falls ."]


def test_the_spaces_of_the_output_stay_inside_a_part():
    assert segment_output("  a,  b.   c ", ["a, b.", "c"]) == ["a,  b.", "c"]


def test_nothing_can_be_divided():
    assert segment_output("", ["a", "b"]) == ["", ""]
    assert segment_output("a b", ["", "a b"]) == ["", "a b"]
    assert segment_output("x y z", [""]) == ["x y z"]


def test_tokens_are_words_marks_and_single_characters_of_unspaced_scripts():
    assert tokens_of("Dr. Lee's 東京タワーABC1、ไทย") == [
        "Dr", ".", "Lee", "'", "s", *"東京タワー", "ABC1", "、", *"ไทย",
    ]  # fmt: skip


def test_a_word_with_a_combining_mark_is_one_token():
    assert tokens_of("हिन्दी cafe\u0301") == ["हिन्दी", "cafe\u0301"]
