"""Deploy what an account needs: bucket, key, repository, roles, logs, budget, alarms, scaling.

One CloudFormation stack; `deploy` shows what it would change and asks first, `diff` only shows it,
`destroy` deletes the stack and keeps bucket, key, images and models. docs/infrastructure.md lists
the parameters.
"""

import argparse
import subprocess
import sys

from longspan.pipelines.cloud.options import add_region_argument, aws_region

HELP = "deploy the account's infrastructure"
EXAMPLE = "longspan infra deploy --stack longspan --parameter MonthlyBudget=100"

# Only by a process: the commands know nothing of infra.
_STACK = (sys.executable, "-m", "longspan.infra.stack")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `longspan infra`."""
    parser.add_argument("action", choices=("deploy", "diff", "destroy"), help="what to do")
    parser.add_argument(
        "--stack", default="longspan", metavar="NAME", help="of the stack (default: longspan)"
    )
    add_region_argument(parser)
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="of the template; what is not given stays as it is (again for more)",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(arguments: argparse.Namespace) -> int:
    """0 when it is done."""
    options = ["--stack", arguments.stack]
    region = aws_region(arguments)
    options += ["--region", region] if region else []
    for parameter in arguments.parameter:
        options += ["--parameter", parameter]
    options += ["--yes"] * arguments.yes
    return subprocess.run([*_STACK, arguments.action, *options]).returncode
