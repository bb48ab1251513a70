"""SageMaker's `ModelBuilder` in local container mode, asked for a translation: MODEL TEXT."""

import json
import os
import sys

import docker
from sagemaker.core.helper.session_helper import Session
from sagemaker.serve import ModelBuilder
from sagemaker.serve.builder.schema_builder import SchemaBuilder
from sagemaker.serve.mode.function_pointers import Mode
from sagemaker.serve.mode.local_container_mode import LocalContainerMode
from sagemaker.serve.utils.types import ModelServer


def find_image(self: LocalContainerMode, image: str) -> None:
    """What `_pull_image` does, without a registry to pull from."""
    self.client = docker.from_env()
    self.client.images.get(image)


LocalContainerMode._pull_image = find_image

model, text = sys.argv[1:]
question = {"instances": [{"data": text}]}
builder = ModelBuilder(
    image_uri=os.environ["LONGSPAN_IMAGE"],
    model_path=model,
    # Whose local mode mounts the model path as /opt/ml/model and runs the image's `serve`.
    model_server=ModelServer.TORCHSERVE,
    mode=Mode.LOCAL_CONTAINER,
    sagemaker_session=Session(),
    role_arn=os.environ["LONGSPAN_ROLE_ARN"],
    schema_builder=SchemaBuilder(
        sample_input=question, sample_output={"predictions": [{"target": text}]}
    ),
)
builder.build()
endpoint = builder.deploy_local(endpoint_name="referee")
try:
    # As text: the endpoint's own serializer would write a list of characters.
    answer = endpoint.invoke(body=json.dumps(question)).body
finally:
    endpoint.local_container_mode_obj.destroy_server()
    # It has started a second container, which waited for the first one's port.
    endpoint._local_session.sagemaker_client.delete_endpoint(EndpointName="referee")
print(json.dumps(answer if isinstance(answer, dict) else json.load(answer)))
