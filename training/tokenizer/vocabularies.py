"""Vocabularies: text to token ids and back, for one language.

`SentencePieceVocabulary` encodes any text, in bytes where no piece fits. `WordVocabulary` has whole
words of text that is tokenised already, and unknown words.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import sentencepiece

from longspan.training.errors import ModelDirectoryError

__all__ = [
    "BOS",
    "EOS",
    "PAD",
    "SPECIAL_WORDS",
    "UNK",
    "SentencePieceVocabulary",
    "Vocabulary",
    "WordVocabulary",
]

# The same four numbers as SageMaker's built-in seq2seq algorithm.
PAD, UNK, BOS, EOS = 0, 1, 2, 3
SPECIAL_WORDS = ("<pad>", "<unk>", "<s>", "</s>")

# SentencePiece writes a space as this character, so where the text has it, it is spelt in bytes.
_SPACE_MARK = "\u2581"
_SURROGATES = re.compile("[\ud800-\udfff]")
_UNKNOWN_MARK = "\u2047"


class Vocabulary(Protocol):
    """The tokens of one language. The ids 0 to 3 are PAD, UNK, BOS and EOS."""

    @property
    def kind(self) -> str:
        """Name of the implementation that reads `content`."""

    @property
    def settings(self) -> dict[str, Any]:
        """JSON values that the implementation needs beside `content`."""

    @property
    def content(self) -> bytes:
        """Content of the file of the vocabulary."""

    def encode(self, text: str) -> list[int]:
        """Return token ids without BOS and EOS, and without PAD for any text."""

    def encode_batch(self, texts: Sequence[str], threads: int = 1) -> list[list[int]]:
        """Encode several texts on a number of threads."""

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of token ids; PAD, BOS and EOS are skipped."""

    @property
    def byte_tokens(self) -> Mapping[int, int]:
        """Tokens that spell one byte, with the value of the byte; empty without byte fallback."""

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """Return each id as readable text, for alignments."""

    def halves(self) -> list[tuple[int, int]]:
        """Return the two tokens that each token is made of; (-1, -1) if of none."""

    def offsets(self, text: str, ids: Sequence[int]) -> list[tuple[int, int]]:
        """Return the characters of each token in `text`, as start and stop.

        `text` is the one that was encoded to `ids`, or the one that they decode to.
        """

    def __len__(self) -> int: ...


