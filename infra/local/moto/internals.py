"""What moto's API cannot set: secrets of access keys, and the history of objects.

The other module that touches moto's internals is `moto_server`.
"""

from datetime import UTC, datetime
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends
from moto.logs.responses import LogsResponse
from moto.s3.models import s3_backends

__all__ = ["complete_log_filter", "secret_of", "set_access_key", "set_object_history"]

_PARTITION = "aws"


def secret_of(key: str) -> str:
    """The secret of an access key."""
    return str(_access_key(key).secret_access_key)


def set_access_key(created: str, key: str, secret: str) -> None:
    """Give an access key that was just created the id and the secret of an earlier one."""
    keys = iam_backends[DEFAULT_ACCOUNT_ID][_PARTITION].access_keys
    found = keys.pop(created)
    found.access_key_id, found.secret_access_key = key, secret
    keys[key] = found


def set_object_history(bucket: str, key: str, etag: str, modified: str) -> None:
    """Give an object, just put, the ETag and the time (ISO 8601) that it had before."""
    found = s3_backends[DEFAULT_ACCOUNT_ID][_PARTITION].buckets[bucket].keys[key]
    found._etag = etag.strip('"')
    found.last_modified = datetime.fromisoformat(modified).astimezone(UTC).replace(tzinfo=None)


def _access_key(key: str) -> Any:
    return iam_backends[DEFAULT_ACCOUNT_ID][_PARTITION].access_keys[key]


def complete_log_filter() -> None:
    """FilterLogEvents gives events of the streams that it is asked for, in the order of time."""
    original = LogsResponse.filter_log_events

    def filter_log_events(self: Any) -> Any:
        read = self._get_param
        known: dict[str, Any] = {"interleaved": True}
        prefix = read("logStreamNamePrefix")
        if prefix:
            group = self.logs_backend.groups.get(read("logGroupName"))
            names = [name for name in group.streams if name.startswith(prefix)] if group else []
            known["logStreamNames"] = names or [prefix]  # no names would mean all
        self._get_param = lambda name, default=None: known.get(name, read(name, default))
        return original(self)

    setattr(LogsResponse, "filter_log_events", filter_log_events)  # noqa: B010 - for mypy
