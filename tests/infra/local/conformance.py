"""The table of SageMaker's operations in docs/local-cloud.md, from botocore's list of them.

`python tests/infra/local/conformance.py` writes it into the page.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from botocore.session import Session

from longspan.infra.local.cloud import services
from longspan.infra.local.control.clients import Clients
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.control_plane import ControlPlane
from longspan.infra.local.control.documents import Documents
from longspan.infra.local.control.threads import Threads
from longspan.infra.local.endpoints.deployments import Deployments
from longspan.infra.local.endpoints.service import Endpoints
from longspan.infra.local.runtimes.runtime import Runtime

__all__ = ["PAGE", "answered_operations", "conformance_table", "table_of"]

PAGE = Path(__file__).parents[3] / "docs/local-cloud.md"
_BEGIN, _END = "<!-- operations: begin -->\n", "<!-- operations: end -->\n"
# A word, and the rest of the name: `List` and `TrainingJobs`.
_NAME = re.compile(r"([A-Z][a-z]+)(.*)")


def answered_operations(folder: Path) -> frozenset[str]:
    """Return the operations that the local cloud answers, without starting one."""
    documents = Documents()
    context = Context(
        documents,
        Threads(documents),
        cast(Clients, None),
        cast(Runtime, None),
        folder,
        lambda: 0.0,
    )
    return ControlPlane(services(context, Endpoints(context, Deployments(context)))).operations


def conformance_table(answered: frozenset[str]) -> str:
    """Return the table in Markdown: each resource with the verbs of its operations.

    Resources without an operation that is answered are one paragraph at the end.
    """
    names = Session().get_service_model("sagemaker").operation_names
    kinds: dict[str, set[str]] = defaultdict(set)
    for name in names:
        kinds[_kind(name)].add(name)
    rows = [
        f"| {kind} | {_verbs(found & answered)} | {_verbs(found - answered)} |"
        for kind, found in sorted(kinds.items())
        if found & answered
    ]
    others = sorted(kind for kind, found in kinds.items() if not found & answered)
    return "\n".join(
        [
            f"The local cloud answers {len(answered)} of the {len(names)} operations in botocore's "
            "list:",
            "",
            "| resource | answered | refused |",
            "|---|---|---|",
            *rows,
            "",
            f"All operations on other resources are refused: {', '.join(others)}.",
            "",
        ]
    )


def _kind(operation: str) -> str:
    """Return the resource of an operation in the singular, `TrainingJob` of ListTrainingJobs."""
    verb, noun = _split(operation)
    if not noun:
        return verb
    if noun.endswith("ies"):
        return f"{noun[:-3]}y"
    if noun.endswith("ses"):
        return noun[:-2]
    return noun[:-1] if noun.endswith("s") and not noun.endswith(("ss", "us")) else noun


def _verbs(operations: Iterable[str]) -> str:
    return ", ".join(sorted(_split(name)[0] for name in operations))


def _split(operation: str) -> tuple[str, str]:
    found = _NAME.fullmatch(operation)
    assert found is not None
    return found[1], found[2]


def table_of(page: str) -> str:
    """Return the table that a page has."""
    return page.partition(_BEGIN)[2].partition(_END)[0]


def _write() -> None:
    with TemporaryDirectory() as folder:
        table = conformance_table(answered_operations(Path(folder)))
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.partition(_BEGIN)[0], page.partition(_END)[2]
    PAGE.write_text(f"{before}{_BEGIN}{table}{_END}{after}", encoding="utf-8")


if __name__ == "__main__":
    _write()
