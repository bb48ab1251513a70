"""The private parts of moto that the folder hooks into: a version that changes one fails here.

Repair the module that the test names, then check whether the new moto still needs the hook.
Covers `access`, `internals` and `simulation`; the docstring of `longspan.infra.local.moto`
describes the hooks.
"""

import inspect
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from moto import settings
from moto.core.responses import BaseResponse
from moto.events.models import EventPattern, EventPatternParser
from moto.iam import access_control
from moto.iam.models import get_account_id_from, iam_backends
from moto.logs.responses import LogsResponse
from moto.moto_server import werkzeug_app
from moto.s3.exceptions import BucketAccessDeniedError, S3AccessDeniedError
from moto.s3.models import s3_backends
from moto.sts.models import sts_backends

from longspan.infra.local.moto import internals
from tests.infra.local.moto.conftest import ACCOUNT, refusal

OLD = "AKIAOLDOLDOLDOLDOLDO"
ROOT = Path(__file__).parents[4]
# Folders that may import moto's modules; tests may use its public `mock_aws` anywhere.
HOOKS = ("infra/local/moto", "tests/infra/local/moto")


def test_moto_is_the_version_that_the_hooks_were_written_for() -> None:
    assert version("moto") == "5.2.5"


def test_policies_are_checked_where_the_check_is_replaced() -> None:
    """`access`."""
    assert hasattr(settings, "INITIAL_NO_AUTH_ACTION_COUNT")
    base = access_control.IAMRequestBase
    for name, parameters in {
        "check_signature": ["self"],
        "check_action_permitted": ["self", "resource"],
        "_create_aws_request": ["self"],
        "_is_assuming_role_operation": ["self", "resource_arn"],
        "_check_role_trust_relationship": ["self", "role_arn"],
    }.items():
        assert list(inspect.signature(getattr(base, name)).parameters) == parameters, name
    for name, parameters in {
        "_raise_invalid_access_key": ["self", "_"],
        "_raise_signature_does_not_match": ["self"],
    }.items():
        found = getattr(access_control.IAMRequest, name)
        assert list(inspect.signature(found).parameters) == parameters, name
    assert callable(access_control.IAMPolicyStatement._check_principal)
    assert access_control.IAMPolicy('{"Statement": []}')._policy_json == {"Statement": []}
    for kind, owner in (
        (access_control.IAMUserAccessKey, "_owner_user_name"),
        (access_control.AssumedRoleAccessKey, "_owner_role_name"),
    ):
        assert f"self.{owner}" in inspect.getsource(kind.collect_policies)  # `simulation`
    made = inspect.getsource(base.__init__)
    for name in ("_action", "_access_key", "_data", "_headers", "_region"):
        assert f"self.{name} = " in made, name
    checked = inspect.getsource(BaseResponse._authenticate_and_authorize_action)
    assert "settings.INITIAL_NO_AUTH_ACTION_COUNT" in checked
    assert "iam_request.check_action_permitted(resource)" in checked
    assert "path=path," in checked  # by name, as the hook of `__init__` takes it
    assert "headers=self.headers," in checked
    assert BucketAccessDeniedError("one").code == S3AccessDeniedError().code == "AccessDenied"
    assert sts_backends[ACCOUNT]["aws"].get_caller_identity("key", "us-east-1")[2] == ACCOUNT
    assert get_account_id_from("nobody's") == ACCOUNT


def test_state_is_where_it_is_put_back() -> None:
    """`internals`."""
    assert isinstance(iam_backends[ACCOUNT]["aws"].access_keys, dict)
    assert hasattr(s3_backends[ACCOUNT]["aws"], "buckets")


def test_moto_answers_through_the_application_that_is_wrapped() -> None:
    """`server`."""
    application = werkzeug_app.DomainDispatcherApplication
    assert list(inspect.signature(application).parameters) == ["create_app"]
    assert callable(application.__call__)
    assert callable(werkzeug_app.create_backend_app)
    assert inspect.isclass(werkzeug_app.MotoRequestHandler)


def test_log_events_are_filtered_by_the_method_that_is_replaced() -> None:
    """`internals.complete_log_filter`."""
    assert list(inspect.signature(LogsResponse.filter_log_events).parameters) == ["self"]
    read = inspect.getsource(LogsResponse.filter_log_events)
    for name in ("logGroupName", "logStreamNames", "interleaved"):
        assert f'self._get_param("{name}"' in read, name
    assert "logStreamNamePrefix" not in read, "moto reads the prefix itself: remove the hook"


def test_events_are_matched_by_what_the_tests_use() -> None:
    """`events`, for tests of the stack's template."""
    assert callable(EventPatternParser.parse)
    assert callable(EventPattern.matches_event)


def test_an_objects_history_and_a_keys_secret_can_be_set(server: Any) -> None:
    _, client = server
    s3, iam = client("s3"), client("iam")
    s3.create_bucket(Bucket="old")
    s3.put_object(Bucket="old", Key="a", Body=b"x")
    internals.set_object_history("old", "a", '"abc-2"', "2020-01-02T03:04:05+00:00")
    found = s3.head_object(Bucket="old", Key="a")
    assert (found["ETag"], found["LastModified"].year) == ('"abc-2"', 2020)
    s3.delete_object(Bucket="old", Key="a")
    s3.delete_bucket(Bucket="old")
    iam.create_user(UserName="old")
    created = iam.create_access_key(UserName="old")["AccessKey"]["AccessKeyId"]
    internals.set_access_key(created, OLD, "secret")
    assert internals.secret_of(OLD) == "secret"
    (key,) = iam.list_access_keys(UserName="old")["AccessKeyMetadata"]
    assert key["AccessKeyId"] == OLD
    iam.delete_access_key(UserName="old", AccessKeyId=OLD)
    iam.delete_user(UserName="old")


def test_a_filter_of_log_events_looks_at_the_streams_that_it_names(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LogsResponse, "filter_log_events", LogsResponse.filter_log_events)
    internals.complete_log_filter()
    logs = server[1]("logs")
    now = int(time.time() * 1000)
    logs.create_log_group(logGroupName="filtered")
    for number, stream in enumerate(("a/1", "a/2", "ab/1")):
        logs.create_log_stream(logGroupName="filtered", logStreamName=stream)
        events = [{"timestamp": now + 10 * n - number, "message": f"{stream} {n}"} for n in (0, 1)]
        logs.put_log_events(logGroupName="filtered", logStreamName=stream, logEvents=events)

    def found(**request: Any) -> list[str]:
        answer = logs.filter_log_events(logGroupName="filtered", **request)
        return [event["message"] for event in answer["events"]]

    assert found(logStreamNamePrefix="a/") == ["a/2 0", "a/1 0", "a/2 1", "a/1 1"]
    assert found(logStreamNamePrefix="none/") == []
    assert found(logStreamNames=["ab/1"]) == ["ab/1 0", "ab/1 1"]
    assert found(logStreamNamePrefix="a/1", startTime=now + 5) == ["a/1 1"]
    assert len(found()) == 6
    error = refusal(logs.filter_log_events, logGroupName="none", logStreamNamePrefix="a")
    assert error["Code"] == "ResourceNotFoundException"
    logs.delete_log_group(logGroupName="filtered")


def test_moto_is_imported_in_its_folder_alone() -> None:
    importing = {
        str(path.relative_to(ROOT))
        for folder in ("training", "inference", "pipelines", "infra", "tests")
        for path in (ROOT / folder).rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith(("from moto", "import moto")) and line != "from moto import mock_aws"
    }
    assert {path for path in importing if not path.startswith(HOOKS)} == set()
    assert importing, "no module was found"
