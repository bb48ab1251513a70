import pytest
from botocore import exceptions
from botocore.exceptions import ClientError

from longspan.pipelines.cloud.aws_errors import AwsError, explain_aws, explained


def answer(code: str, message: str, operation: str = "CreateTrainingJob") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def test_a_denial_names_the_right_and_who_lacks_it():
    said = explain_aws(
        answer(
            "AccessDeniedException",
            "User: arn:aws:iam::123456789012:user/kim is not authorized to perform: "
            "sagemaker:CreateTrainingJob on resource: arn:aws:sagemaker:us-east-1:1:training-job/x",
        )
    )
    assert "arn:aws:iam::123456789012:user/kim lacks the right sagemaker:CreateTrainingJob" in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("operation", "right"),
    [
        ("HeadBucket", "the caller lacks the right s3:ListBucket:"),
        ("DescribeAlarms", "the caller lacks the right to DescribeAlarms:"),
    ],
)
def test_a_denial_without_details_still_names_the_right(operation: str, right: str):
    assert right in explain_aws(answer("403", "Forbidden", operation))


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("ResourceLimitExceeded", "quota"),
        ("ThrottlingException", "continues where it stopped"),
        ("ExpiredToken", "sign in again"),
        ("NoSuchBucket", "aws.bucket"),
        ("PermanentRedirect", "aws.region"),
        ("InvalidClientTokenId", "AWS_PROFILE"),
    ],
)
def test_an_answer_comes_with_advice(code: str, advice: str):
    said = explain_aws(answer(code, "What AWS says."))
    assert said.startswith("What AWS says: ")
    assert advice in said


def test_an_unknown_answer_is_passed_on_in_one_line():
    assert explain_aws(answer("Odd", "one\n  two")) == "one two"


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (exceptions.NoCredentialsError(), "aws configure"),
        (exceptions.NoRegionError(), "aws.region"),
        (exceptions.ProfileNotFound(profile="x"), "AWS_PROFILE"),
        (
            exceptions.EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
            "no local cloud answers at this address; start it again",
        ),
        (
            exceptions.EndpointConnectionError(endpoint_url="https://sts.eu-nowhere-1.com"),
            "check aws.region and the network",
        ),
    ],
)
def test_what_goes_wrong_before_an_answer_says_what_to_do(
    error: exceptions.BotoCoreError, advice: str
):
    assert advice in explain_aws(error)


def test_explained_says_what_was_being_done():
    with pytest.raises(AwsError, match=r"^uploading pairs: What"), explained("uploading pairs"):
        raise answer("Odd", "What")


def test_explained_leaves_other_errors_alone():
    with pytest.raises(ValueError, match="own"), explained("anything"):
        raise ValueError("own")
