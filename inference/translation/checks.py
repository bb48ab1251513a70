"""Checks: translations with accounts of what they omit and say twice, on request repaired."""

from collections.abc import Callable, Sequence

from longspan.inference.accounting.examination import Question, answer_all
from longspan.inference.accounting.repair import account_for
from longspan.inference.search.hypothesis import Hypothesis
from longspan.inference.search.settings import SearchSettings
from longspan.inference.translation.translations import Translation, with_account
from longspan.training.tokenizer.tokenizer import Tokenizer

__all__ = ["check_translations"]

_TOGETHER = 32  # translations that are examined side by side


def check_translations(
    texts: Sequence[str],
    translations: Sequence[Translation],
    tokenizer: Tokenizer,
    settings: SearchSettings,
    answer: Callable[[list[Question]], list[Hypothesis]],
    *,
    repair: bool = False,
    count: Callable[[int], None] = lambda _: None,
) -> list[Translation]:
    """Return the translations of `texts`, each with its account; with `repair` they are repaired.

    `settings` are those of the search, `answer` asks the model. `count` is told how many are done.
    """
    checked: list[Translation] = []
    for start in range(0, len(texts), _TOGETHER):
        some = translations[start : start + _TOGETHER]
        examinations = [
            account_for(tokenizer, text, one.ids, settings, repair=repair)
            for text, one in zip(texts[start : start + _TOGETHER], some, strict=True)
        ]
        for one, found in zip(some, answer_all(examinations, answer), strict=True):
            checked.append(with_account(tokenizer, one, found.account, found.repaired))
        count(len(some))
    return checked
