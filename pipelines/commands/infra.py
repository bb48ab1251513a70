"""Deploy what an account needs: bucket, key, repository, roles, logs, budget, alarms, scaling.

All of it is one CloudFormation stack. `deploy` shows the changes and asks before it makes them,
`diff` only shows them, `destroy` deletes the stack and keeps bucket, key, images and models.
docs/infrastructure.md lists the parameters.
"""

import argparse
import subprocess
import sys

from longspan.pipelines.cloud.options import add_region_argument, aws_region

HELP = "deploy the account's infrastructure"
EXAMPLE = "longspan infra deploy --stack longspan --parameter MonthlyBudget=100"

# A process of its own, because `pipelines` must not import `infra`.
_STACK = (sys.executable, "-m", "longspan.infra.stack")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan infra`."""
    parser.add_argument("action", choices=("deploy", "diff", "destroy"), help="what to do")
    parser.add_argument(
        "--stack", default="longspan", metavar="NAME", help="name of the stack (default: longspan)"
    )
    add_region_argument(parser)
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the template; repeatable; parameters not given keep their values",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(arguments: argparse.Namespace) -> int:
    """Run the action on the stack; return 0 on success."""
    options = ["--stack", arguments.stack]
    region = aws_region(arguments)
    options += ["--region", region] if region else []
    for parameter in arguments.parameter:
        options += ["--parameter", parameter]
    options += ["--yes"] * arguments.yes
    return subprocess.run([*_STACK, arguments.action, *options]).returncode
