import pytest

from longspan.infra.local.moto_resources import resource_of

LOGS = "arn:aws:logs:eu-west-1:1:log-group:/aws/sagemaker/TrainingJobs"


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
    ],
)
def test_the_resource_is_named_as_policies_name_it(action: str, body: bytes | str, expected: str):
    assert resource_of(action, body, "eu-west-1", "1") == expected
