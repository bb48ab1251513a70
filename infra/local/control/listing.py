"""List operations: filters by name, time and status, sorting, and pages.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTrainingJobs.html
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from longspan.infra.local.control.api import Document, ValidationError

__all__ = ["Listing"]

_DEFAULT_PAGE = 10


@dataclass(frozen=True)
class Listing:
    """Members of one kind of document by which its List operation filters and sorts.

    `sort_keys` maps values of SortBy to members. `created` and `modified` are the members for the
    times. `default_order` and `default_page` stand for SortOrder and MaxResults when a request
    does not set them. With `page_first` a page is cut before StatusEquals filters it.
    """

    name: str  # the member for NameContains and for SortBy Name
    status: str = ""
    created: str = "CreationTime"
    modified: str = "LastModifiedTime"
    default_sort: str = "CreationTime"
    default_order: str = "Descending"
    default_page: int = _DEFAULT_PAGE
    page_first: bool = False
    sort_keys: Mapping[str, str] = field(default_factory=dict)

    def page(
        self, documents: Iterable[Document], request: Mapping[str, Any]
    ) -> tuple[list[Document], str | None]:
        """Return one page of the documents that a request asks for, and the next page's token.

        Raises ValidationError for an invalid token.
        """
        found = [document for document in documents if self._matches(document, request)]
        order = request.get("SortOrder", self.default_order)
        found.sort(key=self._sort_key(request), reverse=order == "Descending")
        first = _offset(request.get("NextToken"))
        last = first + int(request.get("MaxResults", self.default_page))
        page = [document for document in found[first:last] if self._has_status(document, request)]
        return page, _token(last) if last < len(found) else None

    def answer(
        self, member: str, documents: Iterable[Document], request: Mapping[str, Any]
    ) -> Document:
        """Return one page as an answer: `{member: summaries}` and NextToken."""
        page, token = self.page(documents, request)
        return {member: page, "NextToken": token}

    def _matches(self, document: Document, request: Mapping[str, Any]) -> bool:
        created = float(document.get(self.created) or 0)
        modified = float(document.get(self.modified) or created)
        text = request.get("NameContains")
        return (
            (text is None or text.lower() in str(document[self.name]).lower())
            and (self.page_first or self._has_status(document, request))
            and _within(created, request, "CreationTime", "CreatedAfter", "CreatedBefore")
            and _within(modified, request, "LastModifiedTime")
        )

    def _has_status(self, document: Document, request: Mapping[str, Any]) -> bool:
        return request.get("StatusEquals") in (None, document.get(self.status))

    def _sort_key(self, request: Mapping[str, Any]) -> Callable[[Document], tuple[Any, str]]:
        chosen = request.get("SortBy", self.default_sort)
        standard = {"Name": self.name, "Status": self.status, "CreationTime": self.created}
        member = {**standard, **self.sort_keys}.get(chosen, chosen)
        # The name orders documents that are equal in the member: pages must not overlap.
        return lambda document: (_comparable(document.get(member)), str(document[self.name]))


def _comparable(value: Any) -> tuple[float, str]:
    """Return a key by which documents without the member sort before all others."""
    if isinstance(value, int | float):
        return float(value), ""
    return float("-inf"), str(value or "")


def _within(time: float, request: Mapping[str, Any], name: str, *others: str) -> bool:
    # The time of creation has two names in the API: CreationTimeAfter in most List operations,
    # CreatedAfter in some, such as ListPipelines.
    after = request.get(f"{name}After", request.get(others[0]) if others else None)
    before = request.get(f"{name}Before", request.get(others[1]) if others else None)
    return (after is None or time > float(after)) and (before is None or time < float(before))


def _token(offset: int) -> str:
    return base64.b64encode(json.dumps({"offset": offset}).encode()).decode()


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        offset = json.loads(base64.b64decode(token, validate=True))["offset"]
    # A token comes from outside: it may be any text, also JSON that is nested too deeply.
    except (ValueError, KeyError, TypeError, RecursionError):
        offset = None
    if not isinstance(offset, int) or offset < 0:
        raise ValidationError("Invalid NextToken")
    return offset
