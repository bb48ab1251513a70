"""List endpoints with status, machines, time of the last change, and model.

The command changes nothing. If no local cloud runs, it starts no endpoint, and those that the
local cloud has stored are OutOfService.
"""

import argparse

from longspan.pipelines.cloud.options import add_where_arguments
from longspan.training.tables import align_rows

HELP = "list endpoints"
EXAMPLE = "longspan endpoints"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan endpoints`."""
    add_where_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print one line for each endpoint; return 0."""
    from longspan.pipelines.cloud.options import default_region, open_connection
    from longspan.pipelines.deployment.live_endpoint import list_endpoints

    with open_connection(arguments, default_region(arguments), at_rest=True) as connection:
        found = list_endpoints(connection.client("sagemaker"))
        rows = [
            (
                one.name,
                one.status,
                one.capacity,
                f"{one.since.astimezone():%Y-%m-%d %H:%M}",
                one.models,
            )
            for one in found
        ]
        for line, one in zip(align_rows(rows, "<"), found, strict=True):
            print(line)
            if one.reason:
                print(f"    {one.reason}")
        if not found:
            print("no endpoints")
    return 0
