"""A local cloud that enforces IAM, writes down every request that was checked, and fakes jobs."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from longspan.infra.local.cloud import Cloud, CloudSettings
from longspan.infra.local.moto import access as moto_access
from longspan.infra.local.moto.policies import evaluate_policies
from longspan.infra.local.runtimes.process_runtime import ProcessRuntime
from longspan.infra.local.runtimes.runtime import Container, Running

_JOB = str(Path(__file__).with_name("fake_job.py"))


class FakeJobs(ProcessRuntime):
    """The process runtime, with other programs."""

    def start(self, container: Container) -> Running:
        program = ("python", _JOB, _job(container.command))
        return super().start(dataclasses.replace(container, command=program))


def _job(command: tuple[str, ...]) -> str:
    """`train`, `serve`, or `python -m longspan.pipelines.jobs JOB OPTION...`."""
    return command[0] if len(command) == 1 else command[3]


def _record(path: Path) -> None:
    """Every decision from now on: who, what, on what, with which conditions' keys."""
    file = path.open("a", buffering=1, encoding="utf-8")

    def recording(policies: Any, action: str, resource: str, context: dict[str, str]) -> str:
        file.write(json.dumps([context["aws:PrincipalArn"], action, resource, context]) + "\n")
        return evaluate_policies(policies, action, resource, context)

    setattr(moto_access, "evaluate_policies", recording)  # noqa: B010 - for the type checker


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--directory", type=Path, required=True)
    arguments = parser.parse_args()
    cloud = Cloud(CloudSettings(arguments.directory, iam=True), FakeJobs())
    _record(arguments.directory / "requests.jsonl")
    print(json.dumps(cloud.environment()), flush=True)
    sys.stdin.read()
    cloud.close()


if __name__ == "__main__":
    main()
