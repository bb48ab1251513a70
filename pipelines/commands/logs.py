"""Print the log of a job or an endpoint, from CloudWatch Logs.

NAME is the name of a job or an endpoint, as `longspan status` and `longspan endpoints` show it.
The log of a tuning job is that of its training jobs, one after another.
"""

import argparse
import contextlib
from typing import Any

from longspan.pipelines.cloud.options import add_where_arguments

HELP = "print the log of a job or an endpoint"
EXAMPLE = "longspan logs pipelines-4gz0u2xk9c1m-Prepare-Rk2dP1xWqA --follow"

# Describe operations, each with the members that hold the name and the status.
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
# Statuses in which a job or an endpoint may still write to its log.
_WRITES = frozenset({"InProgress", "Stopping", "Creating", "Updating", "InService", "RollingBack"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan logs`."""
    parser.add_argument("name", metavar="NAME", help="name of a job or an endpoint")
    parser.add_argument("--follow", action="store_true", help="print new lines while the job runs")
    add_where_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the lines, oldest first; return 0."""
    from longspan.pipelines.cloud.options import default_region, open_connection
    from longspan.pipelines.runs.job_logs import read_log

    with open_connection(arguments, default_region(arguments), at_rest=True) as connection:
        sagemaker = connection.client("sagemaker")
        for line in read_log(
            connection.client("logs"),
            arguments.name,
            follow=lambda: arguments.follow and _runs(sagemaker, arguments.name),
        ):
            print(line, flush=arguments.follow)
    return 0


def _runs(sagemaker: Any, name: str) -> bool:
    """Return whether a job or an endpoint of this name may still write."""
    from botocore.exceptions import ClientError

    for describe, member, status in _DESCRIBE:
        with contextlib.suppress(ClientError):  # this kind has no job of that name
            return getattr(sagemaker, describe)(**{member: name})[status] in _WRITES
    return False
