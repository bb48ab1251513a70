"""The SDK's tuner over real training jobs: covers the service with the service of training jobs."""

import dataclasses
import time
from pathlib import Path
from typing import Any

import pytest

from longspan.infra.local.control.clients import Clients, Credentials
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.control_plane import ControlPlane
from longspan.infra.local.control.documents import Documents, Key
from longspan.infra.local.control.threads import Threads
from longspan.infra.local.jobs.kinds import training_job_service
from longspan.infra.local.moto.account import create_account
from longspan.infra.local.moto.server import MotoServer
from longspan.infra.local.moto.simulation import answer_simulations
from longspan.infra.local.runtimes.process_runtime import ProcessRuntime
from longspan.infra.local.runtimes.runtime import Container, Running
from longspan.infra.local.tuning.service import TuningJobs
from longspan.infra.local.variables import cloud_variables, write_sdk_defaults
from longspan.pipelines.definition import sdk
from tests.infra.local.notebook import notebook
from tests.infra.local.tuning.scripted_tuning import METRIC, REGION, peak, tuning

with sdk.quiet():
    from sagemaker.core.helper.session_helper import Session


def test_the_sdks_tuner_works_on_top(scripted_tuning: Any, tmp_path: Path) -> None:
    one = scripted_tuning(peak)
    server = MotoServer(any_key=True)
    url = server.start()
    try:
        server.answer_sagemaker(one.plane.handle)
        account = create_account(url, REGION, Credentials("local", "local"))
        answer_simulations()
        defaults = write_sdk_defaults(tmp_path, account)
        with notebook({**cloud_variables(url, account, {}), **defaults}):
            trainer = sdk.ModelTrainer(
                sagemaker_session=Session(),
                training_image="image",
                compute=sdk.Compute(
                    instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=1
                ),
                output_data_config=sdk.OutputDataConfig(s3_output_path=f"s3://{account.bucket}/o"),
                stopping_condition=sdk.StoppingCondition(max_runtime_in_seconds=600),
                hyperparameters={"epochs": "3"},
            )
            tuner = sdk.HyperparameterTuner(
                trainer,
                METRIC,
                {
                    "x": sdk.ContinuousParameter(0.0, 1.0),
                    "type": sdk.CategoricalParameter(["a", "b"]),
                },
                metric_definitions=[{"Name": METRIC, "Regex": "bleu_long=(.*)"}],
                max_jobs=6,
                max_parallel_jobs=2,
                random_seed=1,
            )
            tuner.tune(job_name="tune", wait=False)
            one.until("Completed")
            tuner.wait()
            best = tuner.best_training_job()
            table = tuner.analytics().dataframe()
        assert best == one.describe()["BestTrainingJob"]["TrainingJobName"]
        assert len(table) == 6
        assert set(table["type"]) <= {"a", "b"}
        top = table.sort_values("FinalObjectiveValue")["TrainingJobName"].iloc[-1]
        assert top == best
    finally:
        server.stop()


TRAINER = """
import json, os, pathlib
base = pathlib.Path(os.environ["LONGSPAN_BASE"])
parameters = json.loads((base / "input/config/hyperparameters.json").read_text())
assert parameters["_tuning_objective_metric"] == "validation:bleu_long", parameters
assert (base / "input/data/prepared/pairs.txt").read_text() == "ein Paar"
for epoch in range(int(parameters["epochs"])):
    print(f"validation:bleu_long={epoch + float(parameters['x'])}", flush=True)
(base / "model").mkdir(exist_ok=True)
(base / "model/x").write_text(parameters["x"])
"""


class ScriptRuntime(ProcessRuntime):
    """The process runtime, with a script for the image's `train`."""

    def __init__(self, script: Path) -> None:
        super().__init__()
        self._script = script

    def start(self, container: Container) -> Running:
        assert container.command == ("train",)
        command = ("python", str(self._script))
        return super().start(dataclasses.replace(container, command=command))


def test_real_training_jobs_are_tuned(tmp_path: Path) -> None:
    script = tmp_path / "trainer.py"
    script.write_text(TRAINER)
    server = MotoServer(any_key=True)
    url = server.start()
    account = create_account(url, REGION, Credentials("local", "local"))
    runtime = ScriptRuntime(script)
    documents = Documents()
    context = Context(
        documents=documents,
        threads=Threads(documents),
        clients=Clients(url, account.administrator),
        runtime=runtime,
        workplace=tmp_path / "work",
        now=time.time,
    )
    training = training_job_service(context)
    plane = ControlPlane([training, TuningJobs(context, training)])
    try:
        server.answer_sagemaker(plane.handle)
        clients = context.clients.in_region(REGION)
        s3, sagemaker = clients.client("s3"), clients.client("sagemaker")
        s3.put_object(Bucket=account.bucket, Key="in/pairs.txt", Body=b"ein Paar")
        request = tuning(jobs=3)
        asked = request["TrainingJobDefinition"]
        asked["RoleArn"] = account.role_arn
        asked["OutputDataConfig"]["S3OutputPath"] = f"s3://{account.bucket}/out"
        source = asked["InputDataConfig"][0]["DataSource"]["S3DataSource"]
        source["S3Uri"] = f"s3://{account.bucket}/in"
        sagemaker.create_hyper_parameter_tuning_job(**request)
        key = Key("tuning-job", REGION, "tune")
        context.documents.wait(
            key, lambda d: d["HyperParameterTuningJobStatus"] != "InProgress", 60
        )
        done = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
        assert done["HyperParameterTuningJobStatus"] == "Completed", done
        best = done["BestTrainingJob"]
        listed = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName="tune", SortBy="FinalObjectiveMetricValue"
        )["TrainingJobSummaries"]
        xs = [float(job["TunedHyperParameters"]["x"]) for job in listed]
        assert xs == sorted(xs)
        assert len(xs) == 3
        assert best["TrainingJobName"] == listed[-1]["TrainingJobName"]
        value = best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        assert value == pytest.approx(2 + xs[-1], rel=1e-5)
        # What TuningStep.get_top_model_s3_uri names.
        place = f"out/{best['TrainingJobName']}/output/model.tar.gz"
        assert s3.head_object(Bucket=account.bucket, Key=place)["ContentLength"] > 0
        job = sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
        assert job["TuningJobArn"] == done["HyperParameterTuningJobArn"]
    finally:
        context.threads.close()
        runtime.close()
        server.stop()
