"""Build the image that jobs and endpoints run, or push it to the account's registry.

`build` installs the wheel of a checkout and what it needs beside it, and lays them on a base:
needs Docker, and pip's own settings apply. `push` signs in to Amazon ECR and prints the URI for
the config.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from longspan.pipelines.cloud.options import add_region_argument, aws_region

HELP = "build the image of jobs and endpoints, push it to ECR"
EXAMPLE = "longspan image build --accelerator cpu"

# Only by a process: the commands know nothing of infra.
_IMAGE = (sys.executable, "-m", "longspan.infra.image")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `longspan image`."""
    parser.add_argument("action", choices=("build", "push"), help="what to do")
    parser.add_argument(
        "--accelerator",
        choices=("cpu", "gpu"),
        default="cpu",
        help="of the machines that will run it (default: cpu)",
    )
    parser.add_argument(
        "--tag", help="name of the local image (default: longspan:VERSION-ACCELERATOR)"
    )
    build = parser.add_argument_group("build")
    build.add_argument(
        "--base",
        metavar="IMAGE",
        help="image to build on, with this Python's version; `host` makes one of this machine's "
        "own Python (default: python:VERSION-slim)",
    )
    build.add_argument("--source", type=Path, metavar="DIR", help="checkout (default: this one)")
    push = parser.add_argument_group("push")
    push.add_argument(
        "--repository", default="longspan", metavar="NAME", help="in ECR (default: longspan)"
    )
    add_region_argument(push)


def run(arguments: argparse.Namespace) -> int:
    """0 when it is built or pushed."""
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
