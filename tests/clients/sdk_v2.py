"""A session with SageMaker's SDK v2, by its defaults: PREPARED TEXT.

The last line is JSON: the training job, and the answers of the endpoint.
"""

import json
import os
import sys
from pathlib import Path

import sagemaker
from sagemaker.deserializers import JSONDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import JSONSerializer

prepared, text = sys.argv[1:]
request = json.loads(Path(__file__).with_name("request.json").read_text())
session = sagemaker.Session()
assert session.default_bucket() == os.environ["LONGSPAN_BUCKET"]

data = session.upload_data(prepared, key_prefix="sdk-v2/prepared")
estimator = Estimator(
    image_uri=request["AlgorithmSpecification"]["TrainingImage"],
    role=os.environ["LONGSPAN_ROLE_ARN"],
    instance_count=1,
    instance_type="ml.m5.large",
    hyperparameters=request["HyperParameters"],
)
estimator.fit({"prepared": TrainingInput(data)})
job = estimator.latest_training_job.name
# `attach` reads members that a request may leave out.
attached = Estimator.attach(job)
predictor = attached.deploy(
    initial_instance_count=1,
    instance_type="ml.m5.large",
    serializer=JSONSerializer(),
    deserializer=JSONDeserializer(),
)
try:
    answer = predictor.predict({"text": text})
    streamed = b"".join(predictor.predict_stream({"text": text, "stream": True}))
finally:
    predictor.delete_model()
    predictor.delete_endpoint()
last = json.loads(streamed.splitlines()[-1])
print()  # the SDK leaves a line open
print(json.dumps({"job": job, "answers": [answer["translation"], last["translation"]]}))
