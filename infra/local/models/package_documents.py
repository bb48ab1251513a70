"""Names of model packages: versions of a group, or packages of their own."""

from longspan.infra.local.control.api import Document
from longspan.infra.local.control.documents import Documents, Key

__all__ = ["GROUP", "PACKAGE", "find_package", "short_name"]

GROUP, PACKAGE = "model-package-group", "model-package"  # kinds of document


def short_name(name_or_arn: str) -> str:
    """`group/3` or `name`: what follows the kind in an ARN."""
    return name_or_arn.partition("/")[2] if name_or_arn.startswith("arn:") else name_or_arn


def find_package(documents: Documents, region: str, name_or_arn: str) -> Document | None:
    """A package by its name or ARN."""
    return documents.find(Key(PACKAGE, region, short_name(name_or_arn)))
