"""Serve a model over HTTP on this machine, as an endpoint does.

POST texts to /invocations; / is a page to try the model. Ctrl-C ends the server. The environment
variables of docs/serving.md set what has no option.
"""

import argparse
import os
from pathlib import Path
from typing import Any

from longspan.training.languages import language_argument

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "serve a model over HTTP"
EXAMPLE = "longspan serve model --port 8080"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan serve`."""
    from longspan.inference.requests.options import PROFILES

    parser.add_argument("model", metavar="MODEL", type=Path, help="model directory")
    parser.add_argument("--host", default="127.0.0.1", help="address (default: 127.0.0.1)")
    parser.add_argument(
        "--port",
        type=int,
        default=8080,
        metavar="N",
        help="port; 0 takes a free one (default: 8080)",
    )
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="processes that hold the model (default: one per core, at most 16; one on a GPU)",
    )
    parser.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="CPU threads of each worker (default: cores divided by workers)",
    )
    parser.add_argument(
        "--device", help="cpu, cuda, cuda:1 ... (default: a GPU if there is one, else cpu)"
    )
    parser.add_argument(
        "--profile", choices=PROFILES, help="profile of requests that name none (default: quality)"
    )
    parser.add_argument(
        "--language", type=language_argument, metavar="CODE", help="source language (default: en)"
    )
    parser.add_argument("--no-page", action="store_true", help="serve no page at /")


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal; return 0. Options win over environment variables."""
    from longspan.inference.server.serving import serve
    from longspan.inference.server.settings import ServerSettings
    from longspan.training.model.archive import open_model

    settings = ServerSettings.from_environment(os.environ)
    names = ("host", "port", "workers", "threads", "device", "profile", "language")
    given: dict[str, Any] = {
        name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None
    }
    settings = settings.replace(page=not arguments.no_page, **given)
    with open_model(arguments.model) as model:
        serve(model, settings)
    return 0
