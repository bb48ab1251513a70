import pytest

from longspan.infra.local.moto.arns import resource_of

ALARM = "arn:aws:cloudwatch:eu-west-1:1:alarm"
REPOSITORY = "arn:aws:ecr:eu-west-1:1:repository"
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
        ("cloudwatch:PutMetricAlarm", '{"AlarmName": "a"}', f"{ALARM}:a"),
        ("cloudwatch:DescribeAlarms", '{"AlarmNames": ["a", "b"]}', f"{ALARM}:a"),
        ("cloudwatch:DescribeAlarms", "{}", "*"),
        ("ecr:DescribeImages", '{"repositoryName": "r"}', f"{REPOSITORY}/r"),
        ("ecr:DescribeRepositories", '{"repositoryNames": ["r"]}', f"{REPOSITORY}/r"),
        ("ecr:GetAuthorizationToken", "{}", "*"),
    ],
)
def test_the_resource_is_named_as_policies_name_it(action: str, body: bytes | str, expected: str):
    assert resource_of(action, body, "eu-west-1", "1") == expected
