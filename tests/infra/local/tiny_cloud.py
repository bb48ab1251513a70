"""A local cloud whose `serve` is `tiny_server.py`: what endpoints do, without a model's weight."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from longspan.infra.local.cloud import Cloud, CloudSettings
from longspan.infra.local.runtimes.process_runtime import ProcessRuntime
from longspan.infra.local.runtimes.runtime import Container, Running

_SERVER = Path(__file__).with_name("tiny_server.py")


class TinyRuntime(ProcessRuntime):
    """The process runtime, with another `serve`."""

    def start(self, container: Container) -> Running:
        if container.command == ("serve",):
            container = dataclasses.replace(container, command=("python", str(_SERVER)))
        return super().start(container)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--iam", action="store_true")
    parser.add_argument("--no-mounts", action="store_true")
    arguments = parser.parse_args()
    cloud = Cloud(
        CloudSettings(arguments.directory, iam=arguments.iam),
        TinyRuntime(mounts=not arguments.no_mounts),
    )
    print(json.dumps(cloud.environment()), flush=True)
    sys.stdin.read()
    cloud.close()


if __name__ == "__main__":
    main()
