"""Filters, order and pages of List operations."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.infra.local.control.api import ValidationError
from longspan.infra.local.control.listing import Listing

LISTING = Listing(name="Name", status="Status")


def document(name: str, created: float, status: str = "Completed", **more: Any) -> dict[str, Any]:
    return {"Name": name, "CreationTime": created, "Status": status, **more}


DOCUMENTS = [
    document("beta", 1.0),
    document("alpha", 3.0, "Failed"),
    document("Alphabet", 2.0, LastModifiedTime=9.0),
]


def names(**request: Any) -> list[str]:
    return [found["Name"] for found in LISTING.page(DOCUMENTS, request)[0]]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, ["alpha", "Alphabet", "beta"]),  # the newest first
        ({"SortOrder": "Ascending"}, ["beta", "Alphabet", "alpha"]),
        ({"SortBy": "Name", "SortOrder": "Ascending"}, ["Alphabet", "alpha", "beta"]),
        ({"SortBy": "Status", "SortOrder": "Ascending"}, ["Alphabet", "beta", "alpha"]),
        ({"NameContains": "ALPHA"}, ["alpha", "Alphabet"]),
        ({"NameContains": "none"}, []),
        ({"StatusEquals": "Failed"}, ["alpha"]),
        ({"CreationTimeAfter": 1.0}, ["alpha", "Alphabet"]),
        ({"CreationTimeBefore": 2.5}, ["Alphabet", "beta"]),
        ({"CreatedAfter": 2.5}, ["alpha"]),
        ({"CreatedBefore": 1.5}, ["beta"]),
        ({"LastModifiedTimeAfter": 8.0}, ["Alphabet"]),
        # What was never modified was so at its creation.
        ({"LastModifiedTimeBefore": 2.0}, ["beta"]),
    ],
)
def test_filters_and_order(request_: dict[str, Any], expected: list[str]) -> None:
    assert names(**request_) == expected


def test_a_page_may_be_cut_before_its_status_is_looked_at() -> None:
    """The order that the reference of ListTrainingJobs gives."""
    listing = Listing(name="Name", status="Status", page_first=True)
    seen: list[list[str]] = []
    token: str | None = None
    while token is not None or not seen:
        request = {"MaxResults": 1, "StatusEquals": "Failed"} | (
            {"NextToken": token} if token else {}
        )
        page, token = listing.page(DOCUMENTS, request)
        seen.append([found["Name"] for found in page])
    assert seen == [["alpha"], [], []]
    # The other filters come first.
    page, token = listing.page(DOCUMENTS, {"NameContains": "beta", "StatusEquals": "Failed"})
    assert (page, token) == ([], None)


@given(count=st.integers(0, 30), size=st.integers(1, 12))
def test_pages_hold_everything_once(count: int, size: int) -> None:
    documents = [document(f"n{number:02}", number % 5) for number in range(count)]
    seen: list[str] = []
    token: str | None = None
    while True:
        request = {"MaxResults": size, **({"NextToken": token} if token else {})}
        answer = LISTING.answer("Found", documents, request)
        assert len(answer["Found"]) <= size
        seen += [found["Name"] for found in answer["Found"]]
        token = answer["NextToken"]
        if token is None:
            break
    assert sorted(seen) == [found["Name"] for found in documents]


def test_a_page_has_ten_unless_it_is_told_otherwise() -> None:
    documents = [document(str(number), number) for number in range(11)]
    assert len(LISTING.page(documents, {})[0]) == 10
    large = Listing(name="Name", default_page=100)
    assert large.page(documents, {})[1] is None


def test_documents_without_the_member_come_first() -> None:
    listing = Listing(name="Name", sort_keys={"Value": "_Value"})
    documents = [document("a", 0, _Value=2.0), document("b", 0), document("c", 0, _Value=-1.0)]
    page, _ = listing.page(documents, {"SortBy": "Value", "SortOrder": "Ascending"})
    assert [found["Name"] for found in page] == ["b", "c", "a"]


def token(content: object) -> str:
    return base64.b64encode(json.dumps(content).encode()).decode()


@given(
    st.text(min_size=1)
    | st.sampled_from(
        [token({"offset": value}) for value in (-1, 1.5, "1", None, [], float("inf"), float("nan"))]
    )
    | st.sampled_from([token([]), token({}), token(3), token("offset")])
)
def test_a_token_that_no_list_gave_is_refused(given: str) -> None:
    with pytest.raises(ValidationError, match="Invalid NextToken"):
        LISTING.page(DOCUMENTS, {"NextToken": given})
