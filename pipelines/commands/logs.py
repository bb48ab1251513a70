"""Print what a job or an endpoint wrote, from CloudWatch Logs.

NAME is a job's or an endpoint's name, as `longspan status` and `longspan endpoints` show it. A
tuning job's log is that of its training jobs, one after another.
"""

import argparse
import contextlib
from typing import Any

from longspan.pipelines.cloud.options import add_where_arguments

HELP = "print the log of a job or an endpoint"
EXAMPLE = "longspan logs pipelines-4gz0u2xk9c1m-Prepare-Rk2dP1xWqA --follow"

# Describe operations with the member that takes the name and the one that has the status.
_DESCRIBE = (
    ("describe_training_job", "TrainingJobName", "TrainingJobStatus"),
    ("describe_processing_job", "ProcessingJobName", "ProcessingJobStatus"),
    ("describe_transform_job", "TransformJobName", "TransformJobStatus"),
    (
        "describe_hyper_parameter_tuning_job",
        "HyperParameterTuningJobName",
        "HyperParameterTuningJobStatus",
    ),
    ("describe_endpoint", "EndpointName", "EndpointStatus"),
)
_WRITES = frozenset({"InProgress", "Stopping", "Creating", "Updating", "InService", "RollingBack"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `longspan logs`."""
    parser.add_argument("name", metavar="NAME", help="of a job or an endpoint")
    parser.add_argument("--follow", action="store_true", help="go on while the job runs")
    add_where_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the lines, oldest first."""
    from longspan.pipelines.cloud.options import default_region, open_connection
    from longspan.pipelines.runs.job_logs import read_log

    with open_connection(arguments, default_region(arguments), to_look=True) as connection:
        sagemaker = connection.client("sagemaker")
        for line in read_log(
            connection.client("logs"),
            arguments.name,
            follow=lambda: arguments.follow and _runs(sagemaker, arguments.name),
        ):
            print(line, flush=arguments.follow)
    return 0


def _runs(sagemaker: Any, name: str) -> bool:
    """Whether a job or an endpoint by this name may still write."""
    from botocore.exceptions import ClientError

    for describe, member, status in _DESCRIBE:
        with contextlib.suppress(ClientError):  # none by that name
            return getattr(sagemaker, describe)(**{member: name})[status] in _WRITES
    return False
