"""Show which course of action keeps quality over 100 words, on the config's own data.

Trains a model with a fixed vector and, for comparison, five courses of action: n-gram
preprocessing, a larger network, attention, another weight initialisation, larger batches. Each is
trained with the same seeds on the same number of target tokens, as one pipeline of parallel jobs.
Prints a table of BLEU by length and writes study.html and study.json. After a stop or a failure
the same command continues where the study ended.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from longspan.pipelines.cloud.options import CONFIG_HELP, add_where_arguments
from longspan.pipelines.estimate.dry_run import add_dry_run_arguments, refuse_json_alone

if TYPE_CHECKING:
    from longspan.pipelines.cloud.connection import CloudConnection
    from longspan.pipelines.config import Config
    from longspan.pipelines.runs.execution import ExecutionState
    from longspan.pipelines.runs.pipeline_run import PipelineRun
    from longspan.pipelines.study.definition import Study

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "find which course of action cures long sentences, on your data"
EXAMPLE = "longspan study longspan.yaml --updates 1000"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan study`."""
    parser.add_argument("config", metavar="CONFIG", nargs="?", type=Path, help=CONFIG_HELP)
    parser.add_argument(
        "--seeds", type=_positive, default=3, metavar="N", help="models of each course (default: 3)"
    )
    parser.add_argument(
        "--updates",
        type=_positive,
        metavar="N",
        help="updates of each job, in proportion fewer with larger batches (default: "
        "max_num_batches or max_num_epochs of the config)",
    )
    parser.add_argument(
        "--max-minutes",
        type=_some_minutes,
        metavar="M",
        help="safety net: end a job early after M minutes and report that (default: the config's)",
    )
    parser.add_argument(
        "--parallel",
        type=_positive,
        metavar="N",
        help="jobs at a time (default: one per core here, the config's parallel_steps on AWS)",
    )
    parser.add_argument(
        "--again", action="store_true", help="start a new study: resume no earlier one"
    )
    add_dry_run_arguments(parser)
    add_where_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the study; return 0 if it succeeds, else 1."""
    from longspan.pipelines.cloud.options import open_connection
    from longspan.pipelines.config import load_config_or_sample
    from longspan.pipelines.study.budget import Budget
    from longspan.pipelines.study.definition import Study

    refuse_json_alone(arguments)
    base = load_config_or_sample(arguments.config)
    config = _own(base, arguments.parallel or (None if arguments.aws else _cores()))
    # On this machine parallel jobs share the cores.
    threads = None if arguments.aws else max(1, _cores() // (config.aws.parallel_steps or 1))
    budget = Budget.of(config, arguments.updates, arguments.max_minutes)
    study = Study(budget, tuple(range(1, arguments.seeds + 1)), threads)
    if arguments.dry_run:
        return _dry_run(config, study, as_json=arguments.json)
    with open_connection(arguments, config.aws.region) as connection:
        return _study(config, study, connection, arguments)


def _study(
    config: "Config",
    study: "Study",
    connection: "CloudConnection",
    arguments: argparse.Namespace,
) -> int:
    from longspan.pipelines.runs.following import announce, explain_failure, follow
    from longspan.pipelines.runs.pipeline_run import PipelineRun
    from longspan.pipelines.study.definition import study_json

    run = PipelineRun.start(
        config,
        connection,
        arguments.directory,
        again=arguments.again,
        define=lambda config, target: study_json(config, target, study),
    )
    announce(run, "study")
    state = follow(run, "longspan study")
    if state.status != "Succeeded":
        return explain_failure(state)
    return _show(run, state, study)


def _show(run: "PipelineRun", state: "ExecutionState", study: "Study") -> int:
    """Download the evaluations, write study.json and study.html, print the table."""
    import json

    from longspan.pipelines.runs.results import fetch_evaluation
    from longspan.pipelines.study.courses import courses
    from longspan.pipelines.study.definition import evaluate_step_name
    from longspan.pipelines.study.page import render_page, study_lines
    from longspan.pipelines.study.results import measure_study
    from longspan.training.files import write_atomically

    sagemaker, s3 = run.connection.client("sagemaker"), run.connection.client("s3")
    folders = {
        (course.name, course.title): [
            fetch_evaluation(sagemaker, s3, state, run.folder / name, name).folder
            for name in (evaluate_step_name(course.name, seed) for seed in study.seeds)
        ]
        for course in courses(run.config)
    }
    result = measure_study(folders, str(study.budget))
    document = json.dumps(result.to_json(), ensure_ascii=False, indent=2) + "\n"
    write_atomically(run.folder / "study.json", document.encode())
    page = render_page(result, f"Which course cures? {run.config.name}")
    write_atomically(run.folder / "study.html", page.encode())
    print()
    for line in study_lines(result):
        print(line)
    print(f"\nreport: {run.folder / 'study.html'}")
    return 0


def _dry_run(config: "Config", study: "Study", *, as_json: bool) -> int:
    from longspan.pipelines.definition import Target
    from longspan.pipelines.estimate.dry_run import dry_run_lines
    from longspan.pipelines.study.budget import study_cost
    from longspan.pipelines.study.courses import courses
    from longspan.pipelines.study.definition import study_json

    models = len(courses(config)) * len(study.seeds)
    definition = study_json(config, Target.placeholder(config), study)
    cost = study_cost(config, models)
    at_a_time = config.aws.parallel_steps
    note = f"{models} models, each trained with {study.budget}"
    note += f", {at_a_time} jobs at a time" if at_a_time is not None else ""
    for line in dry_run_lines(
        config, definition, cost, "longspan study", as_json=as_json, note=note
    ):
        print(line)
    return 0


def _own(config: "Config", parallel: int | None) -> "Config":
    """Return the config with the name of the study, which makes it a separate pipeline."""
    aws = config.aws.model_copy(update={"parallel_steps": parallel} if parallel is not None else {})
    # 44 characters and `-study` make 50, the longest name that a config may have.
    return config.model_copy(update={"name": f"{config.name[:44]}-study", "aws": aws})


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {text}")
    return number


def _some_minutes(text: str) -> float:
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"expected more than 0 minutes, got {text}")
    return number
