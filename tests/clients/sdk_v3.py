"""A session with SageMaker's SDK v3, by its defaults: PREPARED TEXT.

The last line is JSON: the training job, and the answers of the endpoint.
"""

import json
import os
import sys
from pathlib import Path

from sagemaker.core.helper.session_helper import Session
from sagemaker.core.resources import Endpoint, EndpointConfig, Model
from sagemaker.core.shapes import ContainerDefinition, ProductionVariant
from sagemaker.core.training.configs import Compute, InputData
from sagemaker.train import ModelTrainer

prepared, text = sys.argv[1:]
request = json.loads(Path(__file__).with_name("request.json").read_text())
image = request["AlgorithmSpecification"]["TrainingImage"]
session = Session()
assert session.default_bucket() == os.environ["LONGSPAN_BUCKET"]

data = session.upload_data(prepared, session.default_bucket(), "sdk-v3/prepared")
trainer = ModelTrainer(
    training_image=image,
    compute=Compute(instance_type="ml.m5.large", instance_count=1),
    hyperparameters=request["HyperParameters"],
    base_job_name="sdk-v3",
)
assert trainer.role == os.environ["LONGSPAN_ROLE_ARN"]
trainer.train(input_data_config=[InputData(channel_name="prepared", data_source=data)])
job = trainer._latest_training_job

container = ContainerDefinition(image=image, model_data_url=job.model_artifacts.s3_model_artifacts)
model = Model.create(
    model_name="sdk-v3", primary_container=container, execution_role_arn=trainer.role
)
variant = ProductionVariant(
    variant_name="all",
    model_name="sdk-v3",
    initial_instance_count=1,
    instance_type="ml.m5.large",
)
config = EndpointConfig.create(endpoint_config_name="sdk-v3", production_variants=[variant])
endpoint = Endpoint.create(endpoint_name="sdk-v3", endpoint_config_name="sdk-v3")
try:
    endpoint.wait_for_status("InService")
    body = json.dumps({"text": text})
    answer = json.load(endpoint.invoke(body=body, content_type="application/json").body)
finally:
    endpoint.delete()
    config.delete()
    model.delete()
print()  # the SDK leaves a line open
print(json.dumps({"job": job.training_job_name, "answers": [answer["translation"]]}))
