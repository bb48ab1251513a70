"""Plans: the parts of a request's texts, with the search for each.

The HTTP server and SageMaker's handler functions share them, so both answer alike:

    Request -> Planner.plan -> PlannedItem -> translations of the parts -> join_answers -> Answer
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from longspan.inference.refusals import BadRequest
from longspan.inference.requests.options import Profiles, check_cells
from longspan.inference.requests.request import Request, RequestItem
from longspan.inference.search.settings import SearchSettings
from longspan.inference.translation.answers import Answer, join_parts
from longspan.inference.translation.parts import Limits, Part, SplitText, split_text
from longspan.inference.translation.translations import Translation
from longspan.training.tokenizer.tokenizer import EOS, Tokenizer

__all__ = ["PlannedItem", "Planner", "join_answers"]


@dataclass(frozen=True)
class PlannedItem:
    """One text of a request, split, with the search for its parts."""

    item: RequestItem
    parts: SplitText
    settings: SearchSettings
    profile: str


@dataclass(frozen=True)
class Planner:
    """Plans requests for one model. `language` is that of the source; `split` holds for items that
    name no way to split."""

    tokenizer: Tokenizer
    profiles: Profiles
    has_attention: bool
    limits: Limits = field(default_factory=Limits)
    language: str = "en"
    split: str = "auto"

    def plan(self, request: Request) -> list[PlannedItem]:
        """Check all items of a request and split their texts, before anything is translated.

        Raises BadRequest for options that this model cannot follow, TooLong for a text beyond the
        limits or alignments that would be too large.
        """
        planned = [self._plan_item(item) for item in request.items]
        check_cells((one.item.options, one.parts) for one in planned)
        return planned

    def _plan_item(self, item: RequestItem) -> PlannedItem:
        options = item.options
        settings = self.profiles.settings(options, has_attention=self.has_attention)
        parts = self._parts(item, options.split or self.split)
        return PlannedItem(item, parts, settings, options.profile or self.profiles.default)

    def _parts(self, item: RequestItem, how: str) -> SplitText:
        if item.ids is None:
            return split_text(item.text, self.tokenizer, self.limits, self.language, how)
        text = text_of_ids(item.ids, self.tokenizer)
        if not item.ids:
            return SplitText(())
        if len(item.ids) < self.limits.part:
            return SplitText((Part(text, (*item.ids, EOS)),))
        # Too long for one part, so it is split as text.
        return split_text(text, self.tokenizer, self.limits, self.language, how)


def text_of_ids(ids: Sequence[int], tokenizer: Tokenizer) -> str:
    """Return the text of source token ids. Raises BadRequest for an id outside the vocabulary."""
    size = len(tokenizer.source)
    if (wrong := next((i for i in ids if not 0 <= i < size), None)) is not None:
        raise BadRequest(
            f"source: expected token ids from 0 to {size - 1}, got {wrong}; encode with the "
            "vocabulary of this model"
        )
    return tokenizer.source.decode(ids)


def join_answers(
    planned: Sequence[PlannedItem], translations: Iterator[Translation]
) -> list[Answer]:
    """Return the answer to each item; `translations` are those of all parts, in order."""
    return [join_parts(one.parts, [next(translations) for _ in one.parts.parts]) for one in planned]
