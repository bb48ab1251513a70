"""Delete everything that the config's pipeline created, after listing it and asking.

That is the endpoint, endpoint configs, models, model packages, the pipeline, and its objects on
S3 with the data and models. Jobs and logs stay; they cost nothing.
"""

import argparse
import sys

from longspan.pipelines.cloud.options import add_config_argument, add_where_arguments
from longspan.training.tables import align_rows

HELP = "delete what a pipeline created"
EXAMPLE = "longspan delete --config longspan.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan delete`."""
    add_config_argument(parser)
    parser.add_argument("--yes", action="store_true", help="delete without asking")
    add_where_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """List the resources, ask, delete them; return 1 if the answer is no."""
    from longspan.pipelines.cloud.aws_errors import AwsError
    from longspan.pipelines.cloud.options import open_connection
    from longspan.pipelines.config import load_config_or_sample
    from longspan.pipelines.deployment.resources import Project, delete, find_resources

    config = load_config_or_sample(arguments.config)
    if arguments.aws and not config.aws.bucket:
        raise AwsError(
            "expected aws.bucket in the config, got none; set it to the bucket of the objects"
        )
    with open_connection(arguments, config.aws.region) as connection:
        project = Project(
            name=config.name,
            group=config.group,
            endpoint=config.endpoint_name,
            bucket=connection.bucket if connection.local else str(config.aws.bucket),
            prefix=f"{config.aws.prefix}/{config.name}",
        )
        found = find_resources(connection, project)
        if not found:
            print(f"nothing found that {config.name} created")
            return 0
        rows = [(resource.kind, resource.name, resource.note) for resource in found]
        print(*align_rows(rows, "<"), sep="\n")
        if not arguments.yes and not _confirmed(len(found)):
            print("nothing was deleted")
            return 1
        for resource in found:
            delete(connection, project, resource)
            print(f"deleted {resource.kind} {resource.name}", flush=True)
    return 0


def _confirmed(count: int) -> bool:
    if not sys.stdin.isatty():
        print("expected a terminal to ask at; --yes deletes without asking", file=sys.stderr)
        return False
    return input(f"Delete these {count} resources? Type yes: ").strip().lower() == "yes"
