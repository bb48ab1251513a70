"""Build the image that jobs and endpoints run, or push it to Amazon ECR.

`build` installs the wheel of a checkout and its dependencies into a base image. It needs Docker,
and pip's own settings apply. `push` signs in to the account's registry and prints the URI to set
as the config's `aws.image`.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from longspan.pipelines.cloud.options import add_region_argument, aws_region

HELP = "build the image of jobs and endpoints, or push it to ECR"
EXAMPLE = "longspan image build --accelerator cpu"

# A process of its own, because `pipelines` must not import `infra`.
_IMAGE = (sys.executable, "-m", "longspan.infra.image")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan image`."""
    parser.add_argument("action", choices=("build", "push"), help="what to do")
    parser.add_argument(
        "--accelerator",
        choices=("cpu", "gpu"),
        default="cpu",
        help="what the machines that run it compute on (default: cpu)",
    )
    parser.add_argument(
        "--tag", help="name of the local image (default: longspan:VERSION-ACCELERATOR)"
    )
    build = parser.add_argument_group("build")
    build.add_argument(
        "--base",
        metavar="IMAGE",
        help="base image, with the same version of Python as this one; `host` makes a base image "
        "from this machine's Python (default: python:VERSION-slim)",
    )
    build.add_argument(
        "--source", type=Path, metavar="DIR", help="checkout (default: the installed one)"
    )
    push = parser.add_argument_group("push")
    push.add_argument(
        "--repository",
        default="longspan",
        metavar="NAME",
        help="repository in ECR (default: longspan)",
    )
    add_region_argument(push)


def run(arguments: argparse.Namespace) -> int:
    """Build or push the image; return 0 on success."""
    if arguments.action == "build":
        options = _options(arguments, "accelerator", "tag", "base", "source")
    else:
        arguments.region = aws_region(arguments)
        options = _options(arguments, "accelerator", "tag", "repository", "region")
    return subprocess.run([*_IMAGE, arguments.action, *options]).returncode


def _options(arguments: argparse.Namespace, *names: str) -> list[str]:
    given = {name: getattr(arguments, name) for name in names}
    return [
        word
        for name, value in given.items()
        if value is not None
        for word in (f"--{name}", str(value))
    ]
