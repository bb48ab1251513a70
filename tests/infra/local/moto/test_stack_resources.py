"""Stacks with SageMaker's resources: what they say was created exists, and is deleted with them."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/longspan:1"
DEFINITION = json.dumps(
    {
        "Version": "2020-12-01",
        "Steps": [{"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}],
    }
)


def template(resources: dict[str, Any], **outputs: Any) -> str:
    shown = {name: {"Value": value} for name, value in outputs.items()}
    return json.dumps({"Resources": resources, "Outputs": shown})


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::SageMaker::{kind}", "Properties": properties}


def names(cloud: Any) -> list[list[str]]:
    sagemaker = cloud.client("sagemaker")
    return [
        [one["ModelName"] for one in sagemaker.list_models()["Models"]],
        [one["EndpointConfigName"] for one in sagemaker.list_endpoint_configs()["EndpointConfigs"]],
        [one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]],
        [
            one["ModelPackageGroupName"]
            for one in sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
        ],
        [one["PipelineName"] for one in sagemaker.list_pipelines()["PipelineSummaries"]],
    ]


def test_a_stack_creates_and_deletes_what_it_names(tiny_cloud: Any, tmp_path: Path) -> None:
    (tmp_path / "tiny.json").write_text(json.dumps({"name": "one"}))
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "tiny.json", "tiny.json")
    s3 = tiny_cloud.client("s3")
    s3.upload_file(str(tmp_path / "model.tar.gz"), tiny_cloud.bucket, "model.tar.gz")
    url = f"s3://{tiny_cloud.bucket}/model.tar.gz"
    container = {"Image": IMAGE, "ModelDataUrl": url, "Environment": {"GREETING": 1}}
    variant = {
        "VariantName": "all",
        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
        "InitialInstanceCount": "1",  # a template may have a text
        "InitialVariantWeight": "1.0",
        "InstanceType": "ml.m5.large",
    }
    resources = {
        "Endpoint": resource(
            "Endpoint",
            EndpointName="of-stack",
            EndpointConfigName={"Fn::GetAtt": ["Config", "EndpointConfigName"]},
        ),
        "Config": resource("EndpointConfig", ProductionVariants=[variant]),
        "Model": resource("Model", ExecutionRoleArn=tiny_cloud.role, PrimaryContainer=container),
        "Group": resource("ModelPackageGroup", ModelPackageGroupName="of-stack"),
        "Pipeline": resource(
            "Pipeline",
            PipelineName="of-stack",
            PipelineDefinition={"PipelineDefinitionBody": DEFINITION},
            RoleArn=tiny_cloud.role,
        ),
    }
    cloudformation = tiny_cloud.client("cloudformation")
    body = template(resources, Pipeline={"Ref": "Pipeline"}, Group={"Ref": "Group"})
    cloudformation.create_stack(StackName="all", TemplateBody=body)
    [stack] = cloudformation.describe_stacks(StackName="all")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    assert outputs["Pipeline"] == "of-stack"
    assert outputs["Group"].endswith(":model-package-group/of-stack")
    models, configs, *others = names(tiny_cloud)
    assert (len(models), len(configs), others) == (1, 1, [["of-stack"]] * 3)
    asked = tiny_cloud.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="of-stack", Body=b"hello"
    )
    answer = json.loads(asked["Body"].read())
    assert answer == {"model": "one", "body": "hello", "greeting": "1"}

    cloudformation.delete_stack(StackName="all")
    tiny_cloud.client("sagemaker").get_waiter("endpoint_deleted").wait(
        EndpointName="of-stack", WaiterConfig={"Delay": 1}
    )
    assert names(tiny_cloud) == [[], [], [], [], []]


@pytest.mark.parametrize("kind", ["NotebookInstance", "Domain", "FeatureGroup"])
def test_a_type_that_cannot_be_created_is_refused_by_name(tiny_cloud: Any, kind: str) -> None:
    resources = {
        "Group": resource("ModelPackageGroup", ModelPackageGroupName="not-made"),
        "Other": resource(kind),
    }
    cloudformation = tiny_cloud.client("cloudformation")
    with pytest.raises(ClientError, match=rf"resource types: \[AWS::SageMaker::{kind}\]"):
        cloudformation.create_stack(StackName="refused", TemplateBody=template(resources))
    assert "not-made" not in names(tiny_cloud)[3]


def test_what_sagemaker_refuses_the_stack_refuses(tiny_cloud: Any) -> None:
    resources = {"Model": resource("Model", ModelName="no_model", ExecutionRoleArn=tiny_cloud.role)}
    with pytest.raises(ClientError, match="modelName"):
        tiny_cloud.client("cloudformation").create_stack(
            StackName="wrong", TemplateBody=template(resources)
        )
    assert "no_model" not in names(tiny_cloud)[0]
