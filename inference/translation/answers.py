"""Answers: the translations of a text's parts, joined."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from longspan.inference.accounting.account import TranslationAccount, join_accounts
from longspan.inference.translation.parts import SplitText
from longspan.inference.translation.translations import Translation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Answer", "as_translation", "join_parts"]


@dataclass(frozen=True)
class Answer:
    """The translation of one text.

    `finished` is False where the translation of a part was stopped: at the length limit, or because
    it repeated itself (`looping`). `at` is what the text was split at, empty for a text of one
    part. `alignment` (target, source) has a row for each of `tokens` and a column for each of
    `source_tokens`; between tokens of different parts it is 0. `account` has places in the whole
    text and in `text`; None where nobody asked.
    """

    text: str
    finished: bool
    log_probability: float
    parts: tuple[Translation, ...]
    sources: tuple[str, ...]  # the text of each part
    at: str = ""
    account: TranslationAccount | None = None

    @property
    def looping(self) -> bool:
        """Whether the translation of a part was stopped because it repeated itself."""
        return any(part.looping for part in self.parts)

    @property
    def tokens(self) -> tuple[str, ...]:
        """Target tokens of all parts."""
        return tuple(token for part in self.parts for token in part.tokens)

    @property
    def ids(self) -> tuple[int, ...]:
        """Target token ids of all parts."""
        return tuple(token for part in self.parts for token in part.ids)

    @property
    def source_tokens(self) -> tuple[str, ...]:
        """Source tokens of all parts, each part with its end token."""
        return tuple(token for part in self.parts for token in part.source_tokens)

    @property
    def alignment(self) -> "NDArray[np.float32] | None":
        """Attention weights (target, source), or None where they were not asked for."""
        weights = [part.alignment for part in self.parts if part.alignment is not None]
        if self.parts and not weights:
            return None
        import numpy as np  # here, since few requests ask for an alignment

        rows, columns = (sum(w.shape[axis] for w in weights) for axis in (0, 1))
        # Each part attends to its own source alone:
        #
        #                source 1   source 2
        #     target 1 | weights       0     |
        #     target 2 |    0       weights  |
        whole = np.zeros((rows, columns), dtype=np.float32)
        row = column = 0
        for part in weights:
            height, width = part.shape
            whole[row : row + height, column : column + width] = part
            row, column = row + height, column + width
        return whole


def join_parts(parts: SplitText, translations: Sequence[Translation]) -> Answer:
    """Return the answer of a text from the translation of each part."""
    texts = [
        translation.text + part.joint
        for part, translation in zip(parts.parts, translations, strict=True)
    ]
    return Answer(
        text=parts.before + "".join(texts),
        finished=all(translation.finished for translation in translations),
        log_probability=sum(translation.log_probability for translation in translations),
        parts=tuple(translations),
        sources=tuple(part.text for part in parts.parts),
        at=parts.at,
        account=_account(parts, translations, texts),
    )


def _account(
    parts: SplitText, translations: Sequence[Translation], texts: Sequence[str]
) -> TranslationAccount | None:
    """Return the accounts of all parts as one, None where they have none."""
    found, written = [], len(parts.before)
    for part, translation, text in zip(parts.parts, translations, texts, strict=True):
        if translation.account is not None:
            found.append((part.start, written, translation.account))
        written += len(text)
    return join_accounts(found) if found else None


def as_translation(answer: Answer) -> Translation:
    """Return the answer as one translation. Its score is the sum of its parts' scores.

    An answer of several parts has no `n_best`.
    """
    if len(answer.parts) == 1:
        return replace(answer.parts[0], text=answer.text, account=answer.account)
    return Translation(
        text=answer.text,
        score=sum(part.score for part in answer.parts),
        log_probability=answer.log_probability,
        finished=answer.finished,
        tokens=answer.tokens,
        source_tokens=answer.source_tokens,
        alignment=answer.alignment if answer.parts else None,
        looping=answer.looping,
        ids=answer.ids,
        account=answer.account,
    )
