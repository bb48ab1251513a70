"""State and behaviour of moto's services that their API cannot read or set."""

from datetime import UTC, datetime
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends
from moto.logs.responses import LogsResponse
from moto.s3.models import s3_backends
from moto.sts.models import sts_backends

from longspan.infra.local.control.clients import Credentials

__all__ = [
    "complete_log_filter",
    "issued_credentials",
    "object_content",
    "object_tags",
    "secret_of",
    "set_access_key",
    "set_object_history",
]

_PARTITION = "aws"


def issued_credentials(key: str) -> Credentials | None:
    """Return the credentials of an active access key of a user or a role's session, or None."""
    # Lists, because other requests may add accounts and partitions in the meantime.
    for account, partitions in list(iam_backends.items()):
        for partition, backend in list(partitions.items()):
            found = backend.access_keys.get(key)
            if found is None:
                continue
            if found.user_name is None:
                return _session_credentials(account, partition, key)
            active = found.status == "Active" and found.user_name in backend.users
            return Credentials(key, found.secret_access_key) if active else None
    return None


def _session_credentials(account: str, partition: str, key: str) -> Credentials | None:
    # The newest sessions send most requests.
    for session in reversed(sts_backends[account][partition].assumed_roles):
        if session.access_key_id == key:
            return Credentials(key, session.secret_access_key, session.session_token)
    return None


def secret_of(key: str) -> str:
    """Return the secret of an access key."""
    return str(_access_key(key).secret_access_key)


def set_access_key(created: str, key: str, secret: str) -> None:
    """Replace id and secret of the access key `created` by those of an earlier key."""
    keys = iam_backends[DEFAULT_ACCOUNT_ID][_PARTITION].access_keys
    # moto generates key and secret, but clients have the earlier ones in their settings.
    found = keys.pop(created)
    found.access_key_id, found.secret_access_key = key, secret
    keys[key] = found


def object_content(bucket: str, key: str) -> bytes:
    """Return the content of an archived object, which S3 does not answer."""
    return bytes(_object(bucket, key).value)


def object_tags(bucket: str, key: str) -> list[dict[str, str]]:
    """Return the tags of an object, which moto does not answer for an archived one."""
    tagger = s3_backends[DEFAULT_ACCOUNT_ID][_PARTITION].tagger
    return list(tagger.list_tags_for_resource(_object(bucket, key).arn)["Tags"])


def set_object_history(bucket: str, key: str, etag: str, modified: str) -> None:
    """Set ETag and modification time (ISO 8601) of an object that was just restored."""
    found = _object(bucket, key)
    found._etag = etag.strip('"')
    # moto's times are in UTC, without a time zone.
    found.last_modified = datetime.fromisoformat(modified).astimezone(UTC).replace(tzinfo=None)


def _object(bucket: str, key: str) -> Any:
    return s3_backends[DEFAULT_ACCOUNT_ID][_PARTITION].buckets[bucket].keys[key]


def _access_key(key: str) -> Any:
    return iam_backends[DEFAULT_ACCOUNT_ID][_PARTITION].access_keys[key]


def complete_log_filter() -> None:
    """Let FilterLogEvents select streams by their prefix, and sort events by time.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
    """
    original = LogsResponse.filter_log_events

    def filter_log_events(self: Any) -> Any:
        read = self._get_param
        known: dict[str, Any] = {"interleaved": True}
        prefix = read("logStreamNamePrefix")
        if prefix:
            group = self.logs_backend.groups.get(read("logGroupName"))
            names = [name for name in group.streams if name.startswith(prefix)] if group else []
            known["logStreamNames"] = names or [prefix]  # an empty list would select all streams
        self._get_param = lambda name, default=None: known.get(name, read(name, default))
        return original(self)

    setattr(LogsResponse, "filter_log_events", filter_log_events)  # noqa: B010 - for mypy
