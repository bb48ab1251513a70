"""ARNs of the resources of requests."""

import pytest

from longspan.infra.local.moto.arns import resource, resource_of, resources

PREFIX = "arn:aws:sagemaker:eu-west-1:123456789012:"
ALARM = "arn:aws:cloudwatch:eu-west-1:1:alarm"
REPOSITORY = "arn:aws:ecr:eu-west-1:1:repository"
LOGS = "arn:aws:logs:eu-west-1:1:log-group:/aws/sagemaker/TrainingJobs"


@pytest.mark.parametrize(
    ("operation", "request_", "expected"),
    [
        ("CreateTrainingJob", {"TrainingJobName": "a"}, "training-job/a"),
        ("StopTransformJob", {"TransformJobName": "a"}, "transform-job/a"),
        (
            "ListTrainingJobsForHyperParameterTuningJob",
            {"HyperParameterTuningJobName": "a"},
            "hyper-parameter-tuning-job/a",
        ),
        ("UpdateEndpointWeightsAndCapacities", {"EndpointName": "a"}, "endpoint/a"),
        ("CreateEndpoint", {"EndpointName": "a", "EndpointConfigName": "b"}, "endpoint/a"),
        ("CreateModelPackage", {"ModelPackageGroupName": "g"}, "model-package/g/*"),
        ("CreateModelPackage", {"ModelPackageName": "p"}, "model-package/p"),
        ("CreateModelPackage", {}, None),
        ("DescribeModelPackage", {"ModelPackageName": "g/3"}, "model-package/g/3"),
        ("StartPipelineExecution", {"PipelineName": "p"}, "pipeline/p"),
        ("ListPipelineExecutions", {"PipelineName": "p"}, "pipeline/p"),
        ("ListPipelines", {}, None),
        ("ListModelPackages", {"ModelPackageGroupName": "g"}, "model-package/g/*"),
        ("ListModelPackages", {}, None),
        ("ListModels", {"NameContains": "a"}, None),
        # Whatever comes must not break the check: validation is later.
        ("CreateModel", {"ModelName": 7}, None),
        ("CreateModel", {}, None),
    ],
)
def test_the_resource_of_a_request(
    operation: str, request_: dict[str, object], expected: str | None
) -> None:
    found = resource(operation, request_, "eu-west-1", "123456789012")
    assert found == ("*" if expected is None else PREFIX + expected)


@pytest.mark.parametrize(
    ("operation", "member"),
    [
        ("DescribePipelineExecution", "PipelineExecutionArn"),
        ("RetryPipelineExecution", "PipelineExecutionArn"),
        ("ListPipelineExecutionSteps", "PipelineExecutionArn"),
        ("DescribePipelineDefinitionForExecution", "PipelineExecutionArn"),
        ("UpdatePipelineVersion", "PipelineArn"),
        ("UpdateModelPackage", "ModelPackageArn"),
        ("AddTags", "ResourceArn"),
        ("ListTags", "ResourceArn"),
        ("DescribeModelPackageGroup", "ModelPackageGroupName"),
    ],
)
def test_an_arn_that_came_is_the_resource(operation: str, member: str) -> None:
    arn = PREFIX + "anything/a/b"
    assert resource(operation, {member: arn}, "us-east-1", "1") == arn


def test_an_endpoint_is_asked_for_with_its_config() -> None:
    request = {"EndpointName": "a", "EndpointConfigName": "b"}
    for operation in ("CreateEndpoint", "UpdateEndpoint"):
        found = resources(operation, request, "eu-west-1", "123456789012")
        assert found == (PREFIX + "endpoint/a", PREFIX + "endpoint-config/b")
    found = resources("DescribeEndpoint", {"EndpointName": "a"}, "eu-west-1", "123456789012")
    assert found == (PREFIX + "endpoint/a",)


@pytest.mark.parametrize(
    ("action", "body", "expected"),
    [
        ("logs:CreateLogGroup", '{"logGroupName": "/aws/sagemaker/TrainingJobs"}', LOGS),
        (
            "logs:PutLogEvents",
            b'{"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamName": "a/b"}',
            f"{LOGS}:log-stream:a/b",
        ),
        (
            "logs:CreateLogStream",
            '{"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamName": "a"}',
            LOGS,
        ),
        ("logs:DescribeLogGroups", "{}", "*"),
        ("logs:PutLogEvents", b"\xff not JSON", "*"),
        ("logs:PutLogEvents", "[1]", "*"),
        ("cloudwatch:PutMetricData", "Action=PutMetricData", "*"),
        ("cloudwatch:PutMetricAlarm", '{"AlarmName": "a"}', f"{ALARM}:a"),
        ("cloudwatch:DescribeAlarms", '{"AlarmNames": ["a", "b"]}', f"{ALARM}:a"),
        ("cloudwatch:DescribeAlarms", "{}", "*"),
        ("ecr:DescribeImages", '{"repositoryName": "r"}', f"{REPOSITORY}/r"),
        ("ecr:DescribeRepositories", '{"repositoryNames": ["r"]}', f"{REPOSITORY}/r"),
        ("ecr:GetAuthorizationToken", "{}", "*"),
    ],
)
def test_the_resource_is_named_as_policies_name_it(
    action: str, body: bytes | str, expected: str
) -> None:
    assert resource_of(action, body, "eu-west-1", "1") == expected