class SentencePieceVocabulary:
    """A SentencePiece model (Kudo and Richardson 2018) with byte fallback, so without any loss.

    With `prefix_space`, `encode` adds a space before the text and `decode` removes it. It is meant
    for languages with spaces between words: the ids of two texts in a row then decode to both
    texts with a space between. Without it, they decode to both texts with nothing between.

    Raises ModelDirectoryError when the model cannot be read or has other special ids.
    """

    kind = "sentencepiece"

    def __init__(self, model_bytes: bytes, *, prefix_space: bool = False) -> None:
        try:
            self._model = sentencepiece.SentencePieceProcessor(model_proto=model_bytes)
        except (RuntimeError, OSError, ValueError) as error:
            raise ModelDirectoryError(
                "expected a SentencePiece model, got other bytes; prepare it again"
            ) from error
        specials = (
            self._model.pad_id(),
            self._model.unk_id(),
            self._model.bos_id(),
            self._model.eos_id(),
        )
        if specials != (PAD, UNK, BOS, EOS):
            raise ModelDirectoryError(
                f"expected a SentencePiece model with pad, unk, bos, eos = {PAD}, {UNK}, {BOS}, "
                f"{EOS}, got {', '.join(map(str, specials))}; prepare it with longspan"
            )
        self._content = bytes(model_bytes)
        self._prefix_space = prefix_space
        self._bytes = [self._bytes_of(i) for i in range(len(self))]
        by_value = [self._model.piece_to_id(f"<0x{value:02X}>") for value in range(256)]
        self._mark = [by_value[value] for value in _SPACE_MARK.encode()]
        self._space = by_value[ord(" ")]
        # False for a vocabulary of text without spaces, or with very few.
        self._has_space = self._model.piece_to_id(_SPACE_MARK) != UNK
        self._byte_tokens = {token: value for value, token in enumerate(by_value)}
        if UNK in by_value:
            raise ModelDirectoryError(
                "expected a SentencePiece model with byte fallback, got one without; "
                "prepare it with longspan"
            )

    def __reduce__(self) -> tuple[Any, ...]:
        return _sentencepiece, (self._content, self._prefix_space)

    def __len__(self) -> int:
        return int(self._model.get_piece_size())

    @property
    def content(self) -> bytes:
        """Content of the model file."""
        return self._content

    @property
    def settings(self) -> dict[str, Any]:
        """Keyword arguments of the constructor beside the model."""
        return {"prefix_space": self._prefix_space}

    def encode(self, text: str) -> list[int]:
        """Return token ids; a lone surrogate, which is not text, is encoded as U+FFFD."""
        return self.encode_batch([text])[0]

    def encode_batch(self, texts: Sequence[str], threads: int = 1) -> list[list[int]]:
        """Encode several texts in C++ threads."""
        ready = [self._ready(text) for text in texts]
        encoded: list[list[int]] = self._model.encode(ready, out_type=int, num_threads=threads)
        for i, text in enumerate(ready):
            if _SPACE_MARK in text:
                encoded[i] = self._encode_around_marks(text)
            elif " " in text:
                encoded[i] = self._with_spaces(encoded[i])
        return encoded

    @property
    def byte_tokens(self) -> Mapping[int, int]:
        """Tokens of all 256 bytes, with their values."""
        return self._byte_tokens

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text without bytes that are not UTF-8, such as half of a character."""
        text = b"".join(self._bytes[i] for i in ids).decode("utf-8", "ignore")
        return text[1:] if self._prefix_space and text.startswith(" ") else text

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """Return the pieces of SentencePiece, with U+2581 for a space."""
        return [str(self._model.id_to_piece(int(i))) for i in ids]

    def halves(self) -> list[tuple[int, int]]:
        """Return the two shorter pieces that each piece is made of; (-1, -1) if of none.

        Of all places to cut a piece, it is the one whose rarer half is the most frequent. For a
        BPE model that is the merge which made the piece.
        """
        return [
            (-1, -1)
            if token <= EOS or self._model.is_byte(token)
            else self._cut(self._model.id_to_piece(token))
            for token in range(len(self))
        ]

    def _cut(self, piece: str) -> tuple[int, int]:
        """Return the ids of the best two halves of a piece, or (-1, -1)."""
        cuts = [
            (self._model.piece_to_id(piece[:i]), self._model.piece_to_id(piece[i:]))
            for i in range(1, len(piece))
        ]
        known = [cut for cut in cuts if UNK not in cut]
        return max(known, key=self._lower_score, default=(-1, -1))

    def _lower_score(self, cut: tuple[int, int]) -> float:
        return min(self._model.get_score(token) for token in cut)

    def offsets(self, text: str, ids: Sequence[int]) -> list[tuple[int, int]]:
        """Return start and stop of each token; all bytes of a character have the same ones."""
        spelt = [self._bytes[i] for i in ids]
        first = next((one[:1] for one in spelt if one), b"")
        begun = -1 if self._prefix_space and first == b" " else 0  # characters begun so far
        found = []
        for one in spelt:
            # The bytes of a character after its first are 80 to BF.
            within = bool(one) and 0x80 <= one[0] < 0xC0
            start, begun = begun - within, begun + sum(not 0x80 <= byte < 0xC0 for byte in one)
            found.append((max(0, start), max(0, begun)))
        return found

    def _ready(self, text: str) -> str:
        if not text:
            return text
        clean = text if text.isascii() else _SURROGATES.sub("\ufffd", text)
        return " " + clean if self._prefix_space else clean

    def _encode_around_marks(self, text: str) -> list[int]:
        ids: list[int] = []
        # SentencePiece would read the mark as a space, so the text between the marks is encoded,
        # and each mark is spelt by the tokens of its three bytes.
        for number, part in enumerate(text.split(_SPACE_MARK)):
            if number:
                ids += self._mark
            ids += self._with_spaces(self._model.encode(part, out_type=int))
        return ids

    def _with_spaces(self, ids: list[int]) -> list[int]:
        """Replace the mark's bytes by that of a space, in ids of text without the mark itself.

        SentencePiece spells its mark in bytes where the vocabulary has no piece for a space.
        """
        if self._has_space:
            return ids
        size = len(self._mark)
        found: list[int] = []
        for token in ids:
            found.append(token)
            if found[-size:] == self._mark:
                found[-size:] = [self._space]
        return found

    def _bytes_of(self, token: int) -> bytes:
        if token in (PAD, BOS, EOS):
            return b""
        if token == UNK:
            return _UNKNOWN_MARK.encode()
        piece = self._model.id_to_piece(token)
        if self._model.is_byte(token):
            # A piece such as <0x0A>.
            return bytes([int(piece[3:5], 16)])
        return bytes(piece.replace(_SPACE_MARK, " ").encode())


class WordVocabulary:
    """Whole words between white space, as in the built-in algorithm; other words are UNK.

    `words` is a list in the order of ids, or a mapping from word to id as in the `vocab.src.json`
    of the built-in algorithm. The ids 0 to 3 are PAD, UNK, BOS and EOS.
    Raises ModelDirectoryError when ids are missing or given twice.
    """

    kind = "words"

    def __init__(self, words: Sequence[str] | Mapping[str, int]) -> None:
        self._words = _ordered(words)
        if len(self._words) < len(SPECIAL_WORDS):
            raise ModelDirectoryError(
                f"expected a vocabulary whose ids 0 to 3 are {', '.join(SPECIAL_WORDS)}, "
                f"got {len(self._words)} words"
            )
        # The first four are not words of the text, even if the text contains them.
        self._ids = {word: i for i, word in enumerate(self._words) if i > EOS}

    def __reduce__(self) -> tuple[Any, ...]:
        return WordVocabulary, (self._words,)

    def __len__(self) -> int:
        return len(self._words)

    @property
    def content(self) -> bytes:
        """Content of a JSON file from word to id, as the built-in algorithm writes it."""
        table = {word: i for i, word in enumerate(self._words)}
        return json.dumps(table, ensure_ascii=False, indent=0).encode()

    @property
    def settings(self) -> dict[str, Any]:
        """Empty: there is nothing beside the words."""
        return {}

    def encode(self, text: str) -> list[int]:
        """Return the ids of the words, UNK for unknown words."""
        return [self._ids.get(word, UNK) for word in text.split()]

    def encode_batch(self, texts: Sequence[str], threads: int = 1) -> list[list[int]]:
        """Encode several texts; `threads` is not used."""
        return [self.encode(text) for text in texts]

    @property
    def byte_tokens(self) -> Mapping[int, int]:
        """Empty: there is no byte fallback."""
        return {}

    def decode(self, ids: Iterable[int]) -> str:
        """Return the words with one space between; PAD, BOS and EOS are skipped."""
        return " ".join(self.pieces(i for i in ids if i not in (PAD, BOS, EOS)))

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """Return the words."""
        return [self._words[i] for i in ids]

    def halves(self) -> list[tuple[int, int]]:
        """Return (-1, -1) for each: a word is not made of others."""
        return [(-1, -1)] * len(self)

    def offsets(self, text: str, ids: Sequence[int]) -> list[tuple[int, int]]:
        """Return start and stop of each word between white space."""
        return [found.span() for found in re.finditer(r"\S+", text)]


def vocabulary_from(kind: str, content: bytes, settings: Mapping[str, Any]) -> Vocabulary:
    """Build a vocabulary from its `kind`, `content` and `settings`.

    Raises ModelDirectoryError for an unknown kind and for damaged content.
    """
    if kind == SentencePieceVocabulary.kind:
        return SentencePieceVocabulary(content, prefix_space=bool(settings.get("prefix_space")))
    if kind == WordVocabulary.kind:
        try:
            return WordVocabulary(json.loads(content))
        except ValueError as error:
            raise ModelDirectoryError(
                f"expected a JSON vocabulary, got: {error}; copy it again"
            ) from error
    raise ModelDirectoryError(
        f"expected a vocabulary of kind sentencepiece or words, got {kind}; "
        "was it written by a newer longspan?"
    )


def digest(content: bytes) -> str:
    """Return the SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _sentencepiece(content: bytes, prefix_space: bool) -> SentencePieceVocabulary:
    return SentencePieceVocabulary(content, prefix_space=prefix_space)


def _ordered(words: Sequence[str] | Mapping[str, int]) -> list[str]:
    if not isinstance(words, Mapping):
        return list(words)
    by_id = {int(i): word for word, i in words.items()}
    if len(by_id) != len(words) or sorted(by_id) != list(range(len(words))):
        raise ModelDirectoryError(
            f"expected a vocabulary with the ids 0 to {len(words) - 1}, each once, got one with "
            "ids missing or given twice; copy it again"
        )
    return [by_id[i] for i in range(len(by_id))]
