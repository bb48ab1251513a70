"""Determiners and pronouns in both languages."""

from longspan.training.sample.dice import Weighted
from longspan.training.sample.english import Agreement
from longspan.training.sample.phrases import Determiner, Word

__all__ = ["ORDINALS", "POSSESSIVES", "PRONOUNS", "SINGLE_PRONOUNS", "THE", "THESE", "THIS", "A"]

THE, A = Determiner("the"), Determiner("a")
POSSESSIVES = Weighted(
    [
        Determiner("my", "私の"),
        Determiner("his", "彼の"),
        Determiner("her", "彼女の"),
        Determiner("their", "彼らの"),
        Determiner("our", "私たちの"),
        Determiner("your", "あなたの"),
    ],
    [4, 3, 3, 2, 1, 1],
)
THIS = (Determiner("this", "この"), Determiner("that", "あの"))
THESE = (Determiner("these", "これらの"), Determiner("those", "あれらの"))
ORDINALS = (
    ("first", "最初"),
    ("second", "二番目"),
    ("third", "三番目"),
    ("fourth", "四番目"),
    ("fifth", "五番目"),
    ("last", "最後"),
)
PRONOUNS = Weighted(
    [
        Word("I", "私", Agreement.FIRST),
        Word("he", "彼"),
        Word("she", "彼女"),
        Word("they", "彼ら", Agreement.PLURAL),
        Word("we", "私たち", Agreement.PLURAL),
        Word("you", "あなた", Agreement.PLURAL),
    ],
    [4, 4, 4, 3, 2, 1],
)
SINGLE_PRONOUNS = (Word("I", "私", Agreement.FIRST), Word("he", "彼"), Word("she", "彼女"))
