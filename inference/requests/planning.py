"""Plans: the parts of a request's texts, with the search for each.

The HTTP server and SageMaker's handler functions share them, so both answer alike:

    Request -> Planner.plan -> PlannedItem -> translations of the parts -> join_answers -> Answer
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from longspan.inference.requests.options import Profiles, check_cells
from longspan.inference.requests.request import Request, RequestItem
from longspan.inference.search.settings import SearchSettings
from longspan.inference.translation.answers import Answer, join_parts
from longspan.inference.translation.parts import Limits, SplitText, split_text
from longspan.inference.translation.translations import Translation
from longspan.training.tokenizer.tokenizer import Tokenizer

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
        how = options.split or self.split
        parts = split_text(item.text, self.tokenizer, self.limits, self.language, how)
        return PlannedItem(item, parts, settings, options.profile or self.profiles.default)


def join_answers(
    planned: Sequence[PlannedItem], translations: Iterator[Translation]
) -> list[Answer]:
    """Return the answer to each item; `translations` are those of all parts, in order."""
    return [join_parts(one.parts, [next(translations) for _ in one.parts.parts]) for one in planned]
