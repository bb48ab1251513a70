"""Deploy a model package to the endpoint, or roll back to the previous one.

PACKAGE is a version number in the config's model package group or the ARN of a model package; the
default is the newest approved version. An existing endpoint is updated while it serves. If the new
model does not become healthy, the previous one continues to serve.
"""

import argparse
import secrets
from typing import TYPE_CHECKING, Any

from longspan.pipelines.cloud.options import add_config_argument, add_where_arguments

if TYPE_CHECKING:
    from longspan.pipelines.cloud.connection import CloudConnection
    from longspan.pipelines.config import Config

HELP = "deploy a model package to an endpoint"
EXAMPLE = "longspan deploy 3 --approve --config longspan.yaml"

# The longest name of an endpoint, as in a config.
_LONGEST_NAME = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan deploy`."""
    parser.add_argument(
        "package",
        nargs="?",
        metavar="PACKAGE",
        help="version or ARN (default: the newest approved version)",
    )
    add_config_argument(parser)
    parser.add_argument("--endpoint", metavar="NAME", help="endpoint (default: the config's)")
    parser.add_argument("--approve", action="store_true", help="approve the package first")
    parser.add_argument(
        "--rollback", action="store_true", help="deploy the endpoint's previous model again"
    )
    parser.add_argument(
        "--no-wait", action="store_true", help="return before the endpoint is in service"
    )
    add_where_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Create or update the endpoint and wait until it is in service; return 0."""
    from longspan.pipelines.cloud.options import open_connection
    from longspan.pipelines.config import load_config_or_sample
    from longspan.pipelines.deployment.deployment import roll_back
    from longspan.pipelines.deployment.live_endpoint import wait_in_service
    from longspan.pipelines.deployment.scaling import apply_scaling
    from longspan.training.errors import OptionError

    if arguments.rollback and (arguments.package or arguments.approve):
        raise OptionError("expected --rollback without PACKAGE and --approve; leave them out")
    config = load_config_or_sample(arguments.config)
    endpoint = arguments.endpoint or config.endpoint_name
    if len(endpoint) > _LONGEST_NAME:
        raise OptionError(
            f"--endpoint: expected a name of at most {_LONGEST_NAME} characters, because names of "
            f"endpoint configs contain it, got {len(endpoint)}; choose a shorter name"
        )
    with open_connection(arguments, config.aws.region) as connection:
        sagemaker = connection.client("sagemaker")
        if arguments.rollback:
            print(f"{endpoint}: rolls back to {roll_back(sagemaker, endpoint)}")
        else:
            _deploy(connection, config, endpoint, arguments)
        if arguments.no_wait:
            return 0
        for status in wait_in_service(sagemaker, endpoint, connection.poll_seconds):
            print(f"{endpoint}: {status}", flush=True)
        if endpoint == config.endpoint_name and apply_scaling(connection, config):
            print(f"{endpoint}: scales by load")
        if connection.local:
            print(f"it serves while `longspan local up --directory {arguments.directory}` runs")
    return 0


def _deploy(
    connection: "CloudConnection", config: "Config", endpoint: str, arguments: argparse.Namespace
) -> None:
    from longspan.pipelines.deployment.deployment import deploy
    from longspan.pipelines.deployment.model_registry import approve, choose_package

    sagemaker = connection.client("sagemaker")
    package = choose_package(
        sagemaker, config.group, arguments.package, approved=not arguments.approve
    )
    # Before the approval, which a config without a role must not leave behind.
    deployment = _deployment(connection, config, endpoint, package)
    if arguments.approve:
        approve(sagemaker, package)
    before = deploy(sagemaker, deployment)
    print(f"{package}\n{endpoint}: {f'replaces {before}' if before else 'new'}")


def _deployment(
    connection: "CloudConnection", config: "Config", endpoint: str, package: str
) -> Any:
    from longspan.pipelines.deployment.deployment import Deployment, variant

    aws = config.aws
    vpc = None
    # The network and the keys of the config exist only in the account.
    if aws.vpc is not None and not connection.local:
        vpc = {"Subnets": aws.vpc.subnets, "SecurityGroupIds": aws.vpc.security_groups}
    return Deployment(
        endpoint=endpoint,
        package_arn=package,
        role_arn=connection.role(aws.role),
        variant=variant(config.endpoint),
        # Models and endpoint configs cannot be changed, so each deployment creates new ones.
        token=secrets.token_hex(3),
        environment=config.endpoint.variables,
        vpc=vpc,
        network_isolation=aws.network_isolation,
        kms_key=None if connection.local else aws.kms.volume,
        rollback_alarms=tuple(config.endpoint.rollback_alarms),
        tags=tuple({"Key": key, "Value": value} for key, value in aws.tags.items()),
    )
