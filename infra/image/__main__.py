"""`python -m longspan.infra.image build|push`: the program behind `longspan image`."""

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from longspan.infra.image.recipe import ACCELERATORS, HOST
from longspan.training.errors import LongspanError, explain_missing_package

__all__ = ["main"]

_CHECKOUT = Path(__file__).resolve().parents[2]


def main(argv: Sequence[str] | None = None) -> int:
    """Build or push the image; return 1 after an error, which is one line."""
    arguments = _parser().parse_args(argv)
    try:
        _build(arguments) if arguments.action == "build" else _push(arguments)
    except (LongspanError, OSError) as error:
        return _fail(str(error))
    except ModuleNotFoundError as error:
        return _fail(explain_missing_package(error))
    return 0


def _fail(reason: str) -> int:
    print(f"longspan: error: {reason}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m longspan.infra.image", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = actions.add_parser("build", help="build the image")
    build.add_argument("--accelerator", choices=ACCELERATORS, default="cpu")
    build.add_argument("--base", help=f"base image; {HOST}: made of this machine's own Python")
    build.add_argument("--tag", help="name of the image (default: longspan:VERSION-ACCELERATOR)")
    build.add_argument("--source", type=Path, default=_CHECKOUT, help="checkout of longspan")
    build.add_argument("--keep-context", type=Path, help="folder for a copy of docker's context")
    push = actions.add_parser("push", help="push the image to ECR")
    push.add_argument("--accelerator", choices=ACCELERATORS, default="cpu")
    push.add_argument("--tag", help="name of the image (default: longspan:VERSION-ACCELERATOR)")
    push.add_argument("--repository", default="longspan", help="repository in ECR")
    push.add_argument("--region", help="default: from AWS's configuration")
    return parser


def _build(arguments: argparse.Namespace) -> None:
    from longspan.infra.image.build import build
    from longspan.infra.image.docker import Docker
    from longspan.infra.image.recipe import Recipe

    recipe = Recipe.of(arguments.source, arguments.accelerator, arguments.base, arguments.tag)
    built = build(recipe, Docker(), keep=arguments.keep_context)
    print(f"built {built.tag} ({built.id})")
    print(f"size {built.size / 1e6:,.0f} MB, of which torch {built.torch / 1e6:,.0f} MB")
    for digest in built.layers:
        print(f"layer {digest}")


def _push(arguments: argparse.Namespace) -> None:
    from longspan.infra.aws_client import aws_client
    from longspan.infra.image.docker import Docker
    from longspan.infra.image.push import push

    ecr = aws_client("ecr", arguments.region)
    tag = arguments.tag or f"longspan:{version('longspan')}-{arguments.accelerator}"
    uri = push(tag, arguments.repository, ecr, Docker())
    print(f"pushed; in the config:\n\naws:\n  image: {uri}")


if __name__ == "__main__":
    sys.exit(main())
